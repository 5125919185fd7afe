/**
 * `npm run soak:pair -- --minutes N [--seed S]`: a pair of whole Poise nodes under a steady load while one node after the other suffers a
 * fault drawn at random. Watches, ten times a second, that never two nodes and never none have the virtual address for longer than
 * allowed, and at the end that nothing has grown: memory, descriptors, processes. Exit code 1 when something was wrong. Needs root and `ip`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Outside } from '../../test/harness/pair/outside.ts';
import { Stage, until, whyNoNamespaces, type Host } from '../../test/harness/pair/stage.ts';
import { articleConf, partOf, startNode, virtualAddress } from '../../test/harness/pair/whole-node.ts';
import { sleep } from '../../test/harness/place.ts';

const lookMs = 100;
/** Three adverts and the skew, or 3 s of silence of a balancer and the skew, and what a loaded machine adds. */
const noneMsMax = 6000;
/** One advert after two masters can hear each other, and what a loaded machine adds. */
const twoMsMax = 2000;
const settleMsMax = 25_000;
/** `timeout client` of the nodes, and some more. */
const connectionMsMax = 12_000;
/** A runtime's heap may settle higher than it began, once. */
const growthMax = 1.5;

interface Fault { readonly name: string; readonly begin: (host: Host) => void; readonly end: (host: Host, start: () => void) => Promise<void> | void }

function signal(part: 'balancer' | 'vrrp' | '', name: NodeJS.Signals): (host: Host) => void {
  return (host) => { for (const pid of partOf(host, part)) process.kill(pid, name); };
}
const nothing = (): void => { /* it mends itself */ };

const faults: readonly Fault[] = [
  { name: 'balancer killed', begin: signal('balancer', 'SIGKILL'), end: nothing },
  { name: 'balancer hung', begin: signal('balancer', 'SIGSTOP'), end: signal('balancer', 'SIGCONT') },
  { name: 'VRRP process killed', begin: signal('vrrp', 'SIGKILL'), end: nothing },
  { name: 'VRRP process hung', begin: signal('vrrp', 'SIGSTOP'), end: startedAgain },
  { name: 'master hung', begin: signal('', 'SIGSTOP'), end: signal('', 'SIGCONT') },
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
  const moves = (pid: number): boolean => {
    try {
      return !/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
    } catch {
      return false;
    }
  };
  await until(`${host.name} has a VRRP process that moves`, 20_000, () => partOf(host, 'vrrp').some(moves));
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

interface Size { readonly processes: number; readonly descriptors: number; readonly residentKb: number }

function sizeOf(host: Host): Size {
  const pids = host.pids();
  const resident = pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0));
  return { processes: pids.length, descriptors: pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0), residentKb: resident.reduce((sum, one) => sum + one, 0) };
}

async function soak(minutes: number, below: (limit: number) => number): Promise<number> {
  const stage = new Stage();
  const outside = new Outside(stage);
  const start = (node: 0 | 1): void => { startNode(stage, node, 'poise', articleConf(node)); };
  // A node that still starts is no help to the other one: the next fault waits for it.
  const runs = (host: Host): boolean => partOf(host, 'balancer').length === 1 && partOf(host, 'vrrp').length === 1;
  const settled = (): Promise<number> => until('both nodes run and the first one alone has the address', settleMsMax, () => stage.hosts[0].has(virtualAddress) && !stage.hosts[1].has(virtualAddress) && stage.hosts.every(runs));
  let wrong = 0;
  const complain = (text: string): void => { wrong += 1; console.log(`✗ ${text}`); };
  await outside.ready();
  start(0);
  start(1);
  await settled();
  outside.load();
  await sleep(5000);
  const sizes = stage.hosts.map(sizeOf);
  const watch = new Watch(stage.hosts);
  const endMs = Date.now() + minutes * 60_000;
  let count = 0;
  while (Date.now() < endMs) {
    const fault = faults[below(faults.length)];
    const node = below(2) === 0 ? 0 : 1;
    const host = stage.hosts[node];
    if (fault === undefined) continue;
    count += 1;
    const holdMs = 200 + below(6000);
    const cutOff = ['cable pulled', 'interface down', 'power cut', 'machine stopped'].includes(fault.name);
    if (cutOff) watch.unreachable = host;
    fault.begin(host);
    await sleep(holdMs);
    await fault.end(host, () => { start(node); });
    watch.unreachable = undefined;
    const settledMs = await settled().catch((error: Error) => { complain(error.message); return settleMsMax; });
    await sleep(1500);
    const { none, two } = watch.take();
    const report = await outside.report();
    console.log(`${String(count).padStart(3)} ${host.name} ${fault.name} for ${(holdMs / 1000).toFixed(1)} s: settled ${(settledMs / 1000).toFixed(1)} s after it; nobody had the address for ${none} ms, two for ${two} ms; ${report.lost} of ${report.sent} requests lost, longest gap ${report.longestGapMs} ms`);
    if (none > noneMsMax) complain(`nobody had the address for ${none} ms`);
    if (two > twoMsMax) complain(`two had the address for ${two} ms`);
  }
  watch.close();
  // Connections whose clients were told nothing, because the address was elsewhere, end with `timeout client`.
  await sleep(connectionMsMax);
  await outside.report();
  await sleep(2000);
  const last = await outside.report();
  if (last.lost > 0 || last.answered === 0) complain(`after the last fault: ${JSON.stringify(last)}`);
  stage.hosts.forEach((host, index) => {
    const [before, now] = [sizes[index], sizeOf(host)];
    if (before === undefined) return;
    console.log(`${host.name}: ${before.processes} processes, ${before.descriptors} descriptors, ${Math.round(before.residentKb / 1024)} MB at the beginning; ${now.processes}, ${now.descriptors}, ${Math.round(now.residentKb / 1024)} MB at the end`);
    if (now.processes !== before.processes) complain(`${host.name} has ${now.processes} processes instead of ${before.processes}`);
    if (now.descriptors > before.descriptors + 20) complain(`${host.name} has ${now.descriptors} descriptors instead of ${before.descriptors}`);
    if (now.residentKb > before.residentKb * growthMax) complain(`${host.name} has grown from ${before.residentKb} to ${now.residentKb} KB`);
  });
  outside.close();
  stage.remove();
  console.log(wrong === 0 ? `${count} faults, nothing wrong` : `${count} faults, ${wrong} wrong`);
  return wrong === 0 ? 0 : 1;
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

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '120' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } } });
const missing = whyNoNamespaces();
if (missing !== '') {
  console.error(`soak:pair: ${missing}`);
  process.exit(2);
}
console.log(`# seed ${values.seed}, ${values.minutes} minutes`);
process.exit(await soak(Number(values.minutes), randomFrom(Number(values.seed))));
