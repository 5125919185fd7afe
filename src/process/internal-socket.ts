/**
 * A private folder with the unix socket over which the traffic threads reach the control thread's HTTP server, and the key that
 * it asks for. Made by process/balancer.ts at start and removed at the end.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class InternalSocket {
  readonly key = randomBytes(24).toString('hex');
  readonly path: string;
  private readonly folder: string;

  /** Throws when no folder can be made. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'poise-'));
    this.path = join(this.folder, 'internal');
  }

  /** Hands folder and socket to the identity that the process will take. */
  giveTo(uid: number, gid: number): void {
    if (process.getuid?.() !== 0 || uid === 0) return;
    chownSync(this.folder, uid, gid);
    chownSync(this.path, uid, gid);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
