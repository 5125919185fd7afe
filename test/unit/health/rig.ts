/** A control thread's health part for tests: a configuration, shared memory, server states, and a clock that tests move. */
import assert from 'node:assert/strict';
import type { Clock } from '../../../src/base/clock.ts';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { Events } from '../../../src/control/events.ts';
import { startHealth } from '../../../src/control/health/checker.ts';
import type { Health } from '../../../src/control/health/checker.ts';
import type { CheckSocket, CheckSocketEvents, CheckTarget } from '../../../src/control/health/check-socket.ts';
import { ServerStates } from '../../../src/control/server-states.ts';
import type { Timers } from '../../../src/control/timers.ts';
import type { ToTraffic } from '../../../src/model/messages.ts';
import type { Model } from '../../../src/model/model.ts';
import { Segments } from '../../../src/shared/segments.ts';

/** Time that passes only when a test says so; timers run in order. */
export class HandTime implements Clock, Timers {
  now = 1_000_000;
  private next = 1;
  private readonly due = new Map<number, { atMs: number; run: () => void }>();

  monoMs(): number { return this.now; }
  dateMs(): number { return 1_700_000_000_000 + this.now; }

  after(delayMs: number, run: () => void): unknown {
    const handle = this.next;
    this.next += 1;
    this.due.set(handle, { atMs: this.now + Math.max(0, delayMs), run });
    return handle;
  }

  cancel(handle: unknown): void {
    this.due.delete(handle as number);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      let first: [number, { atMs: number; run: () => void }] | undefined;
      for (const entry of this.due) if (entry[1].atMs <= end && (first === undefined || entry[1].atMs < first[1].atMs)) first = entry;
      if (first === undefined) break;
      this.due.delete(first[0]);
      this.now = Math.max(this.now, first[1].atMs);
      first[1].run();
    }
    this.now = end;
  }
}

function modelOf(configuration: string, files: Readonly<Record<string, string>>): Model {
  const text = `global\n  maxconn 100\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n${configuration}\n`;
  const { model, problems } = loadConfiguration(['test.cfg'], {
    environment: {}, cpus: 1, files: memoryFiles({ ...files, 'test.cfg': text }),
  });
  assert(model !== undefined, JSON.stringify(problems.filter((problem) => problem.severity !== 'notice')));
  return model;
}

export interface World {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: ServerStates;
  /** `<level>text` of events since the last look. */
  said(): string[];
  readonly posted: ToTraffic[];
  readonly events: Events;
  /** Index of `backend/server`. */
  server(name: string): number;
}

/** `files`: what the configuration names, by path. */
export function makeWorld(configuration: string, time: Clock & Timers, files: Readonly<Record<string, string>> = {}): World {
  const model = modelOf(configuration, files);
  const segments = Segments.allocate(model, 1);
  const events = new Events();
  let heard: string[] = [];
  events.listen((event) => heard.push(`<${event.level}>${event.text}`));
  const posted: ToTraffic[] = [];
  const states = new ServerStates(model, segments, { clock: time, timers: time, post: (message) => posted.push(message), events });
  return {
    model, segments, states, posted, events,
    said: () => {
      const before = heard;
      heard = [];
      return before;
    },
    server: (name) => {
      const found = model.servers.find((server) => `${model.proxies[server.proxy]?.name}/${server.name}` === name);
      assert(found !== undefined, name);
      return found.index;
    },
  };
}

/** What a fake server does with a check's connection. Called with the bytes of each write, first with none on connecting. */
export type Behaviour = (side: { answer(text: string): void; close(): void; error(code: string): void; secured(): void }, sent: string | null) => void;

export interface FakeNet {
  /** By port. Ports that are missing refuse. */
  readonly servers: Map<number, Behaviour>;
  /** Every connection that was tried. */
  readonly connections: { atMs: number; port: number }[];
  /** Connections that are open now, and were at most, by port. */
  readonly openNow: Map<number, number>;
  readonly openMost: Map<number, number>;
  open(target: CheckTarget, events: CheckSocketEvents): CheckSocket;
}

export function fakeNet(time: HandTime): FakeNet {
  const servers = new Map<number, Behaviour>();
  const connections: { atMs: number; port: number }[] = [];
  const openNow = new Map<number, number>();
  const openMost = new Map<number, number>();
  const count = (port: number, by: number): void => {
    const now = (openNow.get(port) ?? 0) + by;
    openNow.set(port, now);
    openMost.set(port, Math.max(openMost.get(port) ?? 0, now));
  };
  return {
    servers, connections, openNow, openMost,
    open: (target, events) => {
      connections.push({ atMs: time.now, port: target.port });
      count(target.port, 1);
      const behaviour = servers.get(target.port);
      let gone = false;
      const later = (run: () => void): unknown => time.after(1, () => { if (!gone) run(); });
      const side = {
        answer: (text: string) => { later(() => events.onData(Buffer.from(text, 'latin1'))); },
        close: () => { later(() => events.onEnd()); },
        error: (code: string) => { later(() => events.onError(code)); },
        secured: () => { later(() => events.onSecured()); },
      };
      if (behaviour === undefined) {
        side.error('ECONNREFUSED');
      } else {
        later(() => {
          events.onConnected();
          if (!gone) behaviour(side, null);
        });
      }
      return {
        write: (bytes) => { if (behaviour !== undefined) behaviour(side, Buffer.from(bytes).toString('latin1')); },
        destroy: () => {
          if (!gone) count(target.port, -1);
          gone = true;
        },
      };
    },
  };
}

export function startFakeHealth(world: World, time: HandTime, net: FakeNet, random: () => number = () => 0.5): Health {
  return startHealth(world.model, world.states, { clock: time, timers: time, random, log: () => undefined, open: (target, events) => net.open(target, events) });
}

/** Connects and says nothing. */
export const silent: Behaviour = () => undefined;
/** Answers every request with this status. */
export function answers(status: () => number): Behaviour {
  return (side, sent) => {
    if (sent === null) return;
    const code = status();
    side.answer(`HTTP/1.1 ${code} Reason ${code}\r\nContent-Length: 0\r\n\r\n`);
  };
}
