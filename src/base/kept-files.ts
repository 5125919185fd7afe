/**
 * Files of /proc that are read again and again, kept open by a process that locks itself into a folder where there is no /proc (`chroot`). Used by
 * process/balancer.ts, which keeps them, and by whoever reads such a file. Keeps no folder: an open one would be a way out.
 */
import { openSync, readFileSync, readSync } from 'node:fs';

const kept = new Map<string, number>();
const pieceBytes = 65_536;
const fileBytesMax = 16 * 1_048_576;

/** Those that are not there are left out. */
export function keepFiles(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      kept.set(path, openSync(path, 'r'));
    } catch {
      // Reading it later fails as it does now.
    }
  }
}

/** As it is now. Throws when it can neither be read nor was kept. */
export function readKept(path: string): string {
  const descriptor = kept.get(path);
  if (descriptor === undefined) return readFileSync(path, 'latin1');
  let text = '';
  const piece = Buffer.allocUnsafe(pieceBytes);
  while (text.length < fileBytesMax) {
    const length = readSync(descriptor, piece, 0, pieceBytes, text.length);
    if (length === 0) break;
    text += piece.toString('latin1', 0, length);
  }
  return text;
}
