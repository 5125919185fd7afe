/** The cookie of the remote desktop protocol names a server by address and port, both in the byte order of the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rdpAddress } from '../../../src/balance/rdp-persistence.ts';

test('address and port of a server', () => {
  assert.equal(rdpAddress('3640205228.15629.0000'), '172.31.249.216:3389');
  assert.equal(rdpAddress('16777343.20480.0000'), '127.0.0.1:80');
});

test('what is not an address names nobody', () => {
  for (const text of ['', 'user', '1.2', '99999999999.80.0000', '16777343.99999.0000', 'x16777343.20480.0000']) assert.equal(rdpAddress(text), '', text);
});
