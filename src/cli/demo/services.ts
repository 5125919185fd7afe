/**
 * The requests that real clients of Exchange send, one list per service, in the capitalisation that they use. Data for the demo.
 */
export interface ServiceRequest {
  readonly client: string;
  /** Backend that is meant for it. */
  readonly backend: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: string;
}

const mailbox = '0f8fad5b-d9cb-469f-a165-70867728950e@lab.local';
const outlook = 'User-Agent: Microsoft Office/15.0 (Windows NT 6.1; Microsoft Outlook 15.0.4605; Pro)';
const rpc = ['User-Agent: MSRPC', 'Accept: application/rpc'];
const browser = 'User-Agent: Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko';
const phone = ['User-Agent: MSFT-WP/8.10.12397', 'MS-ASProtocolVersion: 14.1', 'Content-Type: application/vnd.ms-sync.wbxml'];
const xml = 'Content-Type: text/xml; charset=utf-8';

function request(client: string, backend: string, method: string, target: string, headers: readonly string[] = [], body = ''): ServiceRequest {
  return { client, backend: `be_ex2013_${backend}`, method, target, headers, body };
}

/** What one round of the article's tests sends. */
export const everyService: readonly ServiceRequest[] = [
  request('Outlook', 'autodiscover', 'POST', '/autodiscover/autodiscover.xml', [outlook, xml], '<Autodiscover/>'),
  request('Outlook', 'mapi', 'POST', `/mapi/emsmdb/?MailboxId=${mailbox}`, [outlook, 'Content-Type: application/mapi-http', 'X-RequestType: Connect'], 'connect'),
  request('Outlook', 'rpc', 'RPC_IN_DATA', `/rpc/rpcproxy.dll?${mailbox}:6001`, rpc, 'in'),
  request('Outlook', 'rpc', 'RPC_OUT_DATA', `/rpc/rpcproxy.dll?${mailbox}:6001`, rpc, 'out'),
  request('browser', 'owa', 'GET', '/owa/', [browser]),
  request('phone', 'eas', 'POST', '/Microsoft-Server-ActiveSync?Cmd=Sync&User=test&DeviceId=WP8&DeviceType=WP', phone, 'sync'),
  request('browser', 'ecp', 'GET', '/ecp/default.aspx', [browser]),
  request('Outlook', 'ews', 'POST', '/EWS/Exchange.asmx', [outlook, xml], '<GetUserAvailabilityRequest/>'),
  request('Outlook for Mac', 'ews', 'POST', '/ews/exchange.asmx', ['User-Agent: MacOutlook/14.4.4', xml], '<GetFolder/>'),
  request('Outlook', 'oab', 'GET', '/OAB/3f2504e0-4f89-11d3-9a0c-0305e82c3301/oab.xml', ['User-Agent: Microsoft BITS/7.5']),
];

/** Spellings that only a comparison without regard to case finds. */
export const oddSpellings: readonly ServiceRequest[] = [
  request('phone', 'autodiscover', 'POST', '/AutoDiscover/AutoDiscover.xml', [xml], '<Autodiscover/>'),
  request('Outlook', 'mapi', 'POST', `/MAPI/nspi/?MailboxId=${mailbox}`, [outlook, 'X-RequestType: Bind'], 'bind'),
  request('Outlook', 'rpc', 'RPC_OUT_DATA', `/Rpc/RpcProxy.dll?${mailbox}:6004`, rpc, 'out'),
  request('browser', 'owa', 'GET', '/OWA/', [browser]),
  request('phone', 'eas', 'OPTIONS', '/microsoft-server-activesync', phone),
  request('browser', 'ecp', 'GET', '/ECP/', [browser]),
  request('Outlook', 'ews', 'POST', '/Ews/Services.wsdl', [outlook], 'x'),
  request('Outlook', 'oab', 'HEAD', '/oab/oab.xml', ['User-Agent: Microsoft BITS/7.5']),
];
