/** Seeded runs of 2 to 5 nodes through loss, delay, duplication, partitions, pauses and restarts: who is master, and for how long it is nobody or two. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulatedNetwork, type SimulatedNode } from './network.ts';

const runs = 10_000;
const advertMs = 1000;

interface Outcome { readonly two: number; readonly none: number; readonly masters: number; readonly delayMs: number; readonly noneMaxMs: number }

function trouble(network: SimulatedNetwork, node: SimulatedNode): void {
  const { random } = network;
  const what = random();
  if (!node.up) node.restart();
  else if (node.paused) node.resume();
  else if (what < 0.2) node.crash();
  else if (what < 0.4) node.paused = true;
  else if (what < 0.65) node.partition = Math.floor(random() * 2);
  else if (what < 0.75 && node.state !== 'STOP') node.give({ kind: 'stop' });
  else if (what < 0.85) node.give(node.state === 'FAULT' ? { kind: 'recovered' } : { kind: 'fault', why: 'link down' });
  else node.give({ kind: 'priority', priority: 1 + Math.floor(random() * 254) });
}

function heal(network: SimulatedNetwork): void {
  network.loss = 0;
  network.duplication = 0;
  for (const node of network.nodes) {
    node.partition = 0;
    if (!node.up || node.state === 'STOP') node.restart();
    if (node.paused) node.resume();
    if (node.state === 'FAULT') node.give({ kind: 'recovered' });
  }
}

function run(seed: number): Outcome {
  const network = new SimulatedNetwork(seed);
  const { random } = network;
  const count = 2 + Math.floor(random() * 4);
  const version = random() < 0.5 ? 2 : 3;
  for (let index = 0; index < count; index++) {
    const priority = random() < 0.3 ? 100 : 1 + Math.floor(random() * 254);
    const preempt = random() < 0.7;
    network.add({ version, priority, advertMs, preempt, preemptDelayMs: preempt && random() < 0.3 ? 3000 : 0, higherPrioritySendAdvert: random() < 0.2 }, random() < 0.8);
  }
  network.delayMs = 1 + random() * 300;
  for (const node of network.nodes) network.at(random() * 2000, () => { node.give({ kind: 'start' }); });
  let [two, none] = [0, 0];
  for (let cycle = 1; cycle <= 2; cycle++) {
    network.loss = random() * 0.6;
    network.duplication = random() * 0.3;
    const troubles = 1 + Math.floor(random() * 8);
    const startMs = network.nowMs;
    for (let index = 0; index < troubles; index++) {
      const node = network.nodes[Math.floor(random() * count)] as SimulatedNode;
      network.at(startMs + random() * 15_000, () => { trouble(network, node); });
    }
    network.runUntil(startMs + 15_000);
    heal(network);
    network.watch();
    network.runUntil(network.nowMs + 15_000);
    network.stopWatching();
    two = Math.max(two, network.longestTwoMs);
    none = Math.max(none, network.longestNoneMs);
  }
  return { two, none, masters: network.nodes.filter((node) => node.isMaster).length, delayMs: network.delayMs, noneMaxMs: 4 * advertMs + network.delayMs };
}

describe('many nodes, much trouble', () => {
  it(`in ${runs} seeded runs nobody and two are master no longer than the protocol allows`, () => {
    for (let seed = 1; seed <= runs; seed++) {
      const outcome = run(seed);
      assert.equal(outcome.masters, 1, `seed ${seed}: ${outcome.masters} masters in the end`);
      assert(outcome.two <= advertMs + outcome.delayMs, `seed ${seed}: two masters for ${outcome.two} ms, delay ${outcome.delayMs} ms`);
      assert(outcome.none <= outcome.noneMaxMs, `seed ${seed}: no master for ${outcome.none} ms`);
    }
  });
});
