/** Component states: who has a say, what comes of it; and which directory a path lies in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentStates, componentByName, requesterByName, stateByName } from '../../../src/exchange-sim/components.ts';
import { directoryOf } from '../../../src/exchange-sim/virtual-directories.ts';

test('a component is active only when every requester says so', () => {
  const states = new ComponentStates();
  assert.equal(states.effective('RpcProxy'), 'Active');
  states.set('RpcProxy', 'Maintenance', 'Inactive');
  states.set('RpcProxy', 'HealthAPI', 'Active');
  assert.equal(states.effective('RpcProxy'), 'Inactive');
  states.set('RpcProxy', 'Sidelined', 'Inactive');
  states.set('RpcProxy', 'Maintenance', 'Active');
  assert.equal(states.effective('RpcProxy'), 'Inactive');
  states.set('RpcProxy', 'Sidelined', 'Active');
  assert.equal(states.effective('RpcProxy'), 'Active');
  assert.equal(states.effective('EwsProxy'), 'Active');
});

test('ServerWideOffline takes all others with it', () => {
  const states = new ComponentStates();
  states.set('ServerWideOffline', 'Functional', 'Inactive');
  assert.deepEqual([...new Set(states.all().map((row) => row.state))], ['Inactive']);
});

test('names are read without regard to case', () => {
  assert.deepEqual([componentByName('rpcproxy'), requesterByName('MAINTENANCE'), stateByName('inactive')], ['RpcProxy', 'Maintenance', 'Inactive']);
  assert.equal(componentByName('Nonsense'), undefined);
});

test('paths find their directory in any spelling, and only at a boundary', () => {
  assert.equal(directoryOf('/EWS/Exchange.asmx')?.component, 'EwsProxy');
  assert.equal(directoryOf('/ews')?.component, 'EwsProxy');
  assert.equal(directoryOf('/MICROSOFT-Server-ActiveSync')?.component, 'ActiveSyncProxy');
  assert.equal(directoryOf('/ewsx'), undefined);
  assert.equal(directoryOf('/'), undefined);
});
