/**
 * Adverts that no node may believe, sent to a pair in network namespaces: each is counted, none moves an address, and the log stays short,
 * from however many machines they seem to come.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, it } from 'node:test';
import type { InstanceStatus, VrrpCounters } from '../../../src/model/vrrp-messages.ts';
import type { Attack, Sent } from '../../harness/pair/attacker.ts';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours, keepalivedConf } from '../../harness/pair/flavours.ts';
import { Stage, until, type Host } from '../../harness/pair/stage.ts';
import { sleep } from '../../harness/place.ts';
import { projectFolder } from '../../harness/program.ts';

const randomPackets = 4000;
/** The kernel drops what a node on a busy machine does not read in time. */
const countedShare = 0.9;
/** Of one node while thousands of bad packets come. */
const logLinesMax = 60;

function status(file: string): InstanceStatus {
  const [one] = JSON.parse(execFileSync(join(projectFolder, 'bin/poise'), ['vrrp', 'status', '--json', '-f', file], { encoding: 'utf8' })) as InstanceStatus[];
  assert(one !== undefined);
  return one;
}

async function attack(stage: Stage, what: Attack): Promise<Sent> {
  const child = stage.inWorld(process.execPath, [join(projectFolder, 'test/harness/pair/attacker.ts'), JSON.stringify(what)]);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  await once(child, 'close');
  return JSON.parse(text) as Sent;
}

function lines(host: Host): number { return host.printed.split('\n').length; }

const refused: readonly (keyof VrrpCounters)[] = [
  'packetLengthErrors', 'timeToLiveErrors', 'invalidTypeReceived', 'advertIntervalErrors', 'invalidAuthType', 'authTypeMismatch', 'authFailure', 'versionErrors', 'checksumErrors', 'otherRouterIds',
  'foreignSources',
];
/** Which counter a kind of packet has to move at least. */
const counterOf: Readonly<Record<string, keyof VrrpCounters>> = {
  truncated: 'packetLengthErrors', checksum: 'checksumErrors', ttl: 'timeToLiveErrors', type: 'invalidTypeReceived', version: 'versionErrors', foreign: 'otherRouterIds',
  password: 'authFailure', 'no password': 'authTypeMismatch', interval: 'advertIntervalErrors', authentication: 'invalidAuthType',
};

describeInNamespaces('bad packets', { concurrency: 3 }, () => {
  const stages: Stage[] = [];
  after(() => { for (const stage of stages) stage.remove(); });
  const chosen = flavours.filter((flavour) => flavour.name.endsWith('PASS') || ['version 3, multicast', 'IPv6'].includes(flavour.name));
  for (const flavour of chosen) {
    it(`${flavour.name}: counted, told briefly, never believed`, { timeout: 110_000 }, async () => {
      const stage = new Stage();
      stages.push(stage);
      const [first, second] = stage.hosts;
      const files = stage.hosts.map((host, index) => stage.file(`${host.name}.conf`, keepalivedConf(flavour, index === 0 ? 0 : 1)));
      stage.hosts.forEach((host, index) => { host.runPoise('vrrp', '-f', files[index] ?? ''); });
      await until('the first node has the address', 30_000, () => first.has(flavour.address) && !second.has(flavour.address));
      await sleep(500);
      const before = files.map(status);
      const printed = stage.hosts.map(lines);

      const sent = await attack(stage, { family: flavour.address.includes(':') ? 6 : 4, version: flavour.advertInterval === 1 ? 2 : 3, seed: 20_240_117, random: randomPackets, password: flavour.advertInterval === 1 ? 'lab12345' : '', advertMs: flavour.advertInterval * 1000, virtualRouterId: 51 });
      assert((sent['random'] ?? 0) > randomPackets / 2, JSON.stringify(sent));
      // Longer than the other node waits for a master.
      await sleep(flavour.advertInterval * 4000);

      const total = Object.values(sent).reduce((sum, count) => sum + count, 0);
      const countedOf = (now: InstanceStatus, was: InstanceStatus | undefined): number => refused.reduce((sum, name) => sum + now.counters[name] - (was?.counters[name] ?? 0), 0);
      const after = files.map(status);
      after.forEach((now, index) => {
        const was = before[index];
        assert(was !== undefined);
        assert.deepEqual([now.state, now.since, now.priority], [was.state, was.since, was.priority], `${stage.hosts[index]?.name ?? ''} did not move`);
        for (const [kind, count] of Object.entries(sent)) {
          const counter = counterOf[kind];
          if (counter !== undefined) assert(now.counters[counter] - was.counters[counter] >= count, `${kind}: ${now.counters[counter] - was.counters[counter]} of ${count} in ${counter}`);
        }
        const counted = countedOf(now, was);
        assert(counted <= total && counted >= total * countedShare, `${counted} of ${total} bad packets were counted`);
      });
      stage.hosts.forEach((host, index) => { assert(lines(host) - (printed[index] ?? 0) < logLinesMax, `${host.name} printed ${lines(host) - (printed[index] ?? 0)} lines`); });
      assert.equal(first.has(flavour.address) && !second.has(flavour.address), true);
    });
  }
});
