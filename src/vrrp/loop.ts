/**
 * The VRRP process: sleeps in poll(2) until a packet, a change of an interface, a command or a timer comes, and lets the engine take its
 * turn. It has no event loop under it, so that nothing else this process could do delays an advert. The first line on stdin is the
 * model (v8.serialize, base64), every other one a command in JSON; reports go as JSON lines to stdout. When stdin ends, its master has
 * died, and the addresses are given up. Started by vrrp/node.ts through cli/main.ts.
 */
import { readSync, writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { deserialize } from 'node:v8';
import type { KeepalivedModel } from '../model/keepalived.ts';
import type { VrrpCommand, VrrpReport } from '../model/vrrp-messages.ts';
import { VrrpEngine } from './engine.ts';
import { neverBlock, waitForInput } from './kernel.ts';
import { Links } from './links.ts';

const [stdin, stdout] = [0, 1];
const readBytes = 65536;
const waitMsMax = 60_000;

/** Lines that came on stdin; `ended` once it is closed. */
class LineReader {
  ended = false;
  #rest = '';
  readonly #buffer = Buffer.alloc(readBytes);

  read(): string[] {
    let length = 0;
    try {
      length = readSync(stdin, this.#buffer, 0, readBytes, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return [];
    }
    if (length === 0) { this.ended = true; return []; }
    const lines = (this.#rest + this.#buffer.toString('utf8', 0, length)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}

/** A master that does not read loses reports, never adverts: the pipe does not block. */
function reporter(): (report: VrrpReport) => void {
  let lost = 0;
  return (report) => {
    try {
      if (lost > 0) {
        writeSync(stdout, `${JSON.stringify({ kind: 'log', level: 'warning', text: `${lost} reports were lost: the master process did not read them` } satisfies VrrpReport)}\n`);
        lost = 0;
      }
      writeSync(stdout, `${JSON.stringify(report)}\n`);
    } catch {
      lost += 1;
    }
  };
}

/** A machine that is busy must not look dead to the other node. Without the permission it runs as everything else does. */
function goFirst(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Not root.
  }
}

/** Returns when the addresses have been given up. Throws KernelFault when netlink cannot be had. */
export function runVrrpLoop(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) process.on(signal, () => { /* the master acts on it and says `stop` */ });
  goFirst();
  neverBlock(stdin);
  neverBlock(stdout);
  const lines = new LineReader();
  let waiting: string[] = [];
  while (waiting.length === 0 && !lines.ended) {
    waitForInput([stdin], -1);
    waiting = lines.read();
  }
  const [first, ...early] = waiting;
  if (first === undefined) return;
  const links = new Links();
  const engine = new VrrpEngine(deserialize(Buffer.from(first, 'base64')) as KeepalivedModel, links, performance.now(), reporter());
  const take = (line: string): void => { engine.command(JSON.parse(line) as VrrpCommand, performance.now()); };
  early.forEach(take);
  engine.turn(performance.now());
  while (!engine.stopped) {
    const sockets = engine.runners.flatMap((runner) => runner.fds());
    const nowMs = performance.now();
    const waitMs = Math.max(0, Math.ceil(engine.nextMs(nowMs) - nowMs));
    const ready = waitForInput([stdin, links.fd, ...sockets], Math.min(waitMs, waitMsMax));
    if (ready.has(links.fd)) links.readChanges();
    if (ready.has(stdin)) {
      lines.read().forEach(take);
      if (lines.ended) engine.stop(performance.now());
    }
    engine.turn(performance.now());
  }
  links.close();
}
