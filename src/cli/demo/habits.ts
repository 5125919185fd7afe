/**
 * The fifth step of `poise demo --once`: what Exchange's clients do that makes balancers stumble. Logins that belong to a connection,
 * requests of a gigabyte that stay half open, waits of minutes, mail. Called by replay.ts when site and balancer run.
 */
import { Conversation } from './conversation.ts';
import { RpcPair } from './rpc-pair.ts';
import { addressOfMail, type Surroundings } from './surroundings.ts';
import { WebClient } from './web-client.ts';

/** Simulated seconds in a real one. */
const timeScale = 120;
const password = 'secret';
const users = ['alice', 'bob', 'carol'] as const;

/** The simulated servers as they are in production: everybody logs in, and Extended Protection is on. */
export const strictServers: readonly string[] = ['--extended-protection', 'directories', '--submission', String(addressOfMail.port), '--time-scale', String(timeScale)];

/** A section for the mail of phones and programs, as `poise init exchange --smtp` writes it. */
export const mailSection = `
listen exchange_submission
    bind ${addressOfMail.host}:${addressOfMail.port}
    mode tcp
    option tcplog
    option tcp-check
    tcp-check expect rstring ^220
    tcp-check send "EHLO mail.lab.local\\r\\n"
    tcp-check expect string "250 "
    server lab-ex01 127.0.0.21:${addressOfMail.port} check inter 2s
    server lab-ex02 127.0.0.22:${addressOfMail.port} check inter 2s
`;

const windowsPaths = ['/EWS/Services.wsdl', '/mapi/emsmdb/', '/OAB/oab.xml', '/rpc/rpcproxy.dll'] as const;
const loginRounds = 6;
const echoes = 50;
const heartbeatSeconds = 600;
const waitSeconds = 300;
/** HeartbeatInterval in the WBXML of a Ping. */
const pingBody = `\x03\x01\x6a\x00\x00\x0d\x45\x48\x03${heartbeatSeconds}\x00\x01\x01`;

const simulatedSeconds = (sinceMs: number): number => ((performance.now() - sinceMs) / 1000) * timeScale;

/** Everybody at once, each on one connection, from service to service. */
async function logins(site: Surroundings): Promise<string> {
  const clients = await Promise.all(users.map((user) => WebClient.connect(site.target, { user, password })));
  for (let round = 0; round < loginRounds; round += 1) {
    for (const path of windowsPaths) {
      const answers = await Promise.all(clients.map((client) => client.askLoggedIn('GET', path)));
      const refused = answers.find(({ status }) => status !== 200);
      if (refused !== undefined) throw new Error(`${path} was answered with ${refused.status}`);
    }
  }
  for (const { conversation } of clients) conversation.close();
  const often = clients.find((client) => client.logins !== windowsPaths.length);
  if (often !== undefined) throw new Error(`${often.account.user} had to log in ${often.logins} times`);
  return `${users.length} users at once, ${loginRounds * windowsPaths.length} requests each on one connection through ${windowsPaths.length} services, one login for each service`;
}

async function echoTimes(pair: RpcPair): Promise<string> {
  const times: number[] = [];
  for (let at = 0; at < echoes; at += 1) times.push(await pair.echo(`PDU ${at}`));
  const median = times.toSorted((a, b) => a - b)[echoes / 2] ?? 0;
  return `two requests of a gigabyte stay half open; ${echoes} PDUs go in on one and come back on the other, half of them within ${median.toFixed(1)} ms`;
}

async function mapiWait(site: Surroundings): Promise<string> {
  const client = await WebClient.connect(site.target, { user: 'alice', password });
  const { conversation } = client;
  const uri = '/mapi/emsmdb/?MailboxId=0f8fad5b-d9cb-469f-a165-70867728950e@lab.local';
  const proof = await client.proof('POST', uri);
  const began = performance.now();
  conversation.send(`${client.head('POST', uri, [proof, 'Content-Type: application/mapi-http', 'X-RequestType: NotificationWait', 'Content-Length: 4'])}wait`);
  await conversation.until(/\r\nPROCESSING\r\n/);
  const atOnce = simulatedSeconds(began) < waitSeconds / 2;
  let pending = 0;
  while ((await conversation.until(/PENDING\r\n|DONE\r\n/)).includes('PENDING')) pending += 1;
  const held = simulatedSeconds(began);
  conversation.close();
  if (!atOnce || held < waitSeconds) throw new Error(`PROCESSING ${atOnce ? 'at once' : 'late'}, DONE after ${Math.round(held)} s`);
  return `a NotificationWait says PROCESSING at once, PENDING ${pending} times, DONE after ${Math.round(held / 60)} minutes`;
}

async function ping(site: Surroundings): Promise<string> {
  const client = await WebClient.connect(site.target, { user: 'bob', password });
  const began = performance.now();
  const { status } = await client.ask('POST', '/Microsoft-Server-ActiveSync?Cmd=Ping&User=bob&DeviceId=WP8&DeviceType=WP', [client.basic(), 'Content-Type: application/vnd.ms-sync.wbxml'], pingBody);
  const held = simulatedSeconds(began);
  client.conversation.close();
  if (status !== 200 || held < heartbeatSeconds) throw new Error(`${status} after ${Math.round(held)} s`);
  return `a phone's Ping is held for ${Math.round(held / 60)} minutes without a byte, then answered with 200`;
}

async function mail(site: Surroundings): Promise<string> {
  const conversation = await Conversation.plain({ ...site.target, port: addressOfMail.port });
  const reply = async (line: string, code: string): Promise<string> => {
    if (line !== '') conversation.send(`${line}\r\n`);
    const told = (await conversation.until(/^\d{3} [^\r\n]*\r\n/m)).trim();
    if (!told.includes(`${code} `)) throw new Error(`${line.split(' ')[0] ?? ''} was answered with ${told}`);
    return told;
  };
  await reply('', '220');
  await reply('EHLO phone.lab.local', '250');
  await reply('STARTTLS', '220');
  await conversation.startTls();
  await reply('EHLO phone.lab.local', '250');
  await reply(`AUTH PLAIN ${Buffer.from(`\0alice\0${password}`).toString('base64')}`, '235');
  await reply('MAIL FROM:<alice@lab.local>', '250');
  await reply('RCPT TO:<bob@lab.local>', '250');
  await reply('DATA', '354');
  const queued = await reply('From: alice@lab.local\r\nTo: bob@lab.local\r\nSubject: demo\r\n\r\nHello.\r\n.', '250');
  await reply('QUIT', '221');
  return `STARTTLS, login, a letter: ${queued}`;
}

async function faults(site: Surroundings): Promise<number> {
  const response = await fetch(site.control, { signal: AbortSignal.timeout(5000) });
  const servers = await response.json() as readonly { readonly faults: number }[];
  return servers.reduce((sum, server) => sum + server.faults, 0);
}

/** Of a log line: backend and server, milliseconds, status, how it ended, what was asked. Null for lines of short requests. */
function told(line: string): readonly string[] | null {
  const web = / fe_ex2013~ (\S+) [\d/+-]+\/\+?(\d+) (-?\d+) \S+ \S+ \S+ (\S{4}) .*"(\S+ [^" ]*)/.exec(line);
  if (web !== null) return Number(web[2]) < 1000 ? null : web.slice(1);
  const tcp = / exchange_submission (\S+) [\d/+-]+\/\+?(\d+) \S+ (\S{2}) /.exec(line);
  return tcp === null ? null : [tcp[1] ?? '', tcp[2] ?? '', '', tcp[3] ?? '', 'mail'];
}

function printLog(log: readonly string[]): void {
  console.log('    In the log (backend and server, seconds, status, how it ended, request):');
  for (const [place = '', ms = '', status = '', end = '', request = ''] of log.map(told).filter((one) => one !== null)) {
    console.log(`    ${place.padEnd(30)} ${(Number(ms) / 1000).toFixed(1).padStart(5)}  ${status.padStart(3)}  ${end.padEnd(4)}  ${request.length > 45 ? `${request.slice(0, 44)}…` : request}`);
  }
  console.log('    CD and SD are what Outlook leaves behind when it is closed: the client hangs up, and the server ends the other half of the pair.');
}

export async function showHabits(site: Surroundings, seen: (what: string, observed: boolean, instead?: string) => void): Promise<void> {
  const show = (habit: string, result: Promise<string>): Promise<void> =>
    result.then((what) => seen(`${habit}: ${what}`, true), (error: unknown) => seen(habit, false, error instanceof Error ? error.message : String(error)));
  const opening = RpcPair.open(site.target, 'carol', password);
  await show('RPC over HTTP', opening.then(echoTimes));
  const silentSince = performance.now();
  const waiting = [show('NTLM', logins(site)), show('SMTP', mail(site)), show('MAPI over HTTP', mapiWait(site)), show('ActiveSync', ping(site))];
  await Promise.all(waiting);
  await show('RPC over HTTP', opening.then(async (pair) => {
    await pair.echo('after a while');
    pair.close();
    return `the pair goes on after ${Math.round(simulatedSeconds(silentSince) / 60)} minutes of silence`;
  }));
  const mixed = await faults(site);
  seen('no server took a connection for one of another user', mixed === 0, `${mixed} times`);
  // Mail, the wait, the ping, both channels.
  printLog(await site.logged((line) => told(line) !== null, 5));
}
