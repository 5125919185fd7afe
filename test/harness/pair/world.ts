/**
 * The program in the world's namespace: two HTTP servers behind the balancers, a mail sink, and a client that asks the virtual address
 * steadily, each request on a connection of its own. Hears commands as JSON lines on stdin and tells as JSON lines on stdout what
 * came. Started by test/harness/pair/outside.ts.
 */
import { createServer, request } from 'node:http';
import { createInterface } from 'node:readline';
import { SMTPServer } from 'smtp-server';
import { readMail } from '../mail-sink.ts';
import { nextAdvert } from './adverts.ts';
import { type PingRecord, Pings } from './pings.ts';

export interface LoadReport {
  readonly kind: 'load';
  readonly sent: number;
  readonly answered: number;
  /** Not answered with 200 within the client's patience. */
  readonly lost: number;
  /** Still open when the report was made. */
  readonly open: number;
  /** Longest time without an answer. */
  readonly longestGapMs: number;
  /** Answers by the node that passed them on. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Why requests were lost: how many. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly pings: { readonly sent: number; readonly lost: number };
}

/** When it went and ended (epoch, ms), which node passed the answer on ('': lost), and why it was lost. */
export type RequestRecord = readonly [sentMs: number, endedMs: number, node: string, why: string];
/** Everything since the load began. */
export interface RecordsReport { readonly kind: 'records'; readonly requests: readonly RequestRecord[]; readonly pings: readonly PingRecord[] }

export interface LetterReport { readonly kind: 'letter'; readonly subject: string; readonly to: string; readonly text: string }
export type WorldReport = { readonly kind: 'ready' } | { readonly kind: 'advert' } | LoadReport | LetterReport | RecordsReport;

export type WorldCommand =
  /** `keep`: each request and ping is kept until `records` asks for them. */
  | { readonly kind: 'load'; readonly host: string; readonly perSecond: number; readonly patienceMs: number; readonly pingsPerSecond: number; readonly keep: boolean }
  /** Numbers since the last report; the load goes on. */
  | { readonly kind: 'report' }
  | { readonly kind: 'records' }
  /** Answered when the first host's next advert has come. */
  | { readonly kind: 'next advert' }
  | { readonly kind: 'end load' };

const servers = ['10.77.0.21', '10.77.0.22'] as const;
const mailPort = 25;
const [firstHost, world] = [[10, 77, 0, 11], [10, 77, 0, 1]] as const;

function tell(report: WorldReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

class Load {
  readonly #host: string;
  readonly #patienceMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #pings: Pings | undefined;
  #counts = { sent: 0, answered: 0, lost: 0 };
  #open = 0;
  #lastAnswerMs = performance.now();
  #longestGapMs = 0;
  #nodes: Record<string, number> = {};
  #reasons: Record<string, number> = {};
  readonly #requests: RequestRecord[] | undefined;
  readonly #pingRecords: PingRecord[] | undefined;

  constructor({ host, perSecond, patienceMs, pingsPerSecond, keep }: Extract<WorldCommand, { kind: 'load' }>) {
    this.#host = host;
    this.#patienceMs = patienceMs;
    if (keep) [this.#requests, this.#pingRecords] = [[], []];
    this.#pings = pingsPerSecond === 0 ? undefined : new Pings(host, pingsPerSecond, this.#pingRecords);
    const startMs = performance.now();
    let due = 0;
    // The pace is kept over the whole time, however late a timer comes.
    this.#timer = setInterval(() => {
      for (; due < (performance.now() - startMs) * perSecond / 1000; due += 1) this.#ask();
    }, 1000 / perSecond);
  }

  #ask(): void {
    this.#counts.sent += 1;
    this.#open += 1;
    const sentMs = Date.now();
    let ended = false;
    const end = (why: string, node = ''): void => {
      if (ended) return;
      ended = true;
      this.#requests?.push([sentMs, Date.now(), node, why]);
      clearTimeout(timer);
      this.#open -= 1;
      if (why === '') this.#answered(node);
      else {
        this.#counts.lost += 1;
        this.#reasons[why] = (this.#reasons[why] ?? 0) + 1;
      }
    };
    const asked = request({ host: this.#host, port: 80, path: '/', agent: false, headers: { connection: 'close' } }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) end('', String(response.headers['x-node'] ?? ''));
        else end(`status ${response.statusCode ?? 0}`);
      });
      response.on('error', (error) => { end(error.message); });
    });
    const timer = setTimeout(() => { end(`no answer within ${this.#patienceMs} ms`); asked.destroy(); }, this.#patienceMs);
    asked.on('error', (error: NodeJS.ErrnoException) => { end(error.code ?? error.message); });
    asked.end();
  }

  #answered(node: string): void {
    this.#counts.answered += 1;
    this.#nodes[node] = (this.#nodes[node] ?? 0) + 1;
    this.#longestGapMs = Math.max(this.#longestGapMs, performance.now() - this.#lastAnswerMs);
    this.#lastAnswerMs = performance.now();
  }

  report(): LoadReport {
    const longestGapMs = Math.round(Math.max(this.#longestGapMs, performance.now() - this.#lastAnswerMs));
    const report: LoadReport = { kind: 'load', ...this.#counts, open: this.#open, longestGapMs, nodes: this.#nodes, reasons: this.#reasons, pings: this.#pings?.report() ?? { sent: 0, lost: 0 } };
    this.#counts = { sent: 0, answered: 0, lost: 0 };
    this.#longestGapMs = 0;
    this.#nodes = {};
    this.#reasons = {};
    return report;
  }

  records(): RecordsReport { return { kind: 'records', requests: this.#requests ?? [], pings: this.#pingRecords ?? [] }; }

  end(): void {
    clearInterval(this.#timer);
    this.#pings?.end();
  }
}

function listen(): Promise<unknown> {
  const web = servers.map((address) => new Promise((resolve) => {
    createServer((_request, response) => { response.end(`${address}\n`); }).listen(80, address, () => { resolve(undefined); });
  }));
  const sink = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'], disableReverseLookup: true,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => { chunks.push(chunk); });
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map((one) => one.address);
        const { subject, body } = readMail(Buffer.concat(chunks).toString('latin1'), { hello: '', from: '', to });
        tell({ kind: 'letter', subject, to: to.join(' '), text: body });
        done();
      });
    },
  });
  sink.on('error', () => { /* a client that leaves early */ });
  return Promise.all([...web, new Promise((resolve) => { sink.listen(mailPort, '10.77.0.9', () => { resolve(undefined); }); })]);
}

await listen();
let load: Load | undefined;
createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line) as WorldCommand;
  if (command.kind === 'report') {
    if (load !== undefined) tell(load.report());
    return;
  }
  if (command.kind === 'records') {
    if (load !== undefined) tell(load.records());
    return;
  }
  if (command.kind === 'next advert') {
    nextAdvert(firstHost, world, () => { tell({ kind: 'advert' }); });
    return;
  }
  load?.end();
  load = command.kind === 'load' ? new Load(command) : undefined;
}).on('close', () => { process.exit(0); });
tell({ kind: 'ready' });
