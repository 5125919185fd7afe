/**
 * Certificate files that change on disk (`watch-certificates` in the poise section) are taken up as `commit ssl cert` does, when certificate and
 * key are whole and belong together; until then the ones in force stay. Looked at by process/balancer.ts every few seconds.
 */
import { readFileSync, statSync } from 'node:fs';
import { keyFilesOf, pemParts } from '../config/certificates.ts';
import type { Certificates } from './certificates.ts';

export const certificateLookMs = 2000;

interface Look { readonly state: string; readonly settled: boolean }

export class WatchedCertificates {
  private readonly looks = new Map<string, Look>();
  private readonly tell: (level: 'notice' | 'warning', text: string) => void;

  constructor(tell: (level: 'notice' | 'warning', text: string) => void) {
    this.tell = tell;
  }

  /** A file is read when it looked the same twice, at first and after each change: whoever writes it may not be ready. */
  look(certificates: Certificates): void {
    for (const path of certificates.files.keys()) {
      const state = stateOf(path);
      const before = this.looks.get(path);
      this.looks.set(path, { state, settled: before?.state === state });
      if (before !== undefined && before.state === state && !before.settled) this.take(path, certificates);
    }
  }

  private take(path: string, certificates: Certificates): void {
    const known = certificates.files.get(path);
    const text = textOf(path);
    const { blocks, keyPem } = pemParts(text);
    if (known && known.certPem === `${blocks.join('\n')}\n` && known.keyPem === keyPem) return;
    // An administrator is putting something together by hand: that comes first, and the file is looked at again.
    if (certificates.pending !== null) {
      this.looks.set(path, { state: '', settled: false });
      return;
    }
    const failure = certificates.put(path, text, false) ? certificates.commit() : 'without a certificate';
    if (failure === '') {
      this.tell('notice', `Certificate ${path} has changed on disk and is in force for new connections (SHA-256 ${certificates.files.get(path)?.fingerprint ?? ''}).`);
      return;
    }
    certificates.pending = null;
    this.tell('warning', `Certificate ${path} has changed on disk and cannot be used (${failure}): the one before stays in force.`);
  }
}

/** What changes when the file or a key beside it does. */
function stateOf(path: string): string {
  return [path, ...keyFilesOf(path)].map((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? '-' : `${found.ino} ${found.mtimeMs} ${found.size}`;
  }).join(', ');
}

/** A file that cannot be read is an empty one. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Certificate and key. */
function textOf(path: string): string {
  const text = read(path);
  return pemParts(text).keyPem === '' ? text + (keyFilesOf(path).map(read).find((key) => pemParts(key).keyPem !== '') ?? '') : text;
}
