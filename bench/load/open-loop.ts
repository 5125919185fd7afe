/**
 * `open-loop.ts {json}`: sends requests at a fixed rate whatever the answers do and prints their latencies as one JSON line.
 * A process of its own on the load's core, started by load/timed.ts. With `keepAlive` requests go over open connections (one at a
 * time on each, more wait in a queue), else each has its own.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AnswerReader } from './answers.ts';
import { Latencies, type OpenLoad } from './latencies.ts';
import { runPlan } from './schedule.ts';
import type { OpenLoop } from './timed.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as OpenLoop;
const heads = load.paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: bench.local\r\n${load.keepAlive ? '' : 'Connection: close\r\n'}\r\n`);
const latencies = new Latencies();
/** Planned times of requests that no connection is free for, from `nextWaiting` on. */
const waiting: number[] = [];
let nextWaiting = 0;
const idle: Client[] = [];
let planned = 0;
let begunAt = 0;
let failed = 0;
let failure = '';
let turn = 0;
let over = false;

function fail(what: string): void {
  failed += 1;
  if (failure === '') failure = what;
  finishWhenDone();
}

class Client {
  private readonly socket: Socket;
  private readonly reader = new AnswerReader();
  private since = 0;
  private busy = false;

  constructor(ready: (client: Client) => void) {
    const options = { host: load.host, port: load.port, noDelay: true };
    this.socket = load.tls ? connectTls({ ...options, rejectUnauthorized: false }, () => ready(this)) : connect(options, () => ready(this));
    this.socket.on('data', (chunk: Buffer) => this.took(chunk));
    this.socket.on('error', (error) => this.broke(error.message));
    this.socket.on('close', () => this.broke('connection closed before the answer'));
  }

  send(since: number): void {
    this.since = since;
    this.busy = true;
    turn = (turn + 1) % heads.length;
    this.socket.write(heads[turn] ?? '');
  }

  private took(chunk: Buffer): void {
    const state = this.reader.take(chunk);
    if (state === 'more') return;
    if (state !== 'done') { this.broke(state); return; }
    this.busy = false;
    latencies.add(performance.now() - this.since);
    const next = waiting[nextWaiting];
    if (next !== undefined) {
      nextWaiting += 1;
      this.send(next);
    } else if (load.keepAlive) idle.push(this);
    else this.socket.destroy();
    finishWhenDone();
  }

  private broke(what: string): void {
    const counts = this.busy || (load.keepAlive && !over);
    this.busy = false;
    this.socket.destroy();
    if (counts) fail(what);
  }
}

function start(since: number): void {
  if (!load.keepAlive) {
    const opened = new Client((client) => client.send(since));
    return void opened;
  }
  const client = idle.pop();
  if (client === undefined) waiting.push(since);
  else client.send(since);
}

let allSent = false;
function finishWhenDone(): void {
  if (!allSent || over || latencies.count + failed < planned) return;
  over = true;
  const seconds = (performance.now() - begunAt) / 1000;
  const result: OpenLoad = { perSecond: latencies.count / seconds, planned, answered: latencies.count, failed, failure, ...latencies.percentiles() };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function begin(): void {
  begunAt = performance.now();
  planned = runPlan({ ratePerSecond: load.ratePerSecond, seconds: load.seconds, send: start, done: () => { allSent = true; finishWhenDone(); } });
  setTimeout(() => { fail('an answer that never came'); failed += planned; finishWhenDone(); }, load.seconds * 1000 + 15_000).unref();
}

if (load.keepAlive) {
  for (let opened = 0; opened < load.connections; opened++) {
    const client = new Client((ready) => { idle.push(ready); if (idle.length === load.connections) begin(); });
    void client;
  }
} else {
  begin();
}
