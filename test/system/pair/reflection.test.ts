/**
 * A network that brings a node's own adverts back to it (a bridge port in hairpin mode): it answers none of them, says so once and counts them,
 * and stays MASTER. In IPv4 the kernel drops most of them; with accept_local, and in IPv6 always, they reach the program.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { InstanceStatus } from '../../../src/model/vrrp-messages.ts';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours, keepalivedConf } from '../../harness/pair/flavours.ts';
import { Stage, until } from '../../harness/pair/stage.ts';
import { projectFolder } from '../../harness/program.ts';

function status(file: string): InstanceStatus {
  const [one] = JSON.parse(execFileSync(join(projectFolder, 'bin/poise'), ['vrrp', 'status', '--json', '-f', file], { encoding: 'utf8' })) as InstanceStatus[];
  assert(one !== undefined);
  return one;
}

describeInNamespaces('a network that reflects', { concurrency: 2 }, () => {
  const stages: Stage[] = [];
  after(() => { for (const stage of stages) stage.remove(); });
  for (const flavour of flavours.filter((one) => one.name === 'IPv6' || one.name === 'version 3, multicast')) {
    it(`${flavour.name}: its own adverts are neither answered nor believed`, { timeout: 110_000 }, async () => {
      const stage = new Stage();
      stages.push(stage);
      const [node] = stage.hosts;
      for (const [knob, value] of [['accept_local', '1'], ['rp_filter', '0']] as const) for (const where of ['all', 'eth0']) node.setKnob(`ipv4/conf/${where}/${knob}`, value);
      assert.equal(spawnSync('ip', ['-n', stage.world, 'link', 'set', node.port, 'type', 'bridge_slave', 'hairpin', 'on']).status, 0);
      const file = stage.file('reflected.conf', keepalivedConf(flavour, 0));
      node.runPoise('vrrp', '-f', file);
      await until('the node has the address', 30_000, () => node.has(flavour.address));
      let found = status(file);
      await until('some adverts came back', 30_000, () => { found = status(file); return found.counters.ownAdverts >= 10; });
      assert.equal(found.state, 'MASTER');
      assert.equal(found.counters.advertsReceived, 0);
      // Beside the steady ones there is none: an answer to each would have made thousands.
      const steady = (Date.now() - found.since) / 1000 / flavour.advertInterval;
      assert(found.counters.advertsSent <= steady * 1.2 + 3, `${found.counters.advertsSent} adverts sent, ${Math.round(steady)} were due`);
      assert.equal(node.printed.split('this node has sent it itself').length - 1, 1, node.printed);
      assert.doesNotMatch(node.printed, /lower priority|two masters/);
    });
  }
});
