/** Two files of one pair, compared. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryFiles } from '../../../../src/config/files.ts';
import { loadKeepalived } from '../../../../src/config/keepalived/load.ts';
import { verifyPair } from '../../../../src/config/keepalived/pair.ts';
import type { KeepalivedModel } from '../../../../src/model/keepalived.ts';

function node(priority: number, more = '', router = 51): KeepalivedModel {
  const text = `vrrp_script chk {\n script "/bin/true"\n weight 2\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id ${router}\n priority ${priority}\n ${more}\n virtual_ipaddress { 10.0.0.10/24 }\n track_script { chk }\n}\n`;
  const { model, problems } = loadKeepalived('/k.conf', { files: memoryFiles({ '/k.conf': text }) });
  assert(model !== undefined, JSON.stringify(problems));
  return model;
}

const told = (one: KeepalivedModel, other: KeepalivedModel): string => verifyPair(one, other).map((problem) => `${problem.severity}: ${problem.message}`).join('\n');

describe('a pair of files', () => {
  it('that fits has no problems', () => {
    assert.equal(told(node(101), node(100)), '');
    assert.equal(told(node(100), node(101)), '');
  });

  it('a weight below the gap of the priorities is a warning, whichever file comes first', () => {
    for (const text of [told(node(150), node(100)), told(node(100), node(150))]) assert.match(text, /warning: weight 2 of chk cannot move the address: the priorities 150 and 100 lie 50 apart/);
  });

  it('what makes the nodes refuse each other is an error', () => {
    assert.match(told(node(101, 'version 3'), node(100)), /error: version of VI_1 is 3 here and 2 on the other node/);
    assert.match(told(node(101, 'advert_int 2'), node(100)), /error: advert_int of VI_1 is 2 here and 1/);
    assert.match(told(node(101, 'authentication {\n auth_type PASS\n auth_pass secret\n }'), node(100)), /error: auth_pass of VI_1 differs/);
    assert.doesNotMatch(told(node(101, 'authentication {\n auth_type PASS\n auth_pass secret\n }'), node(100)), /secret/);
  });

  it('another virtual_router_id and equal priorities are warnings', () => {
    assert.match(told(node(101, '', 52), node(100)), /warning: no instance of .* has virtual_router_id 52/);
    assert.match(told(node(100), node(100)), /warning: both nodes have priority 100/);
  });
});
