/**
 * The VRRP process: sleeps in poll(2) until a packet, a change of an interface, a command or a timer comes, and lets the engine take its
 * turn. It has no event loop under it, so that nothing else this process could do delays an advert. Commands come as JSON lines on
 * stdin, reports go as JSON lines to stdout; when stdin ends, its master has died, and the addresses are given up.
 * Started by process/vrrp-process.ts.
 */
import { readSync, writeSync } from 'node:fs';
import type { KeepalivedModel } from '../model/keepalived.ts';
import type { VrrpCommand, VrrpReport } from '../model/vrrp-messages.ts';
import { VrrpEngine } from './engine.ts';
import { waitForInput } from './kernel.ts';
import { Links } from './links.ts';

const [stdin, stdout] = [0, 1];
const readBytes = 65536;

/** Lines that came on stdin; `ended` once it is closed. */
class CommandReader {
  ended = false;
  #rest = '';
  readonly #buffer = Buffer.alloc(readBytes);

  read(): VrrpCommand[] {
    let length = 0;
    try {
      length = readSync(stdin, this.#buffer, 0, readBytes, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return [];
    }
    if (length === 0) { this.ended = true; return []; }
    const lines = (this.#rest + this.#buffer.toString('utf8', 0, length)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.map((line) => JSON.parse(line) as VrrpCommand);
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

/** Returns when the addresses have been given up. Throws KernelFault when netlink cannot be had. */
export function runVrrpLoop(model: KeepalivedModel): void {
  const report = reporter();
  const links = new Links();
  const engine = new VrrpEngine(model, links, performance.now(), report);
  const commands = new CommandReader();
  // Signals for the group (Ctrl-C) are the master's to act on; it says `stop`.
  engine.turn(performance.now());
  while (!engine.stopped) {
    const sockets = engine.runners.flatMap((runner) => runner.fds());
    const waitMs = Math.max(0, Math.ceil(engine.nextMs() - performance.now()));
    const ready = waitForInput([stdin, links.fd, ...sockets], Math.min(waitMs, 60_000));
    if (ready.has(links.fd)) links.readChanges();
    if (ready.has(stdin)) {
      for (const command of commands.read()) engine.command(command, performance.now());
      if (commands.ended) engine.stop(performance.now());
    }
    engine.turn(performance.now());
  }
  links.close();
}
