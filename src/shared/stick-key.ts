/**
 * Keys of stick tables: turns a sample into the table's key bytes (configuration manual, `stick-table type`) and back into the
 * text that `show table` prints. Used by stick-table.ts only. Never throws, never allocates for addresses and integers.
 */
import { IpValue, embeddedIpv4, formatIp, parseIp, uint32At } from '../base/ip.ts';
import type { StickTable } from '../model/model.ts';

/** Same as rules/subject.ts SampleValue; repeated because shared/ stands below rules/. */
export type StickSample = boolean | number | string | Uint8Array | IpValue;

/** Bytes reserved per entry. */
export function keyBytesOf(config: StickTable): number {
  if (config.type === 'ip' || config.type === 'integer') return 4;
  return config.type === 'ipv6' ? 16 : Math.max(1, config.keyBytes);
}

export class StickKey {
  /** The last key written; valid up to the length that write() gave. */
  readonly bytes: Uint8Array;
  private readonly type: StickTable['type'];

  constructor(config: StickTable) {
    this.type = config.type;
    this.bytes = new Uint8Array(keyBytesOf(config));
  }

  /** Keys may be shorter than the room for them. */
  get isText(): boolean {
    return this.type === 'string';
  }

  /** Length of the key, -1 when the sample cannot be a key of this type. */
  write(sample: StickSample): number {
    switch (this.type) {
      case 'ip': return this.writeIpv4(sample);
      case 'ipv6': return this.writeIpv6(sample);
      case 'integer': return this.writeInteger(sample);
      case 'string': return this.writeText(textOf(sample));
      default: return this.writeBinary(sample);
    }
  }

  /** As `show table` prints it. */
  text(bytes: Uint8Array): string {
    switch (this.type) {
      case 'ip': return formatIp(new IpValue(4, bytes));
      case 'ipv6': return formatIp(new IpValue(6, bytes));
      case 'integer': return String(uint32At(bytes, 0));
      case 'string': return Buffer.from(bytes).toString('latin1');
      default: return Buffer.from(bytes).toString('hex').toUpperCase();
    }
  }

  private writeIpv4(sample: StickSample): number {
    const ip = addressOf(sample);
    if (ip === undefined) return -1;
    if (ip.family === 4) {
      this.bytes.set(ip.bytes);
      return 4;
    }
    const inner = embeddedIpv4(ip);
    return inner === undefined ? -1 : this.writeNumber(inner);
  }

  private writeIpv6(sample: StickSample): number {
    const ip = addressOf(sample);
    if (ip === undefined) return -1;
    if (ip.family === 4) {
      this.bytes.fill(0, 0, 10);
      this.bytes.fill(255, 10, 12);
      this.bytes.set(ip.bytes, 12);
    } else {
      this.bytes.set(ip.bytes);
    }
    return 16;
  }

  private writeInteger(sample: StickSample): number {
    if (sample instanceof IpValue) return sample.family === 4 ? this.writeNumber(uint32At(sample.bytes, 0)) : -1;
    if (sample instanceof Uint8Array) return this.writeNumber(sample.length >= 4 ? uint32At(sample, sample.length - 4) : 0);
    const value = Number(sample);
    return Number.isFinite(value) ? this.writeNumber(Math.trunc(value) >>> 0) : -1;
  }

  private writeNumber(value: number): number {
    this.bytes[0] = value >>> 24;
    this.bytes[1] = value >>> 16;
    this.bytes[2] = value >>> 8;
    this.bytes[3] = value;
    return 4;
  }

  /** Longer texts are cut. */
  private writeText(text: string): number {
    const length = Math.min(text.length, this.bytes.length);
    for (let index = 0; index < length; index += 1) this.bytes[index] = text.charCodeAt(index);
    return length;
  }

  /** Always the full length, filled up with zeros. */
  private writeBinary(sample: StickSample): number {
    this.bytes.fill(0);
    if (sample instanceof IpValue) this.bytes.set(sample.bytes.subarray(0, this.bytes.length));
    else if (sample instanceof Uint8Array) this.bytes.set(sample.subarray(0, this.bytes.length));
    else if (typeof sample === 'string') this.writeText(sample);
    else this.writeWide(Number(sample));
    return this.bytes.length;
  }

  /** Integers are eight bytes wide as binary. */
  private writeWide(value: number): void {
    const wide = new Uint8Array(8);
    const view = new DataView(wide.buffer);
    view.setUint32(0, Math.floor(value / 2 ** 32) >>> 0);
    view.setUint32(4, value >>> 0);
    this.bytes.set(wide.subarray(0, this.bytes.length));
  }
}

function addressOf(sample: StickSample): IpValue | undefined {
  if (sample instanceof IpValue) return sample;
  return typeof sample === 'string' ? parseIp(sample) : undefined;
}

function textOf(sample: StickSample): string {
  if (typeof sample === 'string') return sample;
  if (sample instanceof IpValue) return formatIp(sample);
  if (sample instanceof Uint8Array) return Buffer.from(sample).toString('hex').toUpperCase();
  return String(Number(sample));
}
