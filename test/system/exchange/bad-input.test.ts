/**
 * Clients and servers of an Exchange site that misbehave: only that exchange ends, with the right status, letters and counters, and
 * everybody else goes on. HAProxy and Poise must show the same. 60 simulated seconds pass in a real one.
 */
import { readFileSync } from 'node:fs';
import { certificate } from '../../harness/certificates.ts';
import { comparison } from '../../harness/comparison.ts';
import { readStatistics } from '../../harness/csv.ts';
import { head, open, openPair, pduEcho, whole } from '../../harness/exchange-clients.ts';
import { mailCertificate, twoServers } from '../../harness/exchange-origin.ts';
import { Origin } from '../../harness/origin.ts';
import { eventually } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const passwords = new Map([['anna', 'secret']]);
const files = certificate(['mail.lab.local']);
const services = ['ews', 'rpc', 'mapi', 'odd'];
const configuration = `global
    log {log} local0
    nbthread 1
    stats socket {admin} mode 600 level admin
defaults
    mode http
    log global
    option httplog
    timeout connect 5s
    timeout client 1500ms
    timeout server 1500ms
frontend fe
    bind {https} ssl crt {crt}
${services.map((service) => `    use_backend ${service} if { path_beg -i /${service} }\n`).join('')}backend ews
    server ex1 {ex1} ssl verify none
backend rpc
    server ex1 {open1} ssl verify none
backend mapi
    timeout server 10s
    server ex1 {open1} ssl verify none
backend odd
    server ex1 {odd} ssl verify none
`;

/** Counters that tell of trouble. */
async function counters(site: Site): Promise<unknown> {
  const rows = readStatistics(await site.command('show stat')).rows;
  return rows.filter((row) => row['svname'] !== 'FRONTEND' || row['pxname'] === 'fe')
    .map((row) => [row['pxname'], row['svname'], ...['ereq', 'econ', 'eresp', 'cli_abrt', 'srv_abrt', 'hrsp_2xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other'].map((name) => `${name} ${row[name] ?? ''}`)].join(' '));
}

const basic = `Authorization: Basic ${Buffer.from('anna:secret').toString('base64')}`;
const messages = [
  'NTLM', 'NTLM !!!', 'NTLM TlRMTVNTUAA=', 'NTLM TlRMTVNTUAADAAAA', `NTLM ${Buffer.concat([Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1'), Buffer.alloc(60, 0xff)]).toString('base64')}`,
  `Negotiate ${Buffer.alloc(30_0, 0x60).toString('base64')}`, 'Negotiate \xff\xfe', 'NTLM TlRMTVNTUAACAAAA', 'Kerberos x y z',
];

async function malformedLogins(site: Site): Promise<unknown> {
  const seen: unknown[] = [];
  for (const message of messages) {
    const client = await open(site);
    const first = await client.send(head('GET', '/ews/exchange.asmx', `Authorization: ${message}`)).answer();
    // The connection goes on, and so does everybody else.
    const second = await client.send(head('GET', '/ews/exchange.asmx')).answer();
    seen.push([first.status, second.status]);
    client.close();
  }
  const lines = await site.logLines(/exchange.asmx/, messages.length * 2);
  return { seen, lines: [...new Set(lines)], others: (await site.ask('https', head('GET', '/ews/healthcheck.htm', basic), { tls: {} })).status };
}

async function vanishing(site: Site): Promise<unknown> {
  const stays = await openPair(site);
  const goes = await openPair(site);
  await pduEcho(goes.incoming, goes.outgoing, 'once');
  goes.incoming.send('half a P').close();
  const line = await site.logLine(/"RPC_IN/);
  const partner = await goes.outgoing.rest();
  await pduEcho(stays.incoming, stays.outgoing, 'still there');
  stays.incoming.close();
  await stays.outgoing.rest();
  return [line.replace(/c\/c\/\d+\/\d+/, 'c/c/c/c'), partner.ending];
}

async function cutWhilePending(site: Site): Promise<unknown> {
  const wait = (cut: string): string => whole('POST', '/mapi/emsmdb/', 'wait', 'X-RequestType: NotificationWait', ...(cut === '' ? [] : [`X-Sim-Cut: ${cut}`]));
  const other = await open(site);
  other.send(wait(''));
  await other.until(/PROCESSING/);
  const client = await open(site);
  client.send(wait('40'));
  const { bytes, ending } = await client.rest(4000);
  const line = await site.logLine(/"POST \/mapi/);
  // The other one's waiting is not disturbed, and the server is asked again at once.
  const pending = await other.until(/PENDING/);
  const again = await (await open(site)).send(whole('POST', '/mapi/emsmdb/', 'x', 'X-RequestType: PING')).answer('POST');
  other.close();
  return [bytes.match(/PENDING/g)?.length, bytes.endsWith('0\r\n\r\n'), ending, line.replace(/c\/c\/\d+\/\d+/, 'c/c/c/c'), pending.includes('PENDING'), again.status];
}

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
/** What the server answers after the whole head of the request. */
const answers: Readonly<Record<string, readonly string[]>> = {
  silent: [`${chunked}ffff\r\nstart`],
  extension: [`${chunked}5\r\nhello\r\n`, `5;x=${'y'.repeat(200_000)}`],
  size: [`${chunked}5\r\nhello\r\n`, '0'.repeat(100_000)],
  huge: [`${chunked}5\r\nhello\r\n`, 'fffffffffffffffff\r\nx'],
};

const odd = (): Origin => new Origin(async (connection) => {
  await eventually('a head', () => connection.received.includes('\r\n\r\n'), 20_000);
  for (const piece of answers[/\/odd\/(\w+)/.exec(connection.received)?.[1] ?? ''] ?? []) {
    connection.send(piece);
    // The client has seen what came before.
    await eventually('the word', () => connection.received.endsWith('go'));
  }
  await eventually('the end', () => connection.ending !== 'open', 8000);
  connection.close();
}, { tls: { cert: readFileSync(files.certificate), key: readFileSync(files.key) } });

async function endlessAnswers(site: Site): Promise<unknown> {
  const seen: unknown[] = [];
  await Promise.all(Object.keys(answers).map(async (name) => {
    const client = await open(site);
    const start = await client.send(head('POST', `/odd/${name}`, 'Content-Length: 2')).until(/hello|start/);
    const { bytes, ending } = await client.send('go').rest(5000);
    seen.push([name, start.slice(0, 12), bytes.length < 100_000, ending, (await site.logLine(new RegExp(`/odd/${name}`))).replace(/c\/c\/\d+\/\d+/, 'c/c/c/c')]);
  }));
  return seen.sort();
}

const bodies: Readonly<Record<string, string>> = {
  silent: 'ffff\r\nstart', size: '0'.repeat(100_000), extension: `5;x=${'y'.repeat(100_000)}`, huge: 'fffffffffffffffff\r\nx', word: 'zz\r\n',
};

async function endlessRequests(site: Site): Promise<unknown> {
  const seen: unknown[] = [];
  await Promise.all(Object.entries(bodies).map(async ([name, body]) => {
    const client = await open(site);
    client.send(`${head('POST', `/odd/request-${name}`, 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
    await eventually('the first chunk', () => site.origin('odd').connections.some((one) => one.received.includes(`request-${name} `) && one.received.includes('hello')));
    const { bytes, ending } = await client.send(body).rest(5000);
    seen.push([name, bytes.slice(0, 12), ending, (await site.logLine(new RegExp(`/odd/request-${name} `))).replace(/c\/c\/\d+\/\d+/, 'c/c/c/c')]);
  }));
  return seen.sort();
}

comparison('an Exchange site that misbehaves', {
  configuration, values: mailCertificate,
  origins: () => ({ ex1: twoServers({ accounts: { passwords, domain: 'lab.local' } })().ex1, open1: twoServers({ scale: 60 })().ex1, odd: odd() }),
}, (situation) => {
  situation('malformed NTLM and Negotiate messages', malformedLogins, { shows: ['401', '----'] });
  situation('a client vanishes in the middle of RPC_IN_DATA', vanishing, { shows: 'CD--' });
  situation('a server resets while MAPI is PENDING', cutWhilePending, { shows: ['SD--', '200'] });
  situation('answers with chunks that never end', endlessAnswers, { shows: ['sD--', 'SD--'] });
  situation('requests with chunks that never end', endlessRequests, { shows: ['sH--', '400'] });
  situation('counters of all that', counters, { shows: ['srv_abrt 1', 'ereq 4'] });
});

const health = `defaults
    mode http
    log global
    option httplog
    timeout connect 3s
    timeout client 5s
    timeout server 5s
    timeout check 3s
frontend fe
    bind {https} ssl crt {crt}
    default_backend words
backend words
    option httpchk GET /owa/healthcheck.htm
    http-check expect string "200 OK"
    server ex1 {a} check inter 100ms fall 2
backend status
    option httpchk GET /owa/healthcheck.htm
    http-check expect status 200
    server ex1 {a} check inter 100ms fall 2
`;

comparison('a healthcheck with an empty body', {
  configuration: health, values: mailCertificate,
  origins: () => ({ a: new Origin(async (connection) => {
    await connection.until(/\r\n\r\n/);
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n').end();
  }) }),
}, (situation) => {
  situation('is a failure where words are expected, and only there', async (site) => {
    await eventually('the end', () => site.log.lines.some((line) => line.includes('is DOWN')));
    const refused = (await site.ask('https', head('GET', '/owa/'), { tls: {} })).status;
    // A check that is under way shows no code.
    const servers = async (): Promise<Readonly<Record<string, string>>[]> => readStatistics(await site.command('show stat')).rows.filter((row) => row['svname'] === 'ex1');
    let seen = await servers();
    await eventually('a check of the other backend', async () => { seen = await servers(); return seen.some((row) => row['check_status'] === 'L7OK'); });
    const rows = seen.map((row) => ['pxname', 'status', 'check_status', 'check_code', 'chkdown'].map((name) => row[name]?.replace('* ', '')));
    return [refused, rows, (await site.logLines(/is DOWN/)).map((line) => line.replace(/check duration: \d+ms/, 'check duration: n'))];
  }, { shows: ['503', 'L7RSP', 'UP'] });
});
