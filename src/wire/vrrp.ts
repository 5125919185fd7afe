/**
 * VRRP adverts, versions 2 (RFC 3768) and 3 (RFC 5798, RFC 9568), as the payload of IP protocol 112: values to bytes and back, checksums
 * included. Does no I/O; the IP header (TTL 255, addresses) is looked at by the caller. Used by vrrp/.
 */
import { IpValue } from '../base/ip.ts';

export interface VrrpPacket {
  readonly version: 2 | 3;
  readonly virtualRouterId: number;
  /** 0: the master gives up; 255: owner of the addresses. */
  readonly priority: number;
  /** Whole seconds in version 2, hundredths in version 3 (at most 40950 ms). */
  readonly advertMs: number;
  /** Version 2: the password as up to 8 bytes of text, empty for none. Version 3 has none. */
  readonly password: string;
  readonly addresses: readonly IpValue[];
}

export type VrrpPacketFault = 'truncated' | 'version' | 'type' | 'checksum' | 'authentication type';

const advertisementType = 1;
const headerBytes = 8;
const passwordBytes = 8;
const noAuthentication = 0;
const passAuthentication = 1;
export const vrrpProtocolNumber = 112;

/** Addresses in an advert at most: the count is one byte. */
export const advertAddressesMax = 255;

export function encodeVrrp(packet: VrrpPacket, source: IpValue, destination: IpValue): Buffer {
  const addressBytes = source.family === 4 ? 4 : 16;
  const bytes = Buffer.alloc(headerBytes + packet.addresses.length * addressBytes + (packet.version === 2 ? passwordBytes : 0));
  bytes[0] = packet.version << 4 | advertisementType;
  bytes[1] = packet.virtualRouterId;
  bytes[2] = packet.priority;
  bytes[3] = packet.addresses.length;
  if (packet.version === 2) {
    bytes[4] = packet.password === '' ? noAuthentication : passAuthentication;
    bytes[5] = Math.round(packet.advertMs / 1000);
    bytes.write(packet.password, bytes.length - passwordBytes, passwordBytes, 'latin1');
  } else {
    bytes.writeUInt16BE(Math.round(packet.advertMs / 10) & 0xfff, 4);
  }
  packet.addresses.forEach((address, index) => bytes.set(address.bytes, headerBytes + index * addressBytes));
  bytes.writeUInt16BE(packet.version === 2 ? onesComplement(bytes, 0) : onesComplement(bytes, pseudoHeaderSum(bytes.length, source, destination)), 6);
  return bytes;
}

/** `message` is the payload of the IP packet. Bytes after the last field are refused as `truncated` is: the count does not fit. */
export function decodeVrrp(message: Uint8Array, source: IpValue, destination: IpValue): VrrpPacket | VrrpPacketFault {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  if (bytes.length < headerBytes) return 'truncated';
  const version = bytes.readUInt8(0) >> 4;
  if (version !== 2 && version !== 3 || version === 2 && source.family === 6) return 'version';
  if ((bytes.readUInt8(0) & 0x0f) !== advertisementType) return 'type';
  const addressBytes = source.family === 4 ? 4 : 16;
  const count = bytes.readUInt8(3);
  const end = headerBytes + count * addressBytes;
  if (bytes.length !== end + (version === 2 ? passwordBytes : 0)) return 'truncated';
  if (!checksumHolds(bytes, version, source, destination)) return 'checksum';
  const authentication = version === 2 ? bytes.readUInt8(4) : noAuthentication;
  if (authentication !== noAuthentication && authentication !== passAuthentication) return 'authentication type';
  const addresses: IpValue[] = [];
  for (let offset = headerBytes; offset < end; offset += addressBytes) addresses.push(new IpValue(source.family, Uint8Array.from(bytes.subarray(offset, offset + addressBytes))));
  return {
    version, addresses,
    virtualRouterId: bytes.readUInt8(1),
    priority: bytes.readUInt8(2),
    advertMs: version === 2 ? bytes.readUInt8(5) * 1000 : (bytes.readUInt16BE(4) & 0xfff) * 10,
    password: authentication === passAuthentication ? bytes.toString('latin1', end).replace(/\0+$/, '') : '',
  };
}

/** Version 3 over IPv4 is sent by some with the pseudo-header in the sum and by some without: both are taken, as RFC 9568 is younger than the programs. */
function checksumHolds(bytes: Buffer, version: number, source: IpValue, destination: IpValue): boolean {
  const plain = onesComplement(bytes, 0) === 0;
  if (version === 2) return plain;
  return onesComplement(bytes, pseudoHeaderSum(bytes.length, source, destination)) === 0 || source.family === 4 && plain;
}

function pseudoHeaderSum(length: number, source: IpValue, destination: IpValue): number {
  return sum16(source.bytes) + sum16(destination.bytes) + vrrpProtocolNumber + length;
}

function sum16(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 2) sum += (bytes[index] ?? 0) << 8 | (bytes[index + 1] ?? 0);
  return sum;
}

/** RFC 1071. `start` is added to the sum of the bytes. */
export function onesComplement(bytes: Uint8Array, start: number): number {
  let sum = start + sum16(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
