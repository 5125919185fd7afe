/** Message heads as they pass a balancer in front of Exchange. Read by the parts of the micro-bench. */

const cookies = ['X-BackEndCookie', 'cadata', 'cadataTTL', 'cadataKey', 'cadataIV', 'cadataSig', 'ClientId', 'X-OWA-CANARY']
  .map((name, index) => `${name}=${'sxW4qk0nHZpTb7cVd1Ru'.repeat(9).slice(0, 165 + index)}`).join('; ');

/** A browser that reads mail in OWA: 20 lines, 1.5 KB of them cookies. */
const owaRequest = [
  'POST /owa/service.svc?action=GetConversationItems&app=Mail&n=117 HTTP/1.1', 'Host: mail.example.com', 'Connection: keep-alive', 'Content-Length: 0',
  'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"', 'X-OWA-ActionId: -1', 'X-OWA-ActionName: GetConversationItems', 'Action: GetConversationItems',
  'sec-ch-ua-mobile: ?0', 'User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  'Content-Type: application/json; charset=UTF-8', 'X-OWA-CorrelationId: 5D2A3F4C117B4E0C9A3DE6B2F1C0A9E7_173219', 'X-OWA-ClientBuildVersion: 15.2.1544.11',
  'X-OWA-CANARY: sxW4qk0nHZpTb7cVd1RusxW4qk0nHZpTb7cVd1Ru.', 'X-Requested-With: XMLHttpRequest', 'sec-ch-ua-platform: "Windows"', 'Accept: */*',
  'Origin: https://mail.example.com', 'Referer: https://mail.example.com/owa/', 'Accept-Language: en-GB,en;q=0.9', `Cookie: ${cookies}`, '', '',
].join('\r\n');

/** What wrk sends. */
const wrkRequest = 'GET /owa/ HTTP/1.1\r\nHost: 127.0.0.1:8002\r\n\r\n';

const nginxAnswer = [
  'HTTP/1.1 200 OK', 'Server: nginx/1.22.1', 'Date: Fri, 20 Nov 2026 21:40:11 GMT', 'Content-Type: text/plain', 'Content-Length: 100', 'Connection: keep-alive', '', '',
].join('\r\n');

const iisAnswer = [
  'HTTP/1.1 200 OK', 'Cache-Control: no-cache, no-store', 'Pragma: no-cache', 'Content-Length: 100', 'Content-Type: application/json; charset=utf-8', 'Expires: -1',
  'Server: Microsoft-IIS/10.0', 'request-id: 7c0a3c5e-1f4b-4d5d-9a57-3a2b86cfb1d4', 'X-CalculatedBETarget: mbx1.example.com', 'X-Content-Type-Options: nosniff',
  'X-OWA-Version: 15.2.1544.11', 'X-OWA-MinimumSupportedOWSVersion: V2_6', 'X-BackEndHttpStatus: 200', 'Set-Cookie: exchangecookie=8f0e4d3c2b1a49; path=/; secure; HttpOnly',
  'X-AspNet-Version: 4.0.30319', 'X-Powered-By: ASP.NET', 'X-FEServer: CAS1', 'Date: Fri, 20 Nov 2026 21:40:11 GMT', '', '',
].join('\r\n');

export const messages = {
  owaRequest: Buffer.from(owaRequest), wrkRequest: Buffer.from(wrkRequest), nginxAnswer: Buffer.from(nginxAnswer), iisAnswer: Buffer.from(iisAnswer),
};
