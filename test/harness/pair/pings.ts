/**
 * A steady ping by raw ICMP socket (RFC 792), as no ping(8) need be installed: echo requests at their pace, and how many were not answered
 * within a second. Used by test/harness/pair/world.ts.
 */
import { type IpValue, parseIp } from '../../../src/base/ip.ts';
import { closeSocket, families, openRaw, receive, sendTo } from '../../../src/vrrp/kernel.ts';
import { onesComplement } from '../../../src/wire/vrrp.ts';

const icmp = 1;
const [echoRequest, echoReply] = [8, 0];
const patienceMs = 1000;
const headerBytes = 8;
const lookMs = 20;

export class Pings {
  readonly #socket = openRaw(families.inet, icmp);
  readonly #to = Buffer.alloc(16);
  readonly #mark = process.pid & 0xffff;
  readonly #timers: readonly NodeJS.Timeout[];
  /** When each request went that has no answer yet. */
  readonly #waiting = new Map<number, number>();
  #next = 0;
  #sent = 0;
  #lost = 0;

  constructor(host: string, perSecond: number) {
    const address = parseIp(host) as IpValue;
    this.#to.writeUInt16LE(families.inet, 0);
    this.#to.set(address.bytes, 4);
    this.#timers = [setInterval(() => { this.#ask(); }, 1000 / perSecond), setInterval(() => { this.#look(); }, lookMs)];
  }

  #ask(): void {
    const packet = Buffer.alloc(headerBytes);
    this.#next = this.#next + 1 & 0xffff;
    packet[0] = echoRequest;
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
      const at = ((bytes[0] ?? 0) & 0x0f) * 4;
      if (bytes.length >= at + headerBytes && bytes[at] === echoReply && bytes.readUInt16BE(at + 4) === this.#mark) this.#waiting.delete(bytes.readUInt16BE(at + 6));
    }
    const before = performance.now() - patienceMs;
    for (const [number, sentMs] of this.#waiting) {
      if (sentMs > before) break;
      this.#waiting.delete(number);
      this.#lost += 1;
    }
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
