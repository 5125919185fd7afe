/** Letters about virtual addresses: keepalived's subjects and first lines, then the reason and the numbers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadKeepalived } from '../../../src/config/keepalived/load.ts';
import type { KeepalivedModel } from '../../../src/model/keepalived.ts';
import type { VrrpReport, VrrpState } from '../../../src/model/vrrp-messages.ts';
import { vrrpLetter } from '../../../src/vrrp/letters.ts';

function model(alert = 'smtp_alert', global = ''): KeepalivedModel {
  const text = `global_defs {
  notification_email { a@lab.local b@lab.local }
  notification_email_from lab-hap01@lab.local
  smtp_server 10.77.0.9
  router_id LAB-HAP01
  ${global}
}
vrrp_sync_group G {
  group { VI_1 }
  ${alert}
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  ${alert}
  virtual_ipaddress { 10.77.0.100/24 }
}
`;
  const { model: made, problems } = loadKeepalived('/k.conf', { files: memoryFiles({ '/k.conf': text }) });
  assert(made !== undefined, JSON.stringify(problems));
  return made;
}

const entering = (to: VrrpState, from: VrrpState = 'BACKUP'): VrrpReport => ({ kind: 'state', instance: 'VI_1', from, to, priority: 103, why: 'nothing heard from 10.77.0.12' });
const owning = '=> VRRP Instance is now owning VRRP VIPs <=';
const notOwning = '=> VRRP Instance is no longer owning VRRP VIPs <=';

describe('letters', () => {
  it('of states have the subjects and first lines of keepalived, to everybody', () => {
    const table: readonly (readonly [VrrpState, string, string])[] = [['MASTER', 'MASTER', owning], ['BACKUP', 'BACKUP', notOwning], ['FAULT', 'FAULT', notOwning], ['STOP', 'BACKUP', notOwning]];
    for (const [to, word, line] of table) {
      const letter = vrrpLetter(entering(to, 'MASTER'), model(), 0);
      assert.equal(letter?.subject, `[LAB-HAP01] VRRP Instance VI_1 - Entering ${word} state`);
      assert.equal(letter.text.split('\n')[0], line);
      assert.deepEqual([letter.from, letter.to, letter.mailer], ['lab-hap01@lab.local', ['a@lab.local', 'b@lab.local'], 'Keepalived']);
    }
  });

  it('are not written by a backup that starts or stops', () => {
    assert.equal(vrrpLetter(entering('BACKUP', 'INIT'), model(), 0), undefined);
    assert.equal(vrrpLetter(entering('STOP', 'BACKUP'), model(), 0), undefined);
    assert.equal(vrrpLetter(entering('STOP', 'FAULT'), model(), 0), undefined);
  });

  it('say why, and the numbers', () => {
    const text = vrrpLetter(entering('MASTER'), model(), 0)?.text ?? '';
    for (const line of ['Reason: nothing heard from 10.77.0.12', 'State before: BACKUP', 'Priority: 103', 'Interface: eth0, virtual router 51', 'Addresses: 10.77.0.100/24', 'Node: LAB-HAP01', 'Time: 1970-01-01T00:00:00.000Z']) {
      assert(text.includes(`${line}\n`), `${line} in\n${text}`);
    }
  });

  it('of groups, of two masters and of a foreign owner', () => {
    assert.equal(vrrpLetter({ kind: 'group', group: 'G', to: 'MASTER' }, model(), 0)?.subject, '[LAB-HAP01] VRRP Group G - MASTER transition');
    const two = vrrpLetter({ kind: 'two masters', instance: 'VI_1', peer: '10.77.0.12', peerPriority: 100, outcome: 'stayed master' }, model(), 0);
    assert.equal(two?.subject, '[LAB-HAP01] VRRP Instance VI_1 - There were two masters');
    assert.match(two.text, /^10\.77\.0\.12 \(priority 100\) had the virtual addresses at the same time; this node stayed master\./);
    const foreign = vrrpLetter({ kind: 'foreign owner', instance: 'VI_1', address: '10.77.0.100', hardware: '02:00:00:00:00:01' }, model(), 0);
    assert.equal(foreign?.subject, '[LAB-HAP01] VRRP Instance VI_1 - Somebody else uses 10.77.0.100');
    assert.match(foreign.text, /^02:00:00:00:00:01 answers for 10\.77\.0\.100/);
  });

  it('nobody asked for are not written', () => {
    assert.equal(vrrpLetter(entering('MASTER'), model('smtp_alert off'), 0), undefined);
    assert.equal(vrrpLetter(entering('BACKUP', 'INIT'), model(), 0), undefined);
    assert.equal(vrrpLetter(entering('FAULT'), model('smtp_alert', 'no_email_faults'), 0), undefined);
    assert.equal(vrrpLetter({ kind: 'status', instances: [] }, model(), 0), undefined);
  });
});
