/**
 * `poise logs`: filters and counts the log lines of Poise and HAProxy, out of files, gzip files, standard input or a growing file. Called by
 * main.ts. Memory stays the same for files of any size. Exit codes: 0 = read, 1 = a file could not be read, or the command line is wrong.
 */
import { GrowingFile, LineCutter, readFile, readInput } from './lines.ts';
import { LogLine } from './log-line.ts';
import { readLogsWords, type LogsOrder } from './order.ts';
import { CountTable, PercentileTable } from './tables.ts';
import { logsUsage } from './usage.ts';

/** Writes and waits for whoever reads slowly. False: nobody reads any more. */
type Write = (text: string) => Promise<boolean>;

class LogRun {
  /** By kind, all lines. */
  private readonly kinds = { http: 0, tcp: 0, why: 0, other: 0, broken: 0 };
  private readonly order: LogsOrder;
  private readonly write: Write;
  private readonly line = new LogLine();
  private readonly table: CountTable | null;
  private readonly percentiles: PercentileTable | null;
  /** Lines of log-why are what is counted. */
  private readonly countsWhy: boolean;
  private readonly prints: boolean;
  private selected = 0;

  constructor(order: LogsOrder, write: Write) {
    this.order = order;
    this.write = write;
    this.table = order.countBy.length > 0 ? new CountTable(order.countBy) : null;
    this.percentiles = order.percentiles.length > 0 ? new PercentileTable(order.percentiles) : null;
    this.countsWhy = order.countBy.includes('why');
    this.prints = this.table === null && this.percentiles === null && !order.count;
  }

  async take(lines: readonly string[]): Promise<boolean> {
    let out = '';
    for (const text of lines) if (this.takeLine(text.endsWith('\r') ? text.slice(0, -1) : text) && this.prints) out += `${text}\n`;
    return out === '' || this.write(out);
  }

  /** True: it is one of those that are wanted. */
  private takeLine(text: string): boolean {
    if (text === '') return false;
    const { line, kinds, percentiles, table } = this;
    const kind = line.read(text);
    kinds[kind] += 1;
    if (kind === 'other' || kind === 'broken' || !this.order.selection.takes(line)) return false;
    if ((kind === 'why') !== this.countsWhy) return kind === 'why';
    this.selected += 1;
    table?.add(line);
    if (kind !== 'why') percentiles?.add(line);
    return true;
  }

  result(): string {
    const { order, table, percentiles } = this;
    if (this.prints) return '';
    if (order.json) {
      return `${JSON.stringify({
        lines: this.kinds, selected: this.selected, ...(table === null ? {} : { counts: table.json(order.top) }), ...(percentiles === null ? {} : { percentiles: percentiles.json() }),
      }, null, 2)}\n`;
    }
    return [order.count ? `${this.selected}\n` : '', table?.text(order.top) ?? '', percentiles?.text() ?? ''].filter((part) => part !== '').join('\n');
  }

  /** What was read, for standard error; '' when it says nothing new. */
  summary(tooLong: number): string {
    const { http, tcp, why, other, broken } = this.kinds;
    const bad = broken + tooLong;
    if (this.order.json || (this.prints && bad === 0)) return '';
    return `poise logs: ${http + tcp + why + other + bad} lines: ${http} requests, ${tcp} streams, ${why} causes, ${other} of another kind, ${bad} that cannot be read; ${this.selected} selected`;
  }
}

function writeOut(text: string): Promise<boolean> {
  const { stdout } = process;
  if (stdout.destroyed || !stdout.writable) return Promise.resolve(false);
  return new Promise((resolve) => { stdout.write(Buffer.from(text, 'latin1'), (error) => { resolve(error === null || error === undefined); }); });
}

function systemWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function readAll(order: LogsOrder, run: LogRun, cutter: LineCutter): Promise<number> {
  const take = (lines: readonly string[]): Promise<boolean> => run.take(lines);
  let code = 0;
  for (const file of order.files) {
    try {
      const wantsMore = file === '-' ? await readInput(cutter, take) : await readFile(file, cutter, take);
      if (!wantsMore) break;
    } catch (error) {
      console.error(`poise logs: ${file}: ${systemWords(error)}`);
      code = 1;
    }
  }
  return code;
}

async function follow(order: LogsOrder, run: LogRun, cutter: LineCutter): Promise<number> {
  const [file = ''] = order.files;
  const growing = new GrowingFile(file, cutter, (lines) => run.take(lines));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => growing.stop());
  try {
    await growing.follow(order.fromStart);
    return 0;
  } catch (error) {
    console.error(`poise logs: ${file}: ${systemWords(error)}`);
    return 1;
  }
}

export async function logs(words: readonly string[]): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    console.log(logsUsage);
    return 0;
  }
  const order = readLogsWords(words, Date.now());
  if ('faults' in order) {
    for (const fault of order.faults) console.error(`poise logs: ${fault}`);
    console.error("'poise logs --help' tells the options");
    return 1;
  }
  // `poise logs | head`: who reads has had enough.
  process.stdout.on('error', () => undefined);
  const cutter = new LineCutter();
  const run = new LogRun(order, writeOut);
  const code = order.follow ? await follow(order, run, cutter) : await readAll(order, run, cutter);
  await writeOut(run.result());
  const summary = run.summary(cutter.tooLong);
  if (summary !== '') console.error(summary);
  return code;
}
