/**
 * One pair of the failover bench on a stage of its own: starts its programs, lets its first node suffer each fault, and tells what a client
 * outside has lost meanwhile. All pairs of a bench suffer the same fault in the same moment. Used by bench/failover/run.ts.
 */
import { readFileSync } from 'node:fs';
import { Outside } from '../../test/harness/pair/outside.ts';
import { Stage, until, type Host } from '../../test/harness/pair/stage.ts';
import { articleConf, fastAdverts, partOf, startNode, virtualAddress, type Programs } from '../../test/harness/pair/whole-node.ts';
import { sleep } from '../../test/harness/place.ts';

export interface Subject { readonly name: string; readonly programs: Programs; readonly fast: boolean }
/** What a client lost while something happened. */
export interface Loss { readonly pings: number; readonly requests: number; readonly gapMs: number; readonly sent: number }

const [slowAdvertMs, fastAdvertMs] = [1000, 100];
const perSecond = 50;
const pingsPerSecond = 10;
/** A request that is not answered by then is lost; a person would have pressed the button again. */
const patienceMs = 1000;
const settleMsMax = 30_000;
/** Characters of what a node printed that are shown when it does not settle. */
const saidLast = 3000;
/** Polls of the settled state: two programs started for each, so not often. */
const lookMs = 100;
/** From the end of one fault to the next one: longer than it takes to lose a request. */
const restMs = 2500;

/** Order matters: each begins with both nodes well and the first one master, unless it says that it follows. */
export const faults = ['power-off', 'return of the node', 'link down', 'planned stop', 'hung balancer', 'partition, then heal'] as const;
type Fault = typeof faults[number];

/** How long the client is watched from the beginning of a fault. */
const watchMs = 7000;
/** When a split network heals, within that time. */
const healAfterMs = 5000;

export class FailoverPair {
  readonly subject: Subject;
  readonly losses: Readonly<Record<Fault, Loss[]>> = { 'power-off': [], 'return of the node': [], 'link down': [], 'planned stop': [], 'hung balancer': [], 'partition, then heal': [] };
  readonly #stage = new Stage();
  readonly #outside = new Outside(this.#stage);

  constructor(subject: Subject) {
    this.subject = subject;
  }

  get #first(): Host { return this.#stage.hosts[0]; }

  #start(node: 0 | 1): void {
    startNode(this.#stage, node, this.subject.programs, articleConf(node, this.subject.fast ? fastAdverts : {}));
  }

  async #settled(): Promise<void> {
    const [first, second] = this.#stage.hosts;
    const what = `${this.subject.name}: the first node alone has the address`;
    await until(what, settleMsMax, () => first.has(virtualAddress) && !second.has(virtualAddress), lookMs).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.#stage.hosts.map((host) => `${host.name} said last:\n${host.printed.slice(-saidLast)}`).join('\n')}`);
    });
  }

  async start(): Promise<void> {
    await this.#outside.ready();
    this.#start(0);
    this.#start(1);
    await this.#settled();
    this.#outside.load(perSecond, patienceMs, pingsPerSecond);
  }

  /** Brings the pair to where the fault may begin. */
  async prepare(fault: Fault): Promise<void> {
    if (fault !== 'return of the node') await this.#settled();
    // What the fault before has left behind, a stale hardware address say, does not count for this one.
    const endMs = performance.now() + settleMsMax;
    for (;;) {
      await this.#outside.report();
      await sleep(restMs);
      const { lost, answered, pings } = await this.#outside.report();
      if (lost === 0 && pings.lost === 0 && answered > 0) return;
      this.#stage.forget(virtualAddress);
      if (performance.now() > endMs) throw new Error(`${this.subject.name}: requests are lost before the fault begins`);
    }
  }

  /** `phase`: 0 … 1, how far between two adverts it happens, because that alone decides on most of a second. */
  async suffer(fault: Fault, phase: number): Promise<Loss> {
    if (fault !== 'return of the node') await this.#outside.nextAdvert();
    await sleep(phase * (this.subject.fast ? fastAdvertMs : slowAdvertMs));
    await this.#begin(fault);
    await sleep(watchMs);
    const { lost, sent, longestGapMs, pings } = await this.#outside.report();
    const loss = { pings: pings.lost, requests: lost, gapMs: longestGapMs, sent };
    this.losses[fault].push(loss);
    await this.#mend(fault);
    return loss;
  }

  async #begin(fault: Fault): Promise<void> {
    const first = this.#first;
    if (fault === 'power-off') first.cutPower();
    else if (fault === 'return of the node') this.#restore();
    else if (fault === 'link down') first.link('down');
    else if (fault === 'hung balancer') this.#signalBalancer('SIGSTOP');
    else if (fault === 'planned stop') void this.#stop();
    else {
      first.unplug();
      await sleep(healAfterMs);
      first.plug();
    }
  }

  async #mend(fault: Fault): Promise<void> {
    if (fault === 'link down') this.#first.link('up');
    else if (fault === 'hung balancer') this.#signalBalancer('SIGCONT');
    else if (fault === 'planned stop') {
      await until(`${this.subject.name}: the first node has ended`, settleMsMax, () => this.#first.pids().length === 0, lookMs);
      this.#start(0);
    }
  }

  #restore(): void {
    this.#first.restorePower([virtualAddress]);
    this.#start(0);
  }

  /** As a shutdown in the right order does: the address is given away before the balancer ends. */
  async #stop(): Promise<void> {
    if (this.subject.programs === 'poise') await this.#first.stop();
    else {
      for (const name of ['keepalived', 'haproxy']) {
        for (const pid of this.#pidsOf(name)) process.kill(pid, 'SIGTERM');
        await until(`${name} has ended`, settleMsMax, () => this.#pidsOf(name).length === 0, lookMs);
      }
    }
  }

  #pidsOf(name: string): number[] {
    return this.#first.pids().filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith(name);
      } catch {
        return false;
      }
    });
  }

  #signalBalancer(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.subject.programs === 'poise' ? partOf(this.#first, 'balancer') : this.#pidsOf('haproxy')) process.kill(pid, signal);
  }

  close(): void {
    this.#outside.close();
    this.#stage.remove();
  }
}
