/** Addresses are tried before anything is started: what is free, what is taken, and that nothing ever listens meanwhile. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { Bind, Model } from '../../../src/model/model.ts';
import { bindText, probeBinds } from '../../../src/process/probe-binds.ts';

function bind(host: string, port: number, portLast = port, more: Partial<Bind> = {}): Bind {
  return { address: { kind: 'inet', family: host.includes(':') ? 6 : 4, host, port, portLast }, transparent: false, v4v6: false, ...more } as Bind;
}

/** A listener of somebody else, which shares addresses as far as it may. */
async function stranger(host: string): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen({ host, port: 0 }, resolve); });
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

test('a taken port is found, in a range too, and free ones stay free', async (context) => {
  const taken = await stranger('127.17.1.1');
  context.after(taken.close);
  assert.deepEqual(probeBinds([bind('127.17.1.1', taken.port)]).map(({ port, code }) => [port, code]), [[taken.port, 'EADDRINUSE']]);
  assert.deepEqual(probeBinds([bind('127.17.1.1', taken.port - 1, taken.port + 1)]).map(({ port }) => port), [taken.port]);
  assert.deepEqual(probeBinds([bind('127.17.1.2', taken.port)]), []);
  assert.deepEqual(probeBinds([bind('127.17.1.2', taken.port), bind('127.17.1.2', taken.port)]), []);
});

test('an address that is not here', () => {
  const binds = [bind('192.0.2.1', 8080, 8080, { proxy: 0, place: { file: 'lb.cfg', line: 7 } })];
  const model = { binds, proxies: [{ kind: 'frontend', name: 'fe' }] } as unknown as Model;
  const told = probeBinds(binds).map(({ code, port }) => bindText({ bind: 0, code, message: '' }, model, port));
  assert.deepEqual(told, ['Binding [lb.cfg:7] for frontend fe: cannot bind socket (Cannot assign requested address) for [192.0.2.1:8080]']);
});

test('addresses of the system and of threads are left alone', () => {
  const unix = { address: { kind: 'unix', path: '/nonexistent/x', abstract: false } } as unknown as Bind;
  assert.deepEqual(probeBinds([unix, bind('127.17.1.1', 0)]), []);
});

test('nothing listens afterwards', () => {
  probeBinds([bind('127.17.1.3', 18_017)]);
  assert.ok(!readFileSync('/proc/net/tcp', 'latin1').includes('0301117F:4661'));
});
