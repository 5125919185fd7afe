/**
 * Clients that nobody here wrote, over HTTP, through the configuration of the layer 7 article: impacket with NTLM and as Outlook
 * Anywhere, websocket-client, openssl s_client, curl. HAProxy and Poise must show the same.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authority } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { ExchangeOrigin, layerSeven, mailCertificate, twoServers } from '../../harness/exchange-origin.ts';
import { leftOut, outputOf } from '../../harness/exchange-stage.ts';
import { accounts, clientSees, placeOf } from '../../harness/outside.ts';
import { temporaryFolder } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const users = [...accounts.passwords];

/** Requests that a server took for somebody else's, over both. */
function faults(site: Site): number {
  return [site.origin('ex1'), site.origin('ex2')].reduce((sum, origin) => sum + (origin instanceof ExchangeOrigin ? origin.exchange?.faults ?? 0 : 0), 0);
}

/** Several users at once. */
async function together(count: number, site: Site, see: (user: string, password: string) => Promise<unknown>): Promise<unknown> {
  const seen = await Promise.all(users.slice(0, count).map(([user, password]) => see(user, password)));
  return { seen, faults: faults(site) };
}

const curlArguments = ['-sS', '--http1.1', '-k', '--max-time', '20', '-w', '%{http_code}/%{num_connects} '];
const windowsPaths = ['/EWS/Services.wsdl', '/mapi/emsmdb/', '/rpc/rpcproxy.dll', '/OAB/oab.txt', '/Autodiscover/page'];
const urls = (site: Site): string[] => windowsPaths.flatMap((path) => ['-o', '/dev/null', `https://${placeOf(site, 'https')}${path}`]);

const curlNtlm = (site: Site): Promise<unknown> =>
  together(users.length, site, (user, password) => outputOf('curl', [...curlArguments, '--ntlm', '-u', `${user}:${password}`, '-H', `X-Sim-User: ${user}`, ...urls(site)]));

/** Without Kerberos there is NTLM inside. How many connections that takes is the client's choice. */
async function curlNegotiate(site: Site): Promise<unknown> {
  assert.ok(existsSync('/etc/gss/mech.d/mech.ntlmssp.conf'), leftOut('gss-ntlmssp'));
  const folder = temporaryFolder();
  return together(users.length, site, (user, password) => {
    const file = join(folder, user);
    writeFileSync(file, `LAB:${user}:${password}\n`);
    return outputOf('curl', [...curlArguments, '--negotiate', '-u', ':', '-H', `X-Sim-User: ${user}`, ...urls(site)], { env: { NTLM_USER_FILE: file } });
  });
}

/** What s_client says of the handshake, and the answer. */
async function tlsClient(site: Site, ...args: readonly string[]): Promise<unknown> {
  const input = 'GET /owa/auth/logon.aspx HTTP/1.1\r\nHost: mail.lab.local\r\nConnection: close\r\n\r\n';
  const told = await outputOf('openssl', [
    's_client', '-connect', placeOf(site, 'https'), '-servername', 'mail.lab.local', '-CAfile', authority(), '-ign_eof', ...args,
  ], { input });
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(told)?.[0] ?? '';
  const own = new X509Certificate(readFileSync(mailCertificate()['crt'] ?? ''));
  return {
    same: pem !== '' && new X509Certificate(pem).fingerprint256 === own.fingerprint256, verified: /Verify return code: (.*)/.exec(told)?.[1],
    handshakes: told.match(/^(?:New|Reused), \S+/gm), alpn: /^(?:No ALPN|ALPN).*$/m.exec(told)?.[0], status: /^HTTP\/1\.1 .*$/m.exec(told)?.[0].trim(), page: told.includes('name="password"'),
  };
}

comparison('clients of others over HTTP', { configuration: layerSeven(), origins: twoServers({ accounts }), values: mailCertificate }, (situation) => {
  situation('impacket: NTLM over HTTP', (site) => together(2, site, (user, password) => clientSees('ntlm_over_http.py', placeOf(site, 'https'), user, password)), { shows: [/"login": \[\s+200,\s+"true"/, '"LAB"', '"faults": 0'] });
  for (const scheme of ['NTLM', 'Basic']) {
    situation(`impacket: RPC over HTTP with ${scheme}`, (site) => together(2, site, (user, password) => clientSees('rpc_over_http.py', placeOf(site, 'https'), user, password, scheme)), { shows: [/"echoes": \[\s+(true,\s+){3}true\s+\]/, '"faults": 0'] });
  }
  situation('curl --ntlm', curlNtlm, { shows: ['"200/1 200/0 200/0 200/0 200/0 "', '"faults": 0'] });
  situation('curl --negotiate', curlNegotiate, { shows: [/"(200\/\d ){5}"/, '"faults": 0'] });
  situation('websocket-client: frames, a pause, ping, close', (site) => together(2, site, (user, password) => clientSees('web_socket.py', placeOf(site, 'https'), user, password, '2')), { shows: ['"status": 101', '"still there?"', /"close": \[\s+8,\s+1000/, /"echoes": \[\s+(true,\s+){3}true\s+\]/] });
  situation('openssl s_client', async (site) => [await tlsClient(site, '-tls1_2'), await tlsClient(site, '-tls1_3'), await tlsClient(site, '-alpn', 'h2,http/1.1')], { shows: ['"same": true', '"0 (ok)"', '"page": true', 'HTTP/1.1 200 OK'] });
});
