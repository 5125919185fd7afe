/** Half-closes, backpressure and every timeout of a tunnel over fake connections and a clock that the test moves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TimerWheel, type TickSource } from '../../../src/base/timer-wheel.ts';
import { C } from '../../../src/model/counters.ts';
import { faults, type Fault } from '../../../src/model/fault.ts';
import type { LogFacts } from '../../../src/rules/subject.ts';
import type { Transport, TransportHandler } from '../../../src/traffic/contract.ts';
import { Tally } from '../../../src/traffic/tally.ts';
import { startTunnel, type TunnelSetup } from '../../../src/traffic/tcp/tunnel.ts';
import type { ThreadContext } from '../../../src/traffic/thread-context.ts';

class FakeTransport implements Transport {
  handler!: TransportHandler;
  readonly tls = null;
  readonly localAddress = '';
  readonly localPort = 0;
  readonly remoteAddress = '';
  readonly remotePort = 0;
  pendingBytes = 0;
  closed = false;
  written = '';
  ended = false;
  paused = false;
  /** True: the peer takes nothing. */
  blocked = false;

  write(data: Uint8Array | string): boolean {
    const bytes = Buffer.from(data as Uint8Array);
    this.written += bytes.toString();
    if (this.blocked) this.pendingBytes += bytes.length;
    return !this.blocked;
  }

  end(): void { this.ended = true; }
  pause(): void { this.paused = true; }
  resume(): void { this.paused = false; }
  destroy(): void { this.closed = true; }

  say(text: string): void { this.handler.onData(Buffer.from(text)); }

  close(code = ''): void {
    this.closed = true;
    this.handler.onClose(code);
  }
}

/** A tunnel over fake connections, with a clock of its own. */
class Bench implements TickSource {
  readonly client = new FakeTransport();
  readonly server = new FakeTransport();
  readonly facts = { bytesFromClient: 0, bytesToClient: 0 } as LogFacts;
  readonly tally = Tally.uncounted();
  readonly ends: (Fault | null)[] = [];
  nowMs = 1000;
  private tick: () => void = () => undefined;
  private ticking = false;

  constructor(changes: Partial<TunnelSetup> = {}, early: string[] = []) {
    const wheel = new TimerWheel({ monoMs: () => this.nowMs, dateMs: () => this.nowMs }, 1, 4096, this);
    startTunnel({
      context: { wheel } as ThreadContext, owner: { onTunnelEnd: (fault) => this.ends.push(fault) }, client: this.client, server: this.server, facts: this.facts,
      tallies: [this.tally], clientTimeoutMs: 1000, serverTimeoutMs: 1500, tunnelTimeoutMs: 0, clientFinTimeoutMs: 0, serverFinTimeoutMs: 0, closesWithServer: false, ...changes,
    }, early.map((text) => Buffer.from(text)), []);
  }

  start(_everyMs: number, tick: () => void): void {
    this.tick = tick;
    this.ticking = true;
  }

  stop(): void { this.ticking = false; }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1) {
      this.nowMs += 1;
      if (this.ticking) this.tick();
    }
  }
}

describe('tunnel', () => {
  test('early bytes first, then both ways, counted; ends when both sides have', () => {
    const bench = new Bench({}, ['a', 'b']);
    bench.client.say('c');
    bench.server.say('xyz');
    assert.equal(bench.server.written, 'abc');
    assert.equal(bench.client.written, 'xyz');
    assert.deepEqual([bench.facts.bytesFromClient, bench.facts.bytesToClient], [3, 3]);
    assert.deepEqual([bench.tally.counters[C.bin], bench.tally.counters[C.bout]], [3, 3]);
    bench.client.handler.onEnd();
    assert.equal(bench.server.ended, true);
    bench.server.say('more');
    bench.server.handler.onEnd();
    assert.deepEqual(bench.ends, [null]);
    assert.equal(bench.client.closed && bench.server.closed, true);
  });

  test('after an upgrade the end of the server is the end, once its last bytes are out; the client is left to its owner', () => {
    const bench = new Bench({ closesWithServer: true });
    bench.client.blocked = true;
    bench.server.say('last');
    bench.server.handler.onEnd();
    assert.deepEqual([bench.client.ended, bench.ends.length], [true, 0]);
    bench.client.pendingBytes = 0;
    bench.client.handler.onDrain();
    assert.deepEqual(bench.ends, [null]);
    assert.deepEqual([bench.client.closed, bench.server.closed], [false, true]);
    const halfClosed = new Bench({ closesWithServer: true });
    halfClosed.client.handler.onEnd();
    halfClosed.server.say('still');
    assert.deepEqual([halfClosed.server.ended, halfClosed.client.written, halfClosed.ends.length], [true, 'still', 0]);
  });

  test('what is still on its way keeps the tunnel until it has left', () => {
    const bench = new Bench();
    bench.client.blocked = true;
    bench.server.say('data');
    bench.client.handler.onEnd();
    bench.server.handler.onEnd();
    assert.equal(bench.client.ended, true);
    assert.deepEqual(bench.ends, []);
    bench.client.pendingBytes = 0;
    bench.server.close();
    assert.deepEqual(bench.ends, [null]);
  });

  test('a side that does not read pauses the other', () => {
    const bench = new Bench();
    bench.client.blocked = true;
    bench.server.say('data');
    assert.equal(bench.server.paused, true);
    bench.client.blocked = false;
    bench.client.pendingBytes = 0;
    bench.client.handler.onDrain();
    assert.equal(bench.server.paused, false);
  });

  test('a silent client counts as half-closed; the letters stay cD when the server falls silent too', () => {
    const bench = new Bench();
    bench.pass(1001);
    assert.equal(bench.server.ended, true);
    assert.deepEqual(bench.ends, []);
    bench.pass(500);
    assert.deepEqual(bench.ends, [faults.clientTimeoutData]);
    assert.equal(bench.client.closed && bench.server.closed, true);
  });

  test('traffic in one direction keeps both sides alive', () => {
    const bench = new Bench();
    for (let count = 0; count < 10; count += 1) {
      bench.pass(900);
      bench.server.say('x');
    }
    assert.equal(bench.server.ended, false);
  });

  test('a client that takes nothing in time ends it', () => {
    const bench = new Bench({ serverTimeoutMs: 60_000 });
    bench.client.blocked = true;
    bench.server.say('data');
    bench.client.say('still here');
    bench.pass(1100);
    assert.deepEqual(bench.ends, [faults.clientTimeoutData]);
  });

  test('timeout tunnel replaces both, fin timeouts take over after a half-close', () => {
    const tunnel = new Bench({ tunnelTimeoutMs: 5000 });
    tunnel.pass(4990);
    assert.deepEqual(tunnel.ends, []);
    tunnel.pass(20);
    assert.deepEqual(tunnel.ends, [faults.clientTimeoutData]);
    const fin = new Bench({ clientFinTimeoutMs: 300 });
    fin.server.handler.onEnd();
    fin.pass(290);
    assert.deepEqual(fin.ends, []);
    fin.pass(20);
    assert.deepEqual(fin.ends, [faults.clientTimeoutData]);
  });

  test('resets name the side, and the last stage once the server has gone', () => {
    const byClient = new Bench();
    byClient.client.close('ECONNRESET');
    assert.deepEqual(byClient.ends, [faults.clientAbortData]);
    const byServer = new Bench();
    byServer.server.close('ECONNRESET');
    assert.deepEqual(byServer.ends, [faults.serverAbortData]);
    const last = new Bench();
    last.client.pendingBytes = 10;
    last.client.handler.onEnd();
    last.server.handler.onEnd();
    last.server.close();
    last.client.close('ECONNRESET');
    assert.deepEqual(last.ends, [faults.clientAbortLast]);
  });
});
