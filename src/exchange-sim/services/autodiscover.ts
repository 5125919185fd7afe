/**
 * Autodiscover in its three forms: the XML of Outlook, the SOAP of autodiscover.svc and the JSON of version 2, each under any
 * capitalisation. Asked through service-list.ts. The addresses told are those of the name that the client used.
 */
import { whenWhole } from '../body.ts';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';

const requestBytesMax = 65_536;
const xml = 'Content-Type: text/xml; charset=utf-8';
const json = 'Content-Type: application/json; charset=utf-8';

/** By protocol in lower case. */
const places: Readonly<Record<string, string>> = {
  autodiscoverv1: '/autodiscover/autodiscover.xml', activesync: '/Microsoft-Server-ActiveSync', ews: '/EWS/Exchange.asmx', rest: '/api',
};

function nameOf(exchange: SimExchange): string {
  return exchange.request.headers.get('host') ?? exchange.server.fqdn;
}

/** Text between the tags of that name, whatever their prefix. */
function element(text: string, name: string): string {
  return new RegExp(`<(?:\\w+:)?${name}>([^<]*)<`).exec(text)?.[1]?.trim() ?? '';
}

function outlook(exchange: SimExchange, body: string): void {
  const host = nameOf(exchange);
  exchange.mailbox = element(body, 'EMailAddress');
  exchange.answer(200, 'OK', [xml], '<?xml version="1.0" encoding="utf-8"?>\n<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">'
    + `<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><User><AutoDiscoverSMTPAddress>${exchange.mailbox}</AutoDiscoverSMTPAddress></User>`
    + `<Account><AccountType>email</AccountType><Action>settings</Action><Protocol><Type>EXHTTP</Type><Server>${host}</Server><SSL>On</SSL>`
    + `<EwsUrl>https://${host}/EWS/Exchange.asmx</EwsUrl><OABUrl>https://${host}/OAB/</OABUrl></Protocol></Account></Response></Autodiscover>\n`);
}

function soap(exchange: SimExchange, body: string): void {
  exchange.mailbox = element(body, 'Mailbox');
  exchange.answer(200, 'OK', [xml], '<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    + '<GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover"><Response><ErrorCode>NoError</ErrorCode><UserResponses><UserResponse><UserSettings>'
    + `<UserSetting><Name>ExternalEwsUrl</Name><Value>https://${nameOf(exchange)}/EWS/Exchange.asmx</Value></UserSetting>`
    + '</UserSettings></UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>\n');
}

function version2(exchange: SimExchange): void {
  const { target } = exchange.request;
  const query = new Map([...new URLSearchParams(target.split('?')[1] ?? '')].map(([key, value]) => [key.toLowerCase(), value]));
  const protocol = query.get('protocol') ?? '';
  const place = places[protocol.toLowerCase()];
  exchange.mailbox = query.get('email') ?? /\/v1\.0\/([^?/]*)/i.exec(target)?.[1] ?? '';
  if (place === undefined) exchange.answer(400, 'Bad Request', [json], `{"ErrorCode":"InvalidProtocol","ErrorMessage":"The given protocol value is invalid."}\n`);
  else exchange.answer(200, 'OK', [json], `${JSON.stringify({ Protocol: protocol, Url: `https://${nameOf(exchange)}${place}` })}\n`);
}

function handle(exchange: SimExchange): void {
  const { request } = exchange;
  const path = (request.target.split('?')[0] ?? '').toLowerCase();
  const isXml = path.endsWith('/autodiscover.xml');
  if (path.includes('/autodiscover.json')) version2(exchange);
  else if (request.method !== 'POST' || !(isXml || path.endsWith('/autodiscover.svc'))) answerPage(exchange);
  else whenWhole(exchange, requestBytesMax, (body) => (isXml ? outlook : soap)(exchange, body.toString('utf8')));
}

export const autodiscover: ExchangeService = { directory: '/Autodiscover', handle };
