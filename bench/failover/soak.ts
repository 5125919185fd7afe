/**
 * `npm run soak:pair -- --minutes N [--scale S] [--seed S]`: a pair of whole Poise nodes under a steady load while one node after the other suffers
 * a fault drawn at random. Watches, ten times a second, that never two nodes and never none have the virtual address for longer than
 * allowed, and that nothing grows: memory and descriptors of every process, processes, namespaces. With --scale the protocol runs that many
 * times faster. Exit code 1 when something was wrong. Needs root and `ip`.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Outside } from '../../test/harness/pair/outside.ts';
import { Stage, until, whyNoNamespaces, type Host } from '../../test/harness/pair/stage.ts';
import { articleConf, fastAdverts, partOf, startNode, virtualAddress } from '../../test/harness/pair/whole-node.ts';
import { sleep } from '../../test/harness/place.ts';
import { movesAgain, Sizes } from './sizes.ts';

const lookMs = 100;
/** What a loaded machine adds. */
const busyMs = { none: 2000, two: 1000 } as const;
/** How long a process that hangs is waited for before it is taken for hung: no part of the protocol. */
const silenceMs = { none: 0, balancer: 3000, master: 3000 } as const;
/** From the end of a VRRP process (for one that hangs: from the hang) until the next one has cleared what it left. */
const leftBehindMs = { none: 0, killed: 1500, hung: 4000 } as const;
const settleMsMax = 25_000;
/** `timeout client` of the nodes, and some more. */
const connectionMsMax = 12_000;
/** How long a fault lasts, and the rest after it. */
const [holdMsMin, holdMsSpan, restMs] = [200, 6000, 1500] as const;

interface Fault {
  readonly name: string;
  readonly begin: (host: Host) => void;
  readonly end: (host: Host, start: () => void) => Promise<void> | void;
  /** Who is waited for before the address moves; 'none': the network notices, by the protocol. */
  readonly silent?: keyof typeof silenceMs;
  readonly left?: keyof typeof leftBehindMs;
}

function signal(part: 'balancer' | 'vrrp' | '', name: NodeJS.Signals): (host: Host) => void {
  return (host) => { for (const pid of partOf(host, part)) process.kill(pid, name); };
}
const nothing = (): void => { /* it mends itself */ };

const faults: readonly Fault[] = [
  { name: 'balancer killed', begin: signal('balancer', 'SIGKILL'), end: nothing },
  { name: 'balancer hung', begin: signal('balancer', 'SIGSTOP'), end: signal('balancer', 'SIGCONT'), silent: 'balancer' },
  { name: 'VRRP process killed', begin: signal('vrrp', 'SIGKILL'), end: nothing, left: 'killed' },
  { name: 'VRRP process hung', begin: signal('vrrp', 'SIGSTOP'), end: startedAgain, left: 'hung' },
  { name: 'master hung', begin: signal('', 'SIGSTOP'), end: signal('', 'SIGCONT'), silent: 'master' },
  { name: 'master killed', begin: signal('', 'SIGKILL'), end: async (host, start) => { await allGone(host); start(); } },
  { name: 'program stopped', begin: signal('', 'SIGTERM'), end: async (host, start) => { await allGone(host); start(); } },
  { name: 'cable pulled', begin: (host) => { host.unplug(); }, end: (host) => { host.plug(); } },
  { name: 'interface down', begin: (host) => { host.link('down'); }, end: (host) => { host.link('up'); } },
  { name: 'power cut', begin: (host) => { host.cutPower(); }, end: (host, start) => { host.restorePower([virtualAddress]); start(); } },
  { name: 'address taken off', begin: (host) => { if (host.has(virtualAddress)) host.exec('addr', 'del', `${virtualAddress}/24`, 'dev', 'eth0'); }, end: nothing },
  { name: 'machine stopped', begin: (host) => { for (const pid of host.pids()) process.kill(pid, 'SIGSTOP'); }, end: (host) => { for (const pid of host.pids()) process.kill(pid, 'SIGCONT'); } },
];

/** Its master has ended the VRRP process that hung. */
async function startedAgain(host: Host): Promise<void> {
  await until(`${host.name} has a VRRP process that moves`, 20_000, () => partOf(host, 'vrrp').some(movesAgain));
}

async function allGone(host: Host): Promise<void> {
  await until(`the programs of ${host.name} have ended`, 20_000, () => host.pids().length === 0);
}

/** Looks at who has the address, all the time. */
class Watch {
  readonly longestMs = { none: 0, two: 0 };
  readonly #hosts: readonly Host[];
  readonly #timer: NodeJS.Timeout;
  #sinceMs = performance.now();
  #was: 'none' | 'one' | 'two' = 'one';
  /** A host that nobody can reach does not count: nobody sees what it has. */
  unreachable: Host | undefined;

  constructor(hosts: readonly Host[]) {
    this.#hosts = hosts;
    this.#timer = setInterval(() => { this.#look(); }, lookMs);
  }

  #look(): void {
    const owners = this.#hosts.filter((host) => host !== this.unreachable && host.has(virtualAddress)).length;
    const now = owners === 0 ? 'none' : owners === 1 ? 'one' : 'two';
    const nowMs = performance.now();
    if (now !== this.#was) [this.#was, this.#sinceMs] = [now, nowMs];
    if (now !== 'one') this.longestMs[now] = Math.max(this.longestMs[now], nowMs - this.#sinceMs);
  }

  /** Longest times since the last call. */
  take(): { none: number; two: number } {
    const taken = { none: Math.round(this.longestMs.none), two: Math.round(this.longestMs.two) };
    this.longestMs.none = 0;
    this.longestMs.two = 0;
    return taken;
  }

  close(): void { clearInterval(this.#timer); }
}

interface Run { readonly minutes: number; readonly scale: number; readonly below: (limit: number) => number }

/** The article's file; from scale 2 on in version 3, which alone has parts of a second. */
function confOf(node: 0 | 1, scale: number): string {
  if (scale === 1) return articleConf(node);
  return articleConf(node, { replace: [['advert_int 1', `version 3\n    advert_int ${(1 / scale).toFixed(2)}`], ...fastAdverts.replace?.slice(1) ?? []] });
}

class Soak {
  readonly #run: Run;
  readonly #stage = new Stage();
  readonly #outside = new Outside(this.#stage);
  readonly #sizes = new Sizes();
  readonly #watch = new Watch(this.#stage.hosts);
  #wrong = 0;
  #count = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  #complain(text: string): void {
    this.#wrong += 1;
    console.log(`✗ ${text}`);
  }

  #start(node: 0 | 1): void { startNode(this.#stage, node, 'poise', confOf(node, this.#run.scale)); }

  /** A node that still starts is no help to the other one: the next fault waits for it. */
  #settled(): Promise<number> {
    const { hosts } = this.#stage;
    const runs = (host: Host): boolean => partOf(host, 'balancer').length === 1 && partOf(host, 'vrrp').length === 1;
    return until('both nodes run and the first one alone has the address', settleMsMax, () => hosts[0].has(virtualAddress) && !hosts[1].has(virtualAddress) && hosts.every(runs));
  }

  /** 0 when nothing was wrong. */
  async run(): Promise<number> {
    const { minutes, scale } = this.#run;
    await this.#outside.ready();
    this.#start(0);
    this.#start(1);
    await this.#settled();
    this.#outside.load();
    await sleep(5000);
    const processes = this.#stage.hosts.map((host) => host.pids().length);
    this.#watch.take();
    const endMs = Date.now() + minutes * 60_000;
    while (Date.now() < endMs) await this.#fault();
    this.#watch.close();
    // Connections whose clients were told nothing, because the address was elsewhere, end with `timeout client`.
    await sleep(connectionMsMax);
    await this.#outside.report();
    await sleep(2000);
    const last = await this.#outside.report();
    if (last.lost > 0 || last.answered === 0) this.#complain(`after the last fault: ${JSON.stringify(last)}`);
    for (const host of this.#stage.hosts) this.#sizes.look(host);
    for (const line of this.#sizes.report((text) => { this.#complain(text); })) console.log(line);
    this.#stage.hosts.forEach((host, index) => {
      if (host.pids().length !== processes[index]) this.#complain(`${host.name} has ${host.pids().length} processes instead of ${processes[index] ?? 0}`);
    });
    await this.#takeDown();
    console.log(`${this.#count} faults in ${minutes} minutes${scale > 1 ? `, of adverts as many as in ${minutes * scale} minutes at advert_int 1` : ''}: ${this.#wrong === 0 ? 'nothing wrong' : `${this.#wrong} wrong`}`);
    return this.#wrong;
  }

  async #fault(): Promise<void> {
    const { below, scale } = this.#run;
    const fault = faults[below(faults.length)];
    const node = below(2) === 0 ? 0 : 1;
    const host = this.#stage.hosts[node];
    if (fault === undefined) return;
    this.#count += 1;
    const { silent = 'none', left = 'none' } = fault;
    // Whoever waits for a process waits as long as ever.
    const holdMs = (holdMsMin + below(holdMsSpan)) / (silent === 'none' && left === 'none' ? scale : 1);
    const cutOff = ['cable pulled', 'interface down', 'power cut', 'machine stopped'].includes(fault.name);
    if (cutOff) this.#watch.unreachable = host;
    fault.begin(host);
    await sleep(holdMs);
    await fault.end(host, () => { this.#start(node); });
    this.#watch.unreachable = undefined;
    const settledMs = await this.#settled().catch((error: Error) => { this.#complain(error.message); return settleMsMax; });
    await sleep(restMs / scale);
    for (const one of this.#stage.hosts) this.#sizes.look(one);
    const { none, two } = this.#watch.take();
    const report = await this.#outside.report();
    console.log(`${String(this.#count).padStart(3)} ${host.name} ${fault.name} for ${(holdMs / 1000).toFixed(1)} s: settled ${(settledMs / 1000).toFixed(1)} s after it; nobody had the address for ${none} ms, two for ${two} ms; ${report.lost} of ${report.sent} requests lost, longest gap ${report.longestGapMs} ms`);
    const advertMs = 1000 / scale;
    const noneMax = silenceMs[silent] + (silent === 'none' ? 4 : 1) * advertMs + busyMs.none;
    const twoMax = advertMs + Math.max(0, leftBehindMs[left] - 4 * advertMs) + busyMs.two;
    if (none > noneMax) this.#complain(`nobody had the address for ${none} ms, ${noneMax} allowed`);
    if (two > twoMax) this.#complain(`two had the address for ${two} ms, ${twoMax} allowed`);
  }

  async #takeDown(): Promise<void> {
    for (const host of this.#stage.hosts) {
      await host.stop().catch((error: Error) => { this.#complain(error.message); });
      if (host.has(virtualAddress)) this.#complain(`${host.name} has kept the address`);
      const left = host.pids().length;
      if (left > 0) this.#complain(`${host.name} has left ${left} processes`);
    }
    this.#outside.close();
    this.#stage.remove();
    if (spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout.includes(this.#stage.prefix)) this.#complain('namespaces were left');
  }
}

/** Same faults for the same seed (xorshift). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % below;
  };
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '120' }, scale: { type: 'string', default: '1' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } } });
const [minutes, scale, seed] = [Number(values.minutes), Number(values.scale), Number(values.seed)];
const missing = whyNoNamespaces();
if (missing !== '' || !(minutes > 0) || !(scale >= 1 && scale <= 10)) {
  console.error(`soak:pair: ${missing === '' ? '--minutes wants a number above 0, --scale one from 1 to 10' : missing}`);
  process.exit(2);
}
console.log(`# seed ${seed}, ${minutes} minutes, advert_int ${(1 / scale).toFixed(2)} s`);
if (scale > 1) {
  console.log(`# ${scale} times as fast: adverts (version 3 for that), how long faults last that the network notices, the rest between faults, the times allowed for the protocol`);
  console.log('# as ever: how long a process that hangs is waited for (2 to 3 s) and those faults, starts of programs, health checks, time limits of connections, the load');
}
process.exit(await new Soak({ minutes, scale, below: randomFrom(seed) }).run() === 0 ? 0 : 1);
