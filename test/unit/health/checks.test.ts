/** Checks over real sockets against small real servers: the results are HAProxy's. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { startHealth } from '../../../src/control/health/checker.ts';
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
