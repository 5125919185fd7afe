/**
 * `poise-exchange-sim`: the process of the simulated Exchange site, so that it does not disturb the balancer it is measured
 * behind. `poise exchange-sim`, called by cli/main.ts for
 * bin/poise-exchange-sim and cli/demo.ts.
 *
 * Prints one JSON line `{"control":PORT,"ports":[…],"redirect":[…],"mail":[{"smtp":PORT,…},…]}` (a place per server) when it listens, or one line on stderr and exit code 1 when it cannot.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { help, readCommandLine } from './command-line.ts';
import type { SiteWish } from './command-line.ts';
import { fileFault, sentence } from './faults.ts';
import { mailProtocols } from './mail/mail-server.ts';
import type { MailPorts, MailServer } from './mail/mail-server.ts';
import { ExchangeSite } from './site.ts';
import { logHead } from './w3c-log.ts';

let logFile = '';

function log(line: string): void {
  if (logFile === '-') process.stdout.write(`${line}\n`);
  else if (logFile !== '') appendFileSync(logFile, `${line}\n`);
}

function beginLog(): void {
  try {
    if (logFile === '-') process.stdout.write(logHead);
    else if (logFile !== '') writeFileSync(logFile, logHead);
  } catch (error) {
    throw fileFault(`--log ${logFile}`, error);
  }
}

/** Ports of the mail protocols that are on. */
function portsOf(mail: MailServer): MailPorts {
  return Object.fromEntries(mailProtocols.map((protocol) => [protocol, mail.portOf(protocol)] as const).filter(([, port]) => port > 0));
}

async function sendOrder(wish: SiteWish): Promise<void> {
  const [server, component, requester, state] = wish.order;
  const place = `${wish.control.host}:${wish.control.port}`;
  const answer = await fetch(`http://${place}/components`, { method: 'POST', body: JSON.stringify({ server, component, requester, state }) }).catch(() => {
    throw new Error(`no site answers on ${place}; --control says where it does`);
  });
  const told = await answer.text();
  if (!answer.ok) throw new Error(told.trim());
  process.stdout.write(told);
}

/** False: there is nothing to wait for. */
async function run(words: readonly string[]): Promise<boolean> {
  const wish = readCommandLine(words, log);
  if (wish.help) {
    process.stdout.write(help);
    return false;
  }
  if (wish.order.length > 0) {
    await sendOrder(wish);
    return false;
  }
  logFile = wish.logFile;
  beginLog();
  const site = new ExchangeSite(wish.servers);
  const controlPort = await site.listen(wish.control.host, wish.control.port);
  process.stdout.write(`${JSON.stringify({ control: controlPort, ports: site.servers.map((server) => server.port), redirect: site.servers.map((server) => server.redirectPort), mail: site.mail.map(portsOf) })}\n`);
  // Never outlives its parent, and leaves the terminal's Ctrl+C to it.
  if (!wish.attached) return true;
  process.stdin.on('end', () => process.exit(0)).resume();
  process.on('SIGINT', () => {});
  return true;
}

/** Gives the exit code; a site that runs ends by a signal. */
export async function exchangeSim(words: readonly string[]): Promise<number> {
  try {
    return await run(words) ? await new Promise<number>(() => {}) : 0;
  } catch (error) {
    process.stderr.write(`poise-exchange-sim: ${sentence(error)}\n`);
    return 1;
  }
}
