/**
 * Process of the simulated Exchange site, so that it does not disturb the balancer it is measured behind. Started by
 * cli/demo.ts and by system tests:
 *
 *   main.ts --certificate PEM --control HOST:PORT --server NAME=HOST:PORT …
 *
 * Prints one JSON line `{"control":PORT,"ports":[…]}` when it listens, or one line on stderr and exit code 1 when it cannot.
 * Ends when its stdin closes, so that it never outlives its parent.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ExchangeSite } from './site.ts';

function hostPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: { certificate: { type: 'string' }, control: { type: 'string', default: '127.0.0.1:0' }, server: { type: 'string', multiple: true, default: [] } },
  });
  const pem = readFileSync(values.certificate ?? '', 'latin1');
  const site = new ExchangeSite(values.server.map((text) => {
    const equal = text.indexOf('=');
    const name = text.slice(0, equal);
    return { name, fqdn: `${name}.lab.local`, ...hostPort(text.slice(equal + 1)), certPem: pem, keyPem: pem };
  }));
  const control = hostPort(values.control);
  const controlPort = await site.listen(control.host, control.port);
  process.stdout.write(`${JSON.stringify({ control: controlPort, ports: site.servers.map((server) => server.port) })}\n`);
}

process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGINT', () => {});
run().catch((error: unknown) => {
  process.stderr.write(`simulated Exchange site: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
