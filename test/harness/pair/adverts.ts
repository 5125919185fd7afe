/** Hears VRRP adverts on the world's bridge, so that faults can begin at a known time after one. Used by test/harness/pair/world.ts. */
import { closeSocket, families, openRaw, receive, setOption } from '../../../src/vrrp/kernel.ts';
import { vrrpProtocolNumber } from '../../../src/wire/vrrp.ts';

const [ipLevel, addMembership] = [0, 35];
const group = [224, 0, 0, 18] as const;
const lookMs = 1;

/** Calls `heard` once, for the next advert to the group that comes from `source` (four bytes) on the interface that has `own`. */
export function nextAdvert(source: readonly number[], own: readonly number[], heard: () => void): void {
  const socket = openRaw(families.inet, vrrpProtocolNumber);
  setOption(socket, ipLevel, addMembership, Uint8Array.of(...group, ...own, 0, 0, 0, 0));
  const timer = setInterval(() => {
    for (let bytes = receive(socket)?.bytes; bytes !== undefined; bytes = receive(socket)?.bytes) {
      if (!source.every((byte, index) => bytes?.[12 + index] === byte)) continue;
      clearInterval(timer);
      closeSocket(socket);
      heard();
      return;
    }
  }, lookMs);
}
