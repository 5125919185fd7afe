/** fullconn of backends that set none: a tenth of what their frontends may send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFullconn } from '../../../src/balance/fullconn.ts';
import type { Model, Proxy } from '../../../src/model/model.ts';

function proxy(index: number, kind: Proxy['kind'], changes: Partial<Proxy> = {}): Proxy {
  return { index, kind, isFrontend: kind !== 'backend', isBackend: kind !== 'frontend', disabled: false, maxconn: 0, defaultBackend: -1, useBackend: [], fullconn: 0, ...changes } as unknown as Proxy;
}

test('every frontend that leads to a backend counts once; what is set stays', () => {
  const rule = { target: 2, dynamic: null, condition: null } as unknown as Proxy['useBackend'][number];
  const proxies = [
    proxy(0, 'frontend', { defaultBackend: 2, useBackend: [rule, rule] }), proxy(1, 'frontend', { maxconn: 100, useBackend: [rule] }), proxy(2, 'backend'), proxy(3, 'listen', { maxconn: 50 }),
    proxy(4, 'backend'), proxy(5, 'backend', { fullconn: 7 }),
  ];
  const model = withFullconn({ global: { maxconn: 2000 }, proxies } as unknown as Model);
  assert.deepEqual(model.proxies.map(({ fullconn }) => fullconn), [0, 0, 210, 5, 1, 7]);
});
