/**
 * Sends bad VRRP adverts from the world's namespace, by raw socket: good ones of the pair's virtual router, broken in every way that the
 * argument names, and some thousand broken at random. Every packet that a node would have to believe is left out. Prints, as JSON, how many of
 * each kind it sent. Started by test/system/pair/bad-packets.test.ts.
 */
import { readFileSync } from 'node:fs';
import { type IpValue, parseIp } from '../../../src/base/ip.ts';
import { families, openRaw, sendTo, setOption } from '../../../src/vrrp/kernel.ts';
import { decodeVrrp, encodeVrrp, onesComplement, vrrpProtocolNumber, type VrrpPacket } from '../../../src/wire/vrrp.ts';
import { sleep } from '../place.ts';

/** What is sent, and how; JSON in the first argument. */
export interface Attack {
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly seed: number;
  readonly random: number;
  readonly password: string;
  readonly advertMs: number;
  readonly virtualRouterId: number;
}
export type Sent = Readonly<Record<string, number>>;

const options = {
  4: { family: families.inet, level: 0, headerIncluded: 3, multicastInterface: 32, group: '224.0.0.18', world: '10.77.0.1', virtual: ['10.77.0.100'] },
  6: { family: families.inet6, level: 41, headerIncluded: 36, multicastInterface: 17, group: 'ff02::12', world: '2001:db8:77::1', virtual: ['fe80::77', '2001:db8:77::100'] },
} as const;
/** So that no receiver's buffer runs over. */
const [burst, pauseMs] = [20, 20];

const attack = JSON.parse(process.argv[2] ?? '{}') as Attack;
const own = options[attack.family];
const address = (text: string): IpValue => parseIp(text) as IpValue;
const [group, world] = [address(own.group), address(own.world)];
const device = Number(readFileSync('/sys/class/net/br0/ifindex', 'latin1'));
const socket = openRaw(own.family, vrrpProtocolNumber);
setOption(socket, own.level, own.headerIncluded, 1);
setOption(socket, own.level, own.multicastInterface, attack.family === 4 ? Uint8Array.of(0, 0, 0, 0, ...world.bytes, 0, 0, 0, 0) : device);
const sent: Record<string, number> = {};
let count = 0;

function withHeader(message: Uint8Array, source: IpValue, timeToLive: number): Buffer {
  const header = Buffer.alloc(attack.family === 4 ? 20 : 40);
  if (attack.family === 4) {
    header[0] = 0x45;
    header.writeUInt16BE(header.length + message.length, 2);
    [header[8], header[9]] = [timeToLive, vrrpProtocolNumber];
    header.set(source.bytes, 12);
    header.set(group.bytes, 16);
  } else {
    header[0] = 0x60;
    header.writeUInt16BE(message.length, 4);
    [header[6], header[7]] = [vrrpProtocolNumber, timeToLive];
    header.set(source.bytes, 8);
    header.set(group.bytes, 24);
  }
  return Buffer.concat([header, message]);
}

function receivers(): Buffer {
  const to = Buffer.alloc(attack.family === 4 ? 16 : 28);
  to.writeUInt16LE(own.family, 0);
  to.set(group.bytes, attack.family === 4 ? 4 : 8);
  if (attack.family === 6) to.writeUInt32LE(device, 24);
  return to;
}

async function send(kind: string, message: Uint8Array, source = world, timeToLive = 255): Promise<void> {
  sendTo(socket, withHeader(message, source, timeToLive), receivers());
  sent[kind] = (sent[kind] ?? 0) + 1;
  count += 1;
  if (count % burst === 0) await sleep(pauseMs);
}

/** The highest priority: whoever believed it would give the addresses up. */
const good: VrrpPacket = { version: attack.version, virtualRouterId: attack.virtualRouterId, priority: 255, advertMs: attack.advertMs, password: attack.password, addresses: own.virtual.map(address) };

function message(change: Partial<VrrpPacket> = {}): Buffer {
  return encodeVrrp({ ...good, ...change }, world, group);
}

function changed(at: number, value: number, fixChecksum = true): Buffer {
  const bytes = message();
  bytes[at] = value;
  if (fixChecksum) fix(bytes);
  return bytes;
}

/** Version 3 over IPv4 is sent without the pseudo-header here, which receivers take too. */
function fix(bytes: Buffer, source = world): void {
  if (bytes.length < 8) return;
  bytes.writeUInt16BE(0, 6);
  const pseudo = Buffer.alloc(40);
  if (attack.family === 6) {
    pseudo.set(source.bytes, 0);
    pseudo.set(group.bytes, 16);
    pseudo.writeUInt32BE(bytes.length, 32);
    pseudo[39] = vrrpProtocolNumber;
  }
  bytes.writeUInt16BE(onesComplement(Buffer.concat([pseudo, bytes]), 0), 6);
}

async function named(): Promise<void> {
  const whole = message();
  for (let length = 1; length < whole.length; length++) await send('truncated', whole.subarray(0, length));
  await send('truncated', Buffer.concat([whole, Buffer.alloc(3)]));
  for (const addresses of [0, good.addresses.length + 1, 200, 255]) await send('truncated', changed(3, addresses));
  for (const flip of [1, 0x80]) await send('checksum', changed(7, (whole[7] ?? 0) ^ flip, false));
  for (const timeToLive of [1, 64, 254]) await send('ttl', whole, world, timeToLive);
  for (const type of [0, 2, 15]) await send('type', changed(0, attack.version << 4 | type));
  for (const version of [0, 1, 4, 15]) await send('version', changed(0, version << 4 | 1));
  await send('version', message(attack.version === 2 ? { version: 3, advertMs: 1000, password: '' } : { version: 2, advertMs: 1000 }));
  for (const id of [0, 1, 52, 255]) await send('foreign', message({ virtualRouterId: id }));
  if (attack.version === 3) return;
  for (const password of ['lab1234', 'LAB12345', 'lab12346', 'x']) await send('password', message({ password }));
  await send('no password', message({ password: '' }));
  for (const advertMs of [0, 2000, 255_000]) await send('interval', message({ advertMs }));
  for (const type of [2, 3, 255]) await send('authentication', changed(4, type));
}

/** xorshift: the same packets for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % below;
  };
}

/** True when a node has to take it for an advert of its own pair. */
function isGood(bytes: Uint8Array, source: IpValue): boolean {
  const found = decodeVrrp(bytes, source, group);
  return typeof found !== 'string' && found.virtualRouterId === good.virtualRouterId && found.version === good.version && (found.version === 3 || found.password === good.password && found.advertMs === good.advertMs);
}

async function random(): Promise<void> {
  const below = randomFrom(attack.seed);
  for (let number = 0; number < attack.random; number++) {
    let bytes = below(8) === 0 ? Buffer.from(Array.from({ length: 1 + below(120) }, () => below(256))) : message();
    for (let change = 1 + below(4); change > 0; change--) bytes[below(bytes.length)] = below(256);
    if (below(4) === 0) bytes = Buffer.from(bytes.subarray(0, 1 + below(bytes.length)));
    // Each from a machine of its own: what is remembered or logged for each of them must have a limit.
    const [high, low] = [1 + below(200), 1 + below(254)];
    const source = address(attack.family === 4 ? `10.77.${high}.${low}` : `2001:db8:77::${high}:${low}`);
    if (below(2) === 0) fix(bytes, source);
    if (!isGood(bytes, source)) await send('random', bytes, source);
  }
}

await named();
await random();
process.stdout.write(`${JSON.stringify(sent)}\n`);
