/**
 * A steady ping by raw ICMP socket (RFC 792, RFC 4443), as no ping(8) need be installed: echo requests at their pace, and how many were not
 * answered within a second. Used by test/harness/pair/world.ts.
 */
import { type IpValue, parseIp } from '../../../src/base/ip.ts';
import { closeSocket, families, openRaw, receive, sendTo } from '../../../src/vrrp/kernel.ts';
import { onesComplement } from '../../../src/wire/vrrp.ts';

/** Protocol, echo request, echo reply. ICMPv6 packets come without their IP header, and the kernel reckons their checksum. */
const kinds = { 4: { family: families.inet, protocol: 1, request: 8, reply: 0 }, 6: { family: families.inet6, protocol: 58, request: 128, reply: 129 } } as const;
const patienceMs = 1000;
const headerBytes = 8;
const lookMs = 20;

/** When it went (epoch, ms), and whether it was answered. */
export type PingRecord = readonly [sentMs: number, answered: boolean];

export class Pings {
  readonly #kind: typeof kinds[4 | 6];
  readonly #socket: number;
  readonly #to: Buffer;
  readonly #records: PingRecord[] | undefined;
  readonly #mark = process.pid & 0xffff;
  readonly #timers: readonly NodeJS.Timeout[];
  /** When each request went that has no answer yet. */
  readonly #waiting = new Map<number, number>();
  #next = 0;
  #sent = 0;
  #lost = 0;

  /** `records`: each one is kept there. */
  constructor(host: string, perSecond: number, records?: PingRecord[]) {
    const address = parseIp(host) as IpValue;
    this.#records = records;
    this.#kind = kinds[address.family];
    this.#socket = openRaw(this.#kind.family, this.#kind.protocol);
    this.#to = Buffer.alloc(address.family === 4 ? 16 : 28);
    this.#to.writeUInt16LE(this.#kind.family, 0);
    this.#to.set(address.bytes, address.family === 4 ? 4 : 8);
    this.#timers = [setInterval(() => { this.#ask(); }, 1000 / perSecond), setInterval(() => { this.#look(); }, lookMs)];
  }

  #ask(): void {
    const packet = Buffer.alloc(headerBytes);
    this.#next = this.#next + 1 & 0xffff;
    packet[0] = this.#kind.request;
    packet.writeUInt16BE(this.#mark, 4);
    packet.writeUInt16BE(this.#next, 6);
    packet.writeUInt16BE(onesComplement(packet, 0), 2);
    this.#sent += 1;
    this.#waiting.set(this.#next, performance.now());
    try {
      sendTo(this.#socket, packet, this.#to);
    } catch {
      // Nobody has the address: it counts as lost when its time is over.
    }
  }

  #look(): void {
    for (let bytes = receive(this.#socket)?.bytes; bytes !== undefined; bytes = receive(this.#socket)?.bytes) {
      const at = this.#kind.protocol === kinds[4].protocol ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
      if (bytes.length >= at + headerBytes && bytes[at] === this.#kind.reply && bytes.readUInt16BE(at + 4) === this.#mark) this.#end(bytes.readUInt16BE(at + 6), true);
    }
    const before = performance.now() - patienceMs;
    for (const [number, sentMs] of this.#waiting) {
      if (sentMs > before) break;
      this.#end(number, false);
      this.#lost += 1;
    }
  }

  #end(number: number, answered: boolean): void {
    const sentMs = this.#waiting.get(number);
    if (this.#waiting.delete(number)) this.#records?.push([performance.timeOrigin + (sentMs ?? 0), answered]);
  }

  /** Since the last report. */
  report(): { readonly sent: number; readonly lost: number } {
    const report = { sent: this.#sent, lost: this.#lost };
    this.#sent = this.#lost = 0;
    return report;
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    closeSocket(this.#socket);
  }
}
