/**
 * `poise-exchange-sim`: the process of the simulated Exchange site, so that it does not disturb the balancer it is measured
 * behind. Started by bin/poise-exchange-sim, by cli/demo.ts and by system tests.
 *
 * Prints one JSON line `{"control":PORT,"ports":[…],"redirect":[…],"mail":[{"smtp":PORT,…},…]}` (a place per server) when it listens, or one line on stderr and exit code 1 when it cannot.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { help, readCommandLine } from './command-line.ts';
import type { SiteWish } from './command-line.ts';
import { mailProtocols } from './mail/mail-server.ts';
import type { MailPorts, MailServer } from './mail/mail-server.ts';
import { ExchangeSite } from './site.ts';
import { logHead } from './w3c-log.ts';

let logFile = '';

function log(line: string): void {
  if (logFile === '-') process.stdout.write(`${line}\n`);
  else if (logFile !== '') appendFileSync(logFile, `${line}\n`);
}

/** Ports of the mail protocols that are on. */
function portsOf(mail: MailServer): MailPorts {
  return Object.fromEntries(mailProtocols.map((protocol) => [protocol, mail.portOf(protocol)] as const).filter(([, port]) => port > 0));
}

async function sendOrder(wish: SiteWish): Promise<void> {
  const [server, component, requester, state] = wish.order;
  const answer = await fetch(`http://${wish.control.host}:${wish.control.port}/components`, { method: 'POST', body: JSON.stringify({ server, component, requester, state }) });
  const told = await answer.text();
  if (!answer.ok) throw new Error(told.trim());
  process.stdout.write(told);
}

async function run(): Promise<void> {
  const wish = readCommandLine(process.argv.slice(2), log);
  if (wish.help) {
    process.stdout.write(help);
    return;
  }
  if (wish.order.length > 0) {
    await sendOrder(wish);
    return;
  }
  logFile = wish.logFile;
  if (logFile === '-') process.stdout.write(logHead);
  else if (logFile !== '') writeFileSync(logFile, logHead);
  const site = new ExchangeSite(wish.servers);
  const controlPort = await site.listen(wish.control.host, wish.control.port);
  process.stdout.write(`${JSON.stringify({ control: controlPort, ports: site.servers.map((server) => server.port), redirect: site.servers.map((server) => server.redirectPort), mail: site.mail.map(portsOf) })}\n`);
  // Never outlives its parent, and leaves the terminal's Ctrl+C to it.
  if (!wish.attached) return;
  process.stdin.on('end', () => process.exit(0)).resume();
  process.on('SIGINT', () => {});
}

run().catch((error: unknown) => {
  process.stderr.write(`poise-exchange-sim: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
