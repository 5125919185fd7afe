/** Checks over real sockets against small real servers: the results are HAProxy's. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { startHealth } from '../../../src/control/health/checker.ts';
import { readAnswer } from '../../../src/control/health/expect-http.ts';
import type { Health } from '../../../src/control/health/checker.ts';
import { systemTimers } from '../../../src/control/timers.ts';
import { backendsOf, caseName, cases, startServers } from './check-cases.ts';
import type { CheckServers } from './check-cases.ts';
import { makeWorld } from './rig.ts';
import type { World } from './rig.ts';

describe('checks over sockets', () => {
  let servers: CheckServers | undefined;
  let world: World | undefined;
  let health: Health | undefined;

  before(async () => {
    servers = await startServers();
    world = makeWorld(`global\n  max-spread-checks 100\n${backendsOf(servers.ports)}`, { ...systemClock, ...systemTimers });
    health = startHealth(world.model, world.states, { clock: systemClock, random: Math.random, log: () => undefined });
    const endMs = Date.now() + 5000;
    while (Date.now() < endMs && world.model.servers.some((server) => world?.states.checkInfo(server.index).status === 'INI')) await new Promise((resolve) => { setTimeout(resolve, 10); });
  });
  after(() => {
    health?.stop();
    servers?.close();
  });

  for (const [index, one] of cases.entries()) {
    it(caseName(one), () => {
      assert(world !== undefined);
      const info = world.states.checkInfo(index);
      const code = ['L7OK', 'L7OKC', 'L7STS'].includes(info.status) ? info.code : '';
      assert.equal(`${world.states.statusText(index)} ${info.status} ${code} [${info.description}]`, one[2]);
    });
  }
});

it('an answer that comes in pieces is read anew with each of them, and changes nothing of it', () => {
  const text = 'HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\nContent-Length: 5\r\nX-Y: z\r\n\r\nhello';
  const bytes = Buffer.from(text, 'latin1');
  const headEnd = text.length - 5;
  for (let length = 1; length <= text.length; length += 1) {
    const read = readAnswer({ bytes: bytes.subarray(0, length), ended: false }, false);
    if (length < headEnd) assert.equal(read, null);
    else assert.deepEqual(read === null || read === 'bad' ? read : [read.head.status, read.body.toString('latin1'), read.complete], [200, text.slice(headEnd, length), length === text.length]);
  }
  assert.equal(bytes.toString('latin1'), text);
});
