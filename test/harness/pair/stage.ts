/**
 * Two hosts on one network, made of network namespaces: a world (bridge, clients, servers, mail) and hap01 and hap02, each with eth0 on the
 * bridge. Everything carries the test's process id in its name and is taken down again. Needs root and `ip`.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder, runtime } from '../program.ts';
import { sleep } from '../place.ts';

/** Why the tests with namespaces cannot run here; empty: they can. */
export function whyNoNamespaces(): string {
  if (process.getuid?.() !== 0) return 'not root: network namespaces cannot be made';
  if (spawnSync('ip', ['-V']).status !== 0) return 'iproute2 is not installed';
  const probe = `poise-${process.pid}-probe`;
  const made = spawnSync('ip', ['netns', 'add', probe]);
  spawnSync('ip', ['netns', 'del', probe]);
  return made.status === 0 ? '' : `network namespaces cannot be made: ${made.stderr.toString().trim()}`;
}

function ip(...words: readonly string[]): string {
  const done = spawnSync('ip', [...words], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ip ${words.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

const live = new Set<Host>();
const stages = new Set<Stage>();
process.on('exit', () => { for (const host of live) host.powerOff(); for (const stage of stages) stage.remove(); });
let count = 0;

/** One balancer host. */
export class Host {
  readonly name: string;
  readonly namespace: string;
  readonly port: string;
  readonly stage: Stage;
  readonly children: ChildProcess[] = [];
  /** Everything its programs have printed. */
  printed = '';

  constructor(stage: Stage, name: string, port: string) {
    this.stage = stage;
    this.name = name;
    this.port = port;
    this.namespace = `${stage.prefix}-${name}`;
  }

  run(command: string, words: readonly string[]): ChildProcess {
    // A session of its own, so that a power-off reaches every process of the host.
    const child = spawn('ip', ['netns', 'exec', this.namespace, command, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'], detached: true, cwd: this.stage.folder,
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, POISE_RUNTIME: runtime },
    });
    this.children.push(child);
    live.add(this);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { this.printed += chunk.toString(); });
    return child;
  }

  runPoise(...words: readonly string[]): ChildProcess {
    return this.run(join(projectFolder, 'bin/poise'), words);
  }

  runKeepalived(file: string): ChildProcess {
    const pids = join(this.stage.folder, `${this.name}-${Math.random().toString(36).slice(2)}`);
    return this.run('keepalived', ['-n', '-l', '-D', '--vrrp', '-f', file, '-p', `${pids}.pid`, '-r', `${pids}-vrrp.pid`]);
  }

  /** Processes of this host. */
  pids(): number[] {
    return ip('netns', 'pids', this.namespace).split('\n').filter((line) => line !== '').map(Number);
  }

  /** Nothing of it says goodbye. */
  powerOff(): void {
    try {
      for (const pid of this.pids()) process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
    live.delete(this);
  }

  /** As when the plug is pulled: the network hears nothing of it, then nothing runs any more. */
  cutPower(): void {
    this.unplug();
    this.powerOff();
    this.link('down');
  }

  /** A machine that starts has its own addresses only; its programs are started by the caller. */
  restorePower(virtualAddresses: readonly string[]): void {
    for (const address of virtualAddresses) if (this.has(address)) this.exec('addr', 'del', `${address}/24`, 'dev', 'eth0');
    this.link('up');
    this.plug();
  }

  /** Asks the program that was started last to end, and waits. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 8000): Promise<void> {
    const child = this.children.at(-1);
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => { child.once('close', resolve); });
    child.kill(signal);
    if (await Promise.race([ended.then(() => false), sleep(timeoutMs).then(() => true)])) throw new Error(`${this.name} did not stop: ${this.printed}`);
  }

  link(state: 'up' | 'down'): void { ip('-n', this.namespace, 'link', 'set', 'eth0', state); }
  /** The wire between this host and the bridge. */
  unplug(): void { ip('-n', this.stage.world, 'link', 'set', this.port, 'nomaster'); }
  plug(): void { ip('-n', this.stage.world, 'link', 'set', this.port, 'master', 'br0'); }

  addresses(device = 'eth0'): string[] {
    const list = JSON.parse(ip('-n', this.namespace, '-j', 'addr', 'show', 'dev', device)) as { addr_info: { local: string }[] }[];
    return list.flatMap((link) => link.addr_info.map((one) => one.local));
  }

  has(address: string): boolean { return this.addresses().includes(address); }
  hardwareAddress(): string { return (JSON.parse(ip('-n', this.namespace, '-j', 'link', 'show', 'dev', 'eth0')) as { address: string }[])[0]?.address ?? ''; }
  /** ip(8) inside this host; gives what it prints. */
  exec(...words: readonly string[]): string { return ip('-n', this.namespace, ...words); }
  /** A value below /proc/sys/net. */
  setKnob(path: string, value: string): void { ip('netns', 'exec', this.namespace, 'sh', '-c', `echo ${value} > /proc/sys/net/${path}`); }
}

export class Stage {
  readonly prefix: string;
  readonly world: string;
  readonly folder: string;
  readonly hosts: readonly [Host, Host];

  constructor() {
    count += 1;
    this.prefix = `poise-${process.pid}-${count}`;
    this.world = `${this.prefix}-world`;
    this.folder = mkdtempSync(join(tmpdir(), 'poise-pair-'));
    this.hosts = [new Host(this, 'hap01', 'hap01'), new Host(this, 'hap02', 'hap02')];
    stages.add(this);
    ip('netns', 'add', this.world);
    // An address of its own: otherwise it has that of one of its ports, and another one when that port is unplugged.
    ip('-n', this.world, 'link', 'add', 'br0', 'address', '02:00:0a:4d:00:01', 'type', 'bridge', 'mcast_snooping', '0');
    ip('-n', this.world, 'link', 'set', 'lo', 'up');
    ip('-n', this.world, 'link', 'set', 'br0', 'up');
    for (const address of ['10.77.0.1/24', '10.77.0.9/24', '10.77.0.21/24', '10.77.0.22/24']) ip('-n', this.world, 'addr', 'add', address, 'dev', 'br0');
    // The world learns addresses from announcements alone, as a switch or router does.
    spawnSync('ip', ['netns', 'exec', this.world, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/br0/arp_accept']);
    ip('-n', this.world, 'addr', 'add', '2001:db8:77::1/64', 'dev', 'br0', 'nodad');
    for (const host of this.hosts) {
      ip('netns', 'add', host.namespace);
      ip('-n', host.namespace, 'link', 'set', 'lo', 'up');
      this.addInterface(host);
    }
  }

  /** eth0 of a host, with its own addresses. */
  addInterface(host: Host): void {
    const last = this.hosts.indexOf(host) + 11;
    ip('link', 'add', 'eth0', 'netns', host.namespace, 'type', 'veth', 'peer', 'name', host.port, 'netns', this.world);
    for (const knob of ['all', 'default', 'eth0']) spawnSync('ip', ['netns', 'exec', host.namespace, 'sh', '-c', `echo 0 > /proc/sys/net/ipv6/conf/${knob}/accept_dad`]);
    ip('-n', host.namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', host.namespace, 'addr', 'add', `10.77.0.${last}/24`, 'dev', 'eth0');
    ip('-n', host.namespace, 'addr', 'add', `2001:db8:77::${last}/64`, 'dev', 'eth0', 'nodad');
    ip('-n', this.world, 'link', 'set', host.port, 'master', 'br0', 'up');
  }

  removeInterface(host: Host): void { ip('-n', this.world, 'link', 'del', host.port); }
  /** The world says that it has an address, whoever else has it. */
  claim(address: string): void { ip('-n', this.world, 'addr', 'add', `${address}/24`, 'dev', 'br0'); }
  hardwareAddress(): string { return (JSON.parse(ip('-n', this.world, '-j', 'link', 'show', 'dev', 'br0')) as { address: string }[])[0]?.address ?? ''; }

  /** Writes a file into the stage's folder; gives its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** A program in the world's namespace that is spoken to and heard. */
  inWorld(command: string, words: readonly string[], errors: 'inherit' | 'pipe' = 'inherit'): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.world, command, ...words], { stdio: ['pipe', 'pipe', errors], cwd: this.folder });
  }

  /** Hardware address that the world has for an address; empty: none. */
  neighbour(address: string): string {
    const list = JSON.parse(ip('-n', this.world, '-j', 'neigh', 'show', address)) as { lladdr?: string }[];
    return list[0]?.lladdr ?? '';
  }

  /** The world asks anew where an address is. */
  forget(address: string): void { spawnSync('ip', ['-n', this.world, 'neigh', 'del', address, 'dev', 'br0']); }

  remove(): void {
    if (!stages.delete(this)) return;
    for (const host of this.hosts) {
      host.powerOff();
      spawnSync('ip', ['netns', 'del', host.namespace]);
    }
    spawnSync('ip', ['netns', 'del', this.world]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `test` holds; throws with `what` when it does not in time. Gives how long it took. */
export async function until(what: string, timeoutMs: number, test: () => boolean, lookMs = 20): Promise<number> {
  const startMs = performance.now();
  while (!test()) {
    if (performance.now() - startMs > timeoutMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await sleep(lookMs);
  }
  return performance.now() - startMs;
}
