/**
 * What other hands do to a node's interface and addresses, in network namespaces: an interface that vanishes and returns, an address that is
 * taken off, an address that another machine uses.
 */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours, keepalivedConf, type Flavour } from '../../harness/pair/flavours.ts';
import { Stage, until } from '../../harness/pair/stage.ts';

const startMs = 30_000;

describeInNamespaces('the interface of a node', { concurrency: 3 }, () => {
  const stages: Stage[] = [];
  after(() => { for (const stage of stages) stage.remove(); });
  const flavour = flavours.find((one) => one.name === 'version 3, multicast') as Flavour;
  const { address } = flavour;

  function begin(more = ''): Stage {
    const stage = new Stage();
    stages.push(stage);
    stage.hosts.forEach((host, index) => { host.runPoise('vrrp', '-f', stage.file(`${host.name}.conf`, keepalivedConf(flavour, index === 0 ? 0 : 1, more))); });
    return stage;
  }

  it('vanishes and returns: FAULT with the reason, then master again', { timeout: 110_000 }, async () => {
    const stage = begin();
    const [first, second] = stage.hosts;
    await until('the first node has the address', startMs, () => first.has(address) && !second.has(address));
    stage.removeInterface(first);
    await until('the second node has the address', 3000, () => second.has(address));
    await until('the first node says why', 1000, () => /Entering FAULT STATE \((there is no interface eth0|interface eth0 is down)\)/.test(first.printed));
    stage.addInterface(first);
    await until('the first node has the address again', 5000, () => first.has(address) && !second.has(address));
    assert.equal(stage.neighbour(address), first.hardwareAddress());
  });

  it('goes down and up again', { timeout: 110_000 }, async () => {
    const stage = begin();
    const [first, second] = stage.hosts;
    await until('the first node has the address', startMs, () => first.has(address) && !second.has(address));
    first.link('down');
    await until('the second node has the address', 3000, () => second.has(address) && !first.has(address));
    await until('the first node says why', 1000, () => /Entering FAULT STATE \(interface eth0 is down/.test(first.printed));
    first.link('up');
    await until('the first node has the address again', 5000, () => first.has(address) && !second.has(address));
  });

  it('gets an address back that somebody took off', { timeout: 110_000 }, async () => {
    const stage = begin();
    const [first, second] = stage.hosts;
    await until('the first node has the address', startMs, () => first.has(address) && !second.has(address));
    first.exec('addr', 'del', `${address}/24`, 'dev', 'eth0');
    await until('it is set again', 1000, () => first.has(address));
    await until('it says so', 1000, () => first.printed.includes('had been removed by somebody else and were set again'));
    assert.equal(second.has(address), false);
  });

  it('shares an address with another machine: said loudly, with its hardware address', { timeout: 110_000 }, async () => {
    const stage = begin();
    const [first] = stage.hosts;
    await until('the first node has the address', startMs, () => first.has(address));
    stage.claim(address);
    await until('the first node says so', 16_000, () => new RegExp(`somebody else uses ${address}: ${stage.hardwareAddress()} answers for it`).test(first.printed));
    assert.equal(first.has(address), true, 'whoever shouts does not take an address away');
  });
});
