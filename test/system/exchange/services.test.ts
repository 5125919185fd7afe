/**
 * What clients of Exchange do over HTTP, through the configuration of the layer 7 article: two half-open bodies of a gigabyte,
 * chunks that come one by one, polls without a byte, interim answers, ranges, WebSockets. HAProxy and Poise must show the same.
 * 300 simulated seconds pass in a real one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { acceptValue, frameBytes } from '../../../src/exchange-sim/services/websocket-frames.ts';
import { comparison } from '../../harness/comparison.ts';
import { echoMs, head, masked, open, openPair, pduEcho as echo, pingBody, whole } from '../../harness/exchange-clients.ts';
import { layerSeven, mailCertificate, twoServers } from '../../harness/exchange-origin.ts';
import { headerLines } from '../../harness/observe.ts';
import { channelHead, inR1A1, nextPdu } from '../../harness/rpc-channels.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const scale = 300;
/** Real milliseconds of simulated seconds. */
const real = (seconds: number): number => (seconds * 1000) / scale;

/** Without what depends on turns: the server, and how many other requests were under way. */
const anyServer = (line: string): string => line.replace(/lab-ex0\d/, 'lab-ex0n').replace(/ c\/c\/\d+\/\d+\//, ' c/c/c/c/');

/** Header lines that do not say which server answered. */
const linesOf = (site: Site, text: string): string[] => headerLines(site, text.trimEnd().split('\r\n')).filter((line) => !line.startsWith('x-feserver'));

async function rpcPair(site: Site): Promise<unknown> {
  const { incoming, outgoing, outHead, connected } = await openPair(site);
  const tookMs = await echoMs(incoming, outgoing, 5);
  for (const length of [1, 5000, 65_000]) await echo(incoming, outgoing, 'x'.repeat(length));
  // Five minutes without a byte of the client.
  await sleep(real(300));
  await echo(incoming, outgoing, 'after a pause');
  const early = incoming.received;
  incoming.close();
  const end = await outgoing.rest();
  return { outHead: linesOf(site, outHead), connected, small: tookMs < 5 ? 'below 5 ms' : `${tookMs} ms`, early, end: end.ending, lines: (await site.logLines(/"RPC_/, 2)).map(anyServer).sort() };
}

async function recycled(site: Site): Promise<unknown> {
  const { virtual, incoming, outgoing } = await openPair(site);
  await echo(incoming, outgoing, 'first');
  const successor = await open(site);
  successor.send(channelHead('RPC_IN_DATA', 1_073_741_824)).send(inR1A1(virtual));
  const answered = (await nextPdu(outgoing)).length;
  incoming.close();
  await echo(successor, outgoing, 'second');
  outgoing.close();
  return { answered, end: (await successor.until(/\r\n\r\n/)).split('\r\n')[0] };
}

async function mapiWait(site: Site): Promise<unknown> {
  const client = await open(site);
  const began = performance.now();
  client.send(whole('POST', '/mapi/emsmdb/?MailboxId=a@lab.local', 'wait', 'Content-Type: application/mapi-http', 'X-RequestType: NotificationWait', 'X-RequestId: {1}:1'));
  const start = await client.until(/PROCESSING\r\n\r\n/);
  const processingAt = performance.now() - began;
  let chunks = 0;
  while ((await client.until(/PENDING\r\n|wait\r\n0\r\n\r\n/)).includes('PENDING')) chunks += 1;
  const total = performance.now() - began;
  return { start: linesOf(site, start.slice(0, start.indexOf('\r\n\r\n'))), chunks, atOnce: processingAt < total / 2, held: total >= real(300), line: anyServer(await site.logLine(/"POST \/mapi/)) };
}

async function ping(site: Site): Promise<unknown> {
  const client = await open(site);
  const began = performance.now();
  client.send(whole('POST', '/Microsoft-Server-ActiveSync?Cmd=Ping&User=anna&DeviceId=1&DeviceType=WP', pingBody(300), 'Content-Type: application/vnd.ms-sync.wbxml'));
  const before = await client.within(real(300) / 2);
  const answer = await client.answer('POST');
  return { before, status: answer.status, bytes: answer.body.length, held: performance.now() - began >= real(300), options: (await client.send(head('OPTIONS', '/Microsoft-Server-ActiveSync')).answer('OPTIONS')).header('ms-asprotocolversions') };
}

async function streaming(site: Site): Promise<unknown> {
  const client = await open(site);
  client.send(whole('POST', '/EWS/Exchange.asmx', '<m:GetStreamingEvents><t:ConnectionTimeout>4</t:ConnectionTimeout></m:GetStreamingEvents>'));
  const statuses: string[] = [];
  const arrived: number[] = [];
  while (statuses.at(-1) !== 'Closed') {
    statuses.push(/ConnectionStatus>(\w+)</.exec(await client.until(/ConnectionStatus>\w+<[^]*?<\/Envelope>\r\n/))?.[1] ?? '');
    arrived.push(performance.now());
  }
  return { statuses, spread: (arrived.at(-1) ?? 0) - (arrived[1] ?? 0) > real(90), end: await client.until(/0\r\n\r\n/) };
}

async function continued(site: Site): Promise<unknown> {
  const client = await open(site);
  client.send(head('POST', '/EWS/Exchange.asmx', 'Expect: 100-continue', 'Content-Length: 11'));
  const interim = await client.until(/^HTTP\/1\.1 100 [^]*?\r\n\r\n/);
  const early = client.received;
  const answer = await client.send('<GetItem/>\n').answer('POST');
  const again = await client.send(whole('POST', '/EWS/Exchange.asmx', '<Two/>')).answer('POST');
  return { interim: interim.toLowerCase(), early, answers: [answer.status, answer.body, again.status, again.body] };
}

async function addressBook(site: Site): Promise<unknown> {
  const client = await open(site);
  const seen: unknown[] = [];
  let etag = '';
  for (const lines of [[], ['Range: bytes=0-999'], ['Range: bytes=1048000-'], ['Range: bytes=-10'], ['Range: bytes=2000000-'], ['If-None-Match: ETAG'], ['Range: bytes=1-2', 'If-Range: "x"']]) {
    const answer = await client.send(head('GET', '/OAB/3f2504e0/book.lzx', ...lines.map((line) => line.replace('ETAG', etag)))).answer();
    etag = answer.header('etag') ?? etag;
    seen.push([answer.status, answer.header('content-range') ?? '', answer.header('content-length') ?? '', createHash('sha1').update(answer.body).digest('hex')]);
  }
  const manifest = await client.send(head('HEAD', '/oab/3f2504e0/OAB.xml')).answer('HEAD');
  return { seen, manifest: [manifest.status, manifest.header('content-length'), manifest.header('accept-ranges')] };
}

async function webSocket(site: Site): Promise<unknown> {
  const client = await open(site);
  const key = randomBytes(16).toString('base64');
  client.send(head('GET', '/owa/notificationchannel/connect', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13'));
  const upgraded = linesOf(site, (await client.until(/\r\n\r\n/)).replace(acceptValue(key), 'RIGHT'));
  const echoes: boolean[] = [];
  for (const text of ['hello', 'x'.repeat(200), 'y'.repeat(100_000)]) {
    const expected = frameBytes({ isLast: true, opcode: 2, payload: Buffer.from(text) }).toString('latin1');
    echoes.push(await client.send(masked(2, text)).bytes(expected.length) === expected);
  }
  // Five minutes of silence.
  await sleep(real(300));
  const last = await client.send(masked(9, 'ping')).send(masked(8, '')).rest();
  return { upgraded, echoes, last, line: anyServer(await site.logLine(/notificationchannel/)) };
}

async function webMail(site: Site): Promise<unknown> {
  const client = await open(site);
  client.send(head('GET', '/owa/ev.owa2?ns=PendingRequest&ev=PendingNotificationRequest'));
  const polled = linesOf(site, await client.until(/\r\n\r\n/));
  const notification = await client.until(/0\r\n\r\n/);
  const upload = randomBytes(3_000_000).toString('latin1');
  const answer = JSON.parse((await client.send(whole('POST', '/owa/service.svc?action=CreateAttachment', upload)).answer('POST')).body) as { bytes: number; sha256: string };
  return { polled, notified: notification.includes('reachability'), bytes: answer.bytes, whole: answer.sha256 === createHash('sha256').update(upload, 'latin1').digest('hex') };
}

async function autodiscover(site: Site): Promise<unknown> {
  const seen: unknown[] = [];
  for (const uri of ['/autodiscover/autodiscover.xml', '/Autodiscover/Autodiscover.xml', '/AutoDiscover/AutoDiscover.xml', '/AUTODISCOVER/AUTODISCOVER.XML']) {
    const client = await open(site);
    const answer = await client.send(whole('POST', uri, '<EMailAddress>anna@lab.local</EMailAddress>', 'Connection: close')).answer('POST');
    seen.push([answer.status, answer.body, anyServer(await site.logLine(new RegExp(` ${uri} `)))]);
  }
  const json = await (await open(site)).send(head('GET', '/autodiscover/autodiscover.json/v1.0/anna@lab.local?Protocol=Ews')).answer();
  const plain = await (await site.client('plain')).send(head('GET', '/autodiscover/autodiscover.xml')).answer();
  return { seen, json: json.body, plain: [plain.status, plain.header('location')] };
}

comparison('Exchange clients over HTTP', { configuration: layerSeven(), origins: twoServers({ scale }), values: mailCertificate }, (situation) => {
  situation('RPC over HTTP: PDUs pass at once between two half-open bodies of a gigabyte', rpcPair, { shows: ['content-length: 1073741824', 'below 5 ms', 'be_ex2013_rpc'] });
  situation('RPC over HTTP: a successor channel takes over', recycled, { shows: ['"answered": 52', '503 RPC Error: 6ba'] });
  situation('RPC over HTTP: an echo request is answered at once', async (site) => {
    const client = await open(site);
    const answer = await client.send(head('RPC_IN_DATA', '/rpc/rpcproxy.dll', 'Content-Length: 0')).answer();
    const second = await client.send(whole('RPC_OUT_DATA', '/rpc/rpcproxy.dll', '0123456789abcdef')).answer();
    return [answer.status, answer.body.length, second.status, second.body.length];
  }, { shows: /200,\s+20,\s+200,\s+20/ });
  situation('MAPI over HTTP: PENDING chunks pass one by one while NotificationWait holds', mapiWait, { shows: ['"chunks": 19', '"atOnce": true', '"held": true'] });
  situation('ActiveSync: a Ping is held without a byte until its heartbeat is over', ping, { shows: ['"before": ""', '"held": true', '16.1'] });
  situation('EWS: streaming notifications', streaming, { shows: ['"Closed"', '"spread": true'] });
  situation('EWS: 100 Continue passes before the body', continued, { shows: ['100 continue', '<GetItem/>', '"early": ""'] });
  situation('OAB: ranges and 304', addressBook, { shows: ['206', '416', '304', 'bytes 0-999/1048576'] });
  situation('OWA: a WebSocket', webSocket, { shows: ['101', 'sec-websocket-accept: RIGHT', 'fin'] });
  situation('OWA: long poll and upload', webMail, { shows: ['"bytes": 3000000', '"whole": true', '"notified": true'] });
  situation('Autodiscover in its capitalisations, its forms, and on port 80', autodiscover, { shows: ['fe_ex2013~ be_ex2013/lab-ex0n', 'fe_ex2013~ be_ex2013_autodiscover/lab-ex0n', '301', 'https://mail.lab.local/autodiscover/autodiscover.xml'] });
});
