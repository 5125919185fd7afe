/**
 * Servers of the simulated Exchange site as origins of a test site, and the configuration of the layer 7 article with the test
 * site's addresses in place of its own. Used by test/system/exchange.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from '../../src/exchange-sim/authentication.ts';
import { ScaledClock } from '../../src/exchange-sim/clock.ts';
import { ExchangeServer } from '../../src/exchange-sim/server.ts';
import { certificate } from './certificates.ts';
import { Origin } from './origin.ts';
import { projectFolder } from './program.ts';

export interface ExchangeOptions {
  /** Simulated seconds in a real one. */
  readonly scale?: number;
  readonly accounts?: Accounts;
}

export class ExchangeOrigin extends Origin {
  exchange: ExchangeServer | null = null;
  /** Lines of its log. */
  readonly lines: string[] = [];
  private readonly name: string;
  private readonly settings: ExchangeOptions;

  constructor(name: string, settings: ExchangeOptions = {}) {
    super(() => {});
    this.name = name;
    this.settings = settings;
  }

  override listen(host: string, port: number): Promise<void> {
    const files = certificate(['mail.lab.local', 'autodiscover.lab.local']);
    const { scale = 1, accounts } = this.settings;
    this.exchange = new ExchangeServer({
      name: this.name, fqdn: `${this.name}.lab.local`, host, port, certPem: readFileSync(files.certificate, 'latin1'), keyPem: readFileSync(files.key, 'latin1'),
      clock: new ScaledClock(scale), log: (line) => { this.lines.push(line); }, ...(accounts === undefined ? {} : { accounts }),
    });
    return this.exchange.listen();
  }

  override async close(): Promise<void> {
    await this.exchange?.close();
    this.exchange = null;
  }

  override forget(): void {
    super.forget();
    this.lines.length = 0;
  }
}

/** Two servers, called as examples/exchange-l7.cfg and layerSeven() call them. */
export const twoServers = (settings: ExchangeOptions = {}) => () => ({ ex1: new ExchangeOrigin('LAB-EX01', settings), ex2: new ExchangeOrigin('LAB-EX02', settings) });

/** What layerSeven() names {crt}. */
export const mailCertificate = (): Record<string, string> => ({ crt: certificate(['mail.lab.local', 'autodiscover.lab.local']).both });

/** examples/exchange-l7.cfg with {plain}, {https} and {stats} as its binds, {ex1} and {ex2} as its servers. */
export function layerSeven(): string {
  const places: readonly (readonly [string, string])[] = [
    ['127.0.0.1:5140', '{log}'], ['"${RUN_DIR}/admin.sock"', '{admin}'], ['127.0.0.10:8080', '{plain}'], ['127.0.0.10:8443', '{https}'],
    ['127.0.0.10:8404', '{stats}'], ['"${CRT}"', '{crt}'], ['127.0.0.21:8443', '{ex1}'], ['127.0.0.22:8443', '{ex2}'],
  ];
  let text = readFileSync(join(projectFolder, 'examples/exchange-l7.cfg'), 'utf8');
  for (const [from, to] of places) {
    if (!text.includes(from)) throw new Error(`examples/exchange-l7.cfg has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}
