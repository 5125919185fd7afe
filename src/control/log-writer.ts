/**
 * Writes log lines to the targets of a proxy or of the global section: level filter, sampling, syslog header, length limit.
 * Made by process/balancer.ts in the control thread; gets the lines of the traffic threads (`log` messages) and the events of
 * the control plane. Never blocks and never throws; lines that a target does not take are dropped and counted.
 */
import type { LogTarget, Model } from '../model/model.ts';
import type { LogRing } from '../shared/log-ring.ts';
import { SyslogTime, messageExtraBytes, syslogHead, writeMessage } from '../wire/syslog.ts';
import type { SyslogFormat, SyslogOrigin } from '../wire/syslog.ts';
import { openSink, sinkKey } from './log-sink.ts';
import type { LogSink } from './log-sink.ts';

interface LogWriterOptions {
  readonly pid: number;
  /** The system's host name, used by `log-send-hostname` without a name. */
  readonly hostname: string;
  /** Date.now(), with fractions where the clock has them. */
  readonly nowMs: () => number;
  readonly dropped: (lines: number) => void;
  /** Said once per target that cannot be opened. */
  readonly warn: (message: string) => void;
}

/** One `log` line in force for one proxy. HAProxy counts samples per proxy too, also behind `log global`. */
interface Output {
  readonly target: LogTarget;
  readonly sink: LogSink;
  readonly format: SyslogFormat;
  readonly origin: SyslogOrigin;
  sampleIndex: number;
  /** What stands before lines of one level at one time. */
  head: Buffer;
  headLevel: number;
  headAtMs: number;
}

const noBytes = Buffer.alloc(0);
/** Lines of the control thread itself, whose messages are long at times. */
const ownBytes = 65536;

export class LogWriter {
  private readonly options: LogWriterOptions;
  private readonly time = new SyslogTime();
  private readonly own = Buffer.alloc(ownBytes);
  /** Time of the lines that are being written. */
  private nowMs = 0;
  private readonly sinks = new Map<string, LogSink>();
  /** By proxy slot + 1 (shared/slots.ts); 0 is the global section. */
  private outputs: readonly (readonly Output[] | undefined)[] = [];

  constructor(options: LogWriterOptions) {
    this.options = options;
  }

  /**
   * Opens the targets of a configuration; `slots` of its proxies. Lines written before are lost. After a reload: proxies that are no longer
   * configured keep their targets as long as somebody still uses them.
   */
  async open(model: Model, slots: readonly number[]): Promise<void> {
    const { global } = model;
    const hostname = global.logSendHostname ?? this.options.hostname;
    // Existing syslog rules sort by this program name, so it stays HAProxy's unless log-tag says otherwise.
    const globalTag = global.logTag === '' ? 'haproxy' : global.logTag;
    const rows = [global, ...model.proxies].map(({ logTargets, logTag }) => ({ targets: logTargets, tag: logTag === '' ? globalTag : logTag }));
    const outputs = [...this.outputs];
    for (const [number, row] of rows.entries()) {
      const list: Output[] = [];
      for (const target of row.targets) {
        const sink = await this.sink(target.address);
        const format = target.format !== 'unset' ? target.format : hostname === '' ? 'local' : 'rfc3164';
        if (sink !== undefined) list.push({ target, sink, format, origin: { hostname, tag: row.tag, pid: this.options.pid }, sampleIndex: 0, head: noBytes, headLevel: -1, headAtMs: -1 });
      }
      outputs[number === 0 ? 0 : (slots[number - 1] ?? -1) + 1] = list;
    }
    this.outputs = outputs;
  }

  private async sink(address: LogTarget['address']): Promise<LogSink | undefined> {
    const key = sinkKey(address);
    const known = this.sinks.get(key);
    if (known !== undefined) return known;
    try {
      const sink = await openSink(address);
      if (sink !== undefined) this.sinks.set(key, sink);
      return sink;
    } catch (error) {
      this.options.warn(`cannot open log target ${key}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  /** All lines that wait in a traffic thread's ring. */
  take(ring: LogRing): void {
    this.nowMs = this.options.nowMs();
    ring.takeAll(this.record);
    this.flush();
  }

  /** Lines of the control thread, separated by '\n', all of one proxy (slot; −1: global section) and level. */
  write(proxy: number, level: number, lines: string): void {
    this.nowMs = this.options.nowMs();
    for (const line of lines.split('\n')) {
      const length = this.own.write(line, 0, 'latin1');
      this.record(proxy, level, this.own, 0, length, 0);
    }
    this.flush();
  }

  /** One line to every target that wants it. Bound once: called for each record of a ring. */
  private readonly record = (proxy: number, level: number, bytes: Buffer, at: number, line: number, sd: number): void => {
    const outputs = this.outputs[proxy + 1];
    if (outputs === undefined || line === 0) return;
    for (const output of outputs) {
      const { target, sink, format } = output;
      if (level > target.levelMax || !sampled(output)) continue;
      const head = this.headOf(output, level);
      const room = sink.room(Math.min(head.length + sd + line + messageExtraBytes, target.lengthBytesMax + 1));
      if (room >= 0) sink.added(writeMessage(sink.bytes, room, format, head, bytes, at, line, sd, target.lengthBytesMax));
    }
  };

  private headOf(output: Output, level: number): Buffer {
    if (output.headLevel === level && output.headAtMs === this.nowMs) return output.head;
    const { target, format, origin } = output;
    output.head = Buffer.from(syslogHead(format, target.facility, Math.max(level, target.levelMin), origin, this.time, this.nowMs), 'latin1');
    output.headLevel = level;
    output.headAtMs = this.nowMs;
    return output.head;
  }

  private flush(): void {
    let lost = 0;
    for (const sink of this.sinks.values()) lost += sink.flush();
    if (lost > 0) this.options.dropped(lost);
  }

  async close(): Promise<void> {
    this.outputs = [];
    for (const sink of this.sinks.values()) await sink.close();
    this.sinks.clear();
  }
}

/** Counts the message and says whether its number is in one of the ranges of `sample <ranges>:<size>`. */
function sampled(output: Output): boolean {
  const { sample } = output.target;
  if (sample === null) return true;
  output.sampleIndex = output.sampleIndex >= sample.size ? 1 : output.sampleIndex + 1;
  return sample.ranges.some(([first, last]) => output.sampleIndex >= first && output.sampleIndex <= last);
}
