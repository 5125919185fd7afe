/**
 * What tcpdump sees on the wires of the two hosts: one for each, on the network's end, of what the host sends. Adverts as tcpdump reads them
 * (it has another decoder than ours, and tells wrong checksums), and who claims a virtual address by ARP or neighbour advertisement.
 * Used by test/harness/pair/story.ts.
 */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Host, Stage } from './stage.ts';

interface Frame {
  /** Epoch, ms, by the kernel. */
  readonly atMs: number;
  readonly host: Host;
  /** Hardware address that it came from. */
  readonly hardware: string;
}

export interface Advert extends Frame {
  readonly version: number;
  readonly priority: number;
  readonly timeToLive: number;
  readonly destination: string;
  /** Where the frame went. */
  readonly hardwareDestination: string;
  readonly password: string;
  readonly addresses: readonly string[];
  /** The line of tcpdump, for messages. */
  readonly text: string;
}

/** `announcement`: to everybody, nobody had asked. `answer`: to whoever asked. */
export interface Claim extends Frame { readonly kind: 'announcement' | 'answer'; readonly address: string; readonly claimed: string }

const filter = 'ip proto 112 or ip6 proto 112 or arp or (icmp6 and ip6[40] == 136)';
const broadcast = 'ff:ff:ff:ff:ff:ff';

export class Capture {
  readonly adverts: Advert[] = [];
  readonly claims: Claim[] = [];
  /** Adverts that tcpdump finds wrong or cannot read. */
  readonly strange: string[] = [];
  readonly #children: readonly ChildProcess[];
  readonly #ready: Promise<unknown>;

  constructor(stage: Stage) {
    const listening: Promise<void>[] = [];
    this.#children = stage.hosts.map((host) => {
      const child = stage.inWorld('tcpdump', ['--immediate-mode', '-U', '-l', '-i', host.port, '-Q', 'in', '-nn', '-e', '-tt', '-vv', filter], 'pipe');
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      listening.push(promise);
      let said = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('listening on')) resolve();
      });
      child.on('error', reject);
      child.on('exit', () => { reject(new Error(`tcpdump ended: ${said}`)); });
      this.#read(child, host);
      return child;
    });
    this.#ready = Promise.all(listening);
    this.#ready.catch(() => { /* whoever waits for it hears it */ });
  }

  async ready(): Promise<void> { await this.#ready; }

  /** An IPv4 advert takes two lines, the second one indented. */
  #read(child: ChildProcess, host: Host): void {
    if (child.stdout === null) throw new Error('tcpdump has no output');
    let head = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (/^\d/.test(line)) head = line;
      if (head !== line && !(head.includes('proto VRRP') && line.includes('VRRPv'))) return;
      if (head === line && line.includes('proto VRRP')) return;
      this.#take(head === line ? line : `${head} ${line.trim()}`, host);
    });
  }

  #take(text: string, host: Host): void {
    const [, seconds = '', hardware = '', hardwareDestination = ''] = /^([\d.]+) ([\da-f:]{17}) > ([\da-f:]{17}),/.exec(text) ?? [];
    const frame = { atMs: Number(seconds) * 1000, host, hardware };
    if (text.includes('ethertype ARP')) this.#takeArp(text, frame);
    else if (text.includes('neighbor advertisement')) {
      const [, address = '', claimed = hardware] = /tgt is ([\da-f:]+),/.exec(text) ?? [];
      this.claims.push({ ...frame, kind: hardwareDestination.startsWith('33:33:') ? 'announcement' : 'answer', address, claimed });
    } else this.#takeAdvert(text, frame, hardwareDestination);
  }

  #takeArp(text: string, frame: Frame): void {
    const asked = /Request who-has ([\d.]+).*? tell ([\d.]+)/.exec(text);
    const told = /Reply ([\d.]+) is-at ([\da-f:]{17})/.exec(text);
    const kind = text.includes(`> ${broadcast}`) ? 'announcement' : 'answer';
    if (told !== null) this.claims.push({ ...frame, kind, address: told[1] ?? '', claimed: told[2] ?? '' });
    else if (asked !== null && asked[1] === asked[2]) this.claims.push({ ...frame, kind, address: asked[1] ?? '', claimed: frame.hardware });
  }

  #takeAdvert(text: string, frame: Frame, hardwareDestination: string): void {
    const found = / > ([\da-f.:]+): VRRPv(\d), Advertisement, vrid 51, prio (\d+),.*addrs(?:\(\d+\))?: ([\da-f.:,]+)(?: auth "(.*)")?$/.exec(text);
    const timeToLive = Number(/(?:ttl|hlim) (\d+)/.exec(text)?.[1] ?? -1);
    if (found === null || text.includes('bad ')) this.strange.push(text);
    else {
      const [, destination = '', version, priority, addresses = '', password = ''] = found;
      this.adverts.push({ ...frame, version: Number(version), priority: Number(priority), timeToLive, destination, hardwareDestination, password, addresses: addresses.split(','), text });
    }
  }

  /** From a host, with a priority above 0, from a time on. */
  first(host: Host, sinceMs: number): Advert | undefined {
    return this.adverts.find((one) => one.host === host && one.atMs >= sinceMs && one.priority > 0);
  }

  answers(address: string, sinceMs: number): Claim[] {
    return this.claims.filter((one) => one.kind === 'answer' && one.address === address && one.atMs >= sinceMs);
  }

  close(): void { for (const child of this.#children) child.kill(); }
}
