/** Names of servers at start: libc's answer, `init-addr`, and maintenance until there is an address. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startHealth } from '../../../src/control/health/checker.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { B } from '../../../src/model/server-state.ts';
import { HandTime, makeWorld } from './rig.ts';
import type { World } from './rig.ts';

const known: Readonly<Record<string, readonly { address: string; family: number }[]>> = {
  'mail.lab.local': [{ address: '2001:db8::5', family: 6 }, { address: '192.0.2.5', family: 4 }],
};

function start(words: string): { world: World; logged: string[] } {
  const logged: string[] = [];
  const world = makeWorld(`backend b\n  server s ${words}\n`, new HandTime());
  assert.equal(world.states.statusText(0), 'MAINT (resolution)');
  startHealth(world.model, world.states, {
    clock: systemClock, random: Math.random, log: (text) => logged.push(text),
    lookup: (name, family, found) => found((known[name] ?? []).filter((one) => family === 0 || one.family === family)),
  }).stop();
  return { world, logged };
}

describe('names of servers', () => {
  it('are resolved at start and told to the traffic threads', () => {
    const { world } = start('mail.lab.local:8080 resolve-prefer ipv4');
    assert.deepEqual(world.states.address(0), { host: '192.0.2.5', port: 8080 });
    assert.deepEqual(world.posted.find((message) => message.type === 'server-address'), { type: 'server-address', server: 0, host: '192.0.2.5', port: 8080 });
    assert.equal(world.states.statusText(0), 'no check');
    assert.equal(world.segments.backendState(0)[B.active], 1);
    assert.deepEqual(world.said(), []);
  });

  it('IPv6 is preferred unless told otherwise', () => {
    assert.equal(start('mail.lab.local:80').world.states.address(0).host, '2001:db8::5');
    assert.equal(start('ipv4@mail.lab.local:80').world.states.address(0).host, '192.0.2.5');
  });

  it('init-addr may give an address without asking', () => {
    const { world } = start('no-such-name.invalid:80 init-addr last,192.0.2.7,libc');
    assert.deepEqual(world.states.address(0), { host: '192.0.2.7', port: 80 });
  });

  it('init-addr none keeps the server in maintenance without a word', () => {
    const { world, logged } = start('no-such-name.invalid:80 init-addr none');
    assert.equal(world.states.statusText(0), 'MAINT (resolution)');
    assert.deepEqual(logged, []);
    assert.equal(world.segments.backendState(0)[B.up], 0);
  });

  it('a name that nobody knows is told', () => {
    const { world, logged } = start('no-such-name.invalid:80');
    assert.deepEqual(logged, ["Server b/s stays in maintenance: could not resolve address 'no-such-name.invalid'."]);
    assert.equal(world.states.statusText(0), 'MAINT (resolution)');
  });
});
