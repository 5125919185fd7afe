/**
 * The life of one pair in network namespaces, from its start through every fault and back, under a steady load, with tcpdump on both wires and
 * a mailbox: two whole nodes, each Poise or HAProxy and keepalived. Goes as fast as its conditions allow; what was seen is judged
 * afterwards, fault by fault, by test/harness/pair/verdict.ts. Used by test/system/pair/moves.test.ts.
 */
import { Capture } from './capture.ts';
import { keepalivedConf, type Flavour } from './flavours.ts';
import { Outside } from './outside.ts';
import { Stage, until, type Host } from './stage.ts';
import { haproxyCfg, partOf } from './whole-node.ts';
import type { LetterReport, RecordsReport } from './world.ts';
import { sleep } from '../place.ts';

export type Program = 'poise' | 'keepalived';
const hangs = ['SIGSTOP of the balancer', 'fail-back after SIGCONT', 'SIGSTOP of the balancer of the standby'] as const;
const faults = ['start', 'graceful stop', 'fail-back after it', 'power-off (kill -9)', 'fail-back after power-off', 'link down', 'fail-back after link down', ...hangs, 'partition and heal'] as const;
export type Fault = typeof faults[number];

/** HAProxy's hung balancer cannot be told from a live one; there the balancer of the standby hangs, which must not take the address then. */
export function faultsOf(programs: readonly [Program, Program]): Fault[] {
  const other: readonly Fault[] = programs[0] === 'poise' ? hangs.slice(2) : hangs.slice(0, 2);
  return faults.filter((fault) => !other.includes(fault));
}

/** A machine under the load of other tests may start a program late. */
const startMs = 30_000;
/** For what should be there at once. */
const soonMs = 5000;
/** A keepalived that was master yields to the other one without a word, which announces itself again within ten seconds. */
const announcedAgainMs = 15_000;
export const [requestsPerSecond, pingsPerSecond, patienceMs] = [50, 20, 2000];
/** Answers by one node, one after the other, that tell that the load has settled on it. */
const settledAnswers = 5;
/** Requests that may be under way meanwhile: half a second of them. */
const openMax = 25;
const answeredMs = 20_000;
const lookMs = 150;
/** A node that was cut off from its servers would answer 503 for a while, which says nothing of the address. */
const serverFailuresMax = 100;
/** Between two reports of the load. */
const reportMs = 50;
/** An address that an announcement has told again meanwhile is asked for once more. */
const askAgainMs = 500;

/** All times are epoch milliseconds. */
export interface Step {
  /** When it was done to the pair. */
  readonly atMs: number;
  /** Who takes the address because of it; undefined: nobody. */
  readonly taker: Host | undefined;
  /** Who has the address at its end. */
  readonly master: Host;
  /** From here to `endMs` nothing happens, and requests are answered by the master. */
  settledMs: number;
  endMs: number;
  /** Of a partition: when it ended. */
  healedMs: number;
}

export class Story {
  readonly stage = new Stage();
  readonly flavour: Flavour;
  readonly programs: readonly [Program, Program];
  readonly first: Host;
  readonly second: Host;
  readonly capture: Capture;
  readonly steps = new Map<Fault, Step>();
  /** Of each host's interface. */
  readonly hardware = new Map<Host, string>();
  readonly letters: readonly LetterReport[];
  records: RecordsReport = { kind: 'records', requests: [], pings: [] };
  /** Why it did not come to its end. */
  broke: Error | undefined;
  readonly #outside: Outside;

  constructor(flavour: Flavour, programs: readonly [Program, Program]) {
    this.flavour = flavour;
    this.programs = programs;
    [this.first, this.second] = this.stage.hosts;
    for (const host of this.stage.hosts) this.hardware.set(host, host.hardwareAddress());
    this.capture = new Capture(this.stage);
    this.#outside = new Outside(this.stage);
    this.letters = this.#outside.letters;
  }

  programOf(host: Host): Program { return this.programs[host === this.first ? 0 : 1]; }
  otherThan(host: Host): Host { return host === this.first ? this.second : this.first; }

  #start(host: Host): void {
    const node = host === this.first ? 0 : 1;
    const configuration = this.stage.file(`${host.name}-haproxy.cfg`, haproxyCfg(node).replace('fall 2', `fall ${serverFailuresMax}`));
    const mail = '  notification_email {\n    admin@lab.local\n  }\n  notification_email_from lb@lab.local\n  smtp_server 10.77.0.9\n';
    const file = this.stage.file(`${host.name}.conf`, keepalivedConf(this.flavour, node, '  smtp_alert\n', mail));
    const poise = this.stage.file(`${host.name}-poise.cfg`, `poise\n  mail-queue ${this.stage.folder}/mail-${node}\n`);
    if (this.programs[node] === 'poise') host.runPoise('-f', configuration, '-f', poise, '--keepalived', file);
    else {
      host.run('haproxy', ['-db', '-f', configuration]);
      host.runKeepalived(file);
    }
  }

  /** Never throws: what broke it is for the fault at which it broke to tell. */
  async run(): Promise<void> {
    try {
      await this.#live();
    } catch (error) {
      this.broke = error as Error;
    } finally {
      this.records = await this.#outside.records().catch(() => this.records);
      this.#outside.close();
      this.capture.close();
      this.stage.remove();
    }
  }

  async #live(): Promise<void> {
    const { first, second, flavour } = this;
    await Promise.all([this.capture.ready(), this.#outside.ready()]);
    await this.#step('start', first, () => {
      this.#start(second);
      this.#start(first);
      this.#outside.recordedLoad(flavour.address, requestsPerSecond, patienceMs, pingsPerSecond);
    });
    if (this.programs[1] === 'poise') await until('the second node listens', startMs, () => second.printed.includes('Entering BACKUP STATE'));
    await this.#step('graceful stop', second, () => this.#stop(first));
    await this.#step('fail-back after it', first, () => { this.#start(first); });
    await this.#step('power-off (kill -9)', second, () => { first.cutPower(); });
    await this.#step('fail-back after power-off', first, () => {
      first.restorePower(flavour.address.includes(':') ? [] : [flavour.address]);
      this.#restoreIpv6();
      this.#start(first);
    });
    await this.#step('link down', second, () => { first.link('down'); });
    await this.#step('fail-back after link down', first, () => {
      first.link('up');
      this.#restoreIpv6();
    });
    if (this.programs[0] === 'poise') await this.#hang();
    else await this.#hangStandby();
    await this.#partition();
    await this.#stop(second);
    await this.#stop(first);
  }

  /** A link that goes down loses its IPv6 addresses. */
  #restoreIpv6(): void {
    if (this.flavour.address.includes(':')) this.first.exec('addr', 'replace', '2001:db8:77::11/64', 'dev', 'eth0', 'nodad');
  }

  async #step(fault: Fault, master: Host, act: () => unknown, withinMs = this.flavour.advertInterval * 3000 + startMs): Promise<void> {
    const step: Step = { atMs: Date.now(), taker: master, master, settledMs: 0, endMs: 0, healedMs: 0 };
    this.#closeLast(step.atMs);
    this.steps.set(fault, step);
    await act();
    await until(`${fault}: ${master.name} sends adverts`, withinMs, () => this.capture.first(master, step.atMs) !== undefined);
    await this.#settle(fault, step);
  }

  #closeLast(atMs: number): void {
    const last = [...this.steps.values()].at(-1);
    if (last !== undefined) last.endMs = atMs;
  }

  /** The step's master alone has the address, the network has been told so, and all requests go there. */
  async #settle(fault: Fault, step: Step): Promise<void> {
    const { address } = this.flavour;
    const { master } = step;
    const other = this.otherThan(master);
    // A machine without power keeps here the address that nobody took away.
    const isDead = fault === 'power-off (kill -9)';
    await until(`${fault}: ${master.name} alone has ${address}`, soonMs, () => master.has(address) && (isDead || !other.has(address)), lookMs);
    const silent = fault === 'partition and heal' && this.programs[1] === 'keepalived';
    await until(`${fault}: the network was told`, silent ? announcedAgainMs : soonMs, () => this.stage.neighbour(address) === this.hardware.get(master), lookMs);
    const beganMs = Date.now();
    let askedMs = 0;
    await until(`${fault}: ${master.name} answers whoever asks for ${address}`, soonMs, () => {
      if (Date.now() - askedMs > askAgainMs) {
        askedMs = Date.now();
        this.stage.forget(address);
      }
      return this.capture.answers(address, beganMs).length > 0;
    });
    await this.#answered(fault, master);
    step.settledMs = Date.now();
    await this.#answered(fault, master);
    step.endMs = Date.now();
  }

  async #answered(fault: string, master: Host): Promise<void> {
    const endMs = performance.now() + answeredMs;
    await this.#outside.report();
    for (let answers = 0; answers < settledAnswers;) {
      if (performance.now() > endMs) throw new Error(`${fault}: requests are not answered by ${master.name} alone`);
      await sleep(reportMs);
      const { nodes, lost, open } = await this.#outside.report();
      const alone = lost === 0 && open < openMax && Object.keys(nodes).every((node) => node === master.name);
      answers = alone ? answers + (nodes[master.name] ?? 0) : 0;
    }
  }

  /** As a shutdown in the right order does: the address is given away before the balancer ends. */
  async #stop(host: Host): Promise<void> {
    await host.stop();
    for (const pid of host.pids()) process.kill(pid, 'SIGTERM');
    await until(`${host.name} has ended`, soonMs, () => host.pids().length === 0, lookMs);
  }

  async #hang(): Promise<void> {
    const [balancer = 0] = partOf(this.first, 'balancer');
    await this.#step('SIGSTOP of the balancer', this.second, () => { process.kill(balancer, 'SIGSTOP'); });
    await this.#step('fail-back after SIGCONT', this.first, () => { process.kill(balancer, 'SIGCONT'); });
  }

  async #hangStandby(): Promise<void> {
    const { first, second } = this;
    const fault = 'SIGSTOP of the balancer of the standby';
    const told = (): number => second.printed.split('Entering BACKUP STATE').length;
    const before = told();
    const [balancer = 0] = partOf(second, 'balancer');
    const atMs = Date.now();
    const step: Step = { atMs, taker: undefined, master: first, settledMs: atMs, endMs: 0, healedMs: 0 };
    this.#closeLast(atMs);
    this.steps.set(fault, step);
    process.kill(balancer, 'SIGSTOP');
    await until('the second node is in FAULT', startMs, () => second.printed.includes('Entering FAULT STATE (the balancer has not answered'));
    process.kill(balancer, 'SIGCONT');
    await until('the second node is well again', startMs, () => told() > before);
    await this.#answered(fault, first);
    step.endMs = Date.now();
  }

  async #partition(): Promise<void> {
    const { first, second, flavour } = this;
    const step: Step = { atMs: Date.now(), taker: second, master: first, settledMs: 0, endMs: 0, healedMs: 0 };
    this.#closeLast(step.atMs);
    this.steps.set('partition and heal', step);
    first.unplug();
    await until('both are master while the network is split', flavour.advertInterval * 3000 + startMs, () => this.capture.first(second, step.atMs) !== undefined && second.has(flavour.address) && first.has(flavour.address), lookMs);
    // Longer than a preemption could explain.
    await sleep(flavour.advertInterval * 2000 + 500);
    step.healedMs = Date.now();
    first.plug();
    await until('one master after it heals', soonMs, () => first.has(flavour.address) && !second.has(flavour.address), lookMs);
    await this.#settle('partition and heal', step);
  }
}
