/**
 * crypt(3) for userlist passwords: MD5 `$1$`, SHA-256 `$5$`, SHA-512 `$6$`. Called by http_auth through rules/auth.ts, which
 * remembers results. Costs milliseconds for SHA schemes by design; never called without a matching user.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const md5Order = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const;

/** The schemes that `crypt` can compute; '' = none of them (DES, bcrypt, yescrypt …). */
export function cryptScheme(hash: string): '' | 'md5' | 'sha256' | 'sha512' {
  if (hash.startsWith('$1$')) return 'md5';
  if (hash.startsWith('$5$')) return 'sha256';
  if (hash.startsWith('$6$')) return 'sha512';
  return '';
}

/** True when `password` (latin1 bytes) gives `hash`. */
export function cryptMatches(password: Uint8Array, hash: string): boolean {
  const made = crypt(password, hash);
  if (made === undefined || made.length !== hash.length) return false;
  return timingSafeEqual(Buffer.from(made, 'latin1'), Buffer.from(hash, 'latin1'));
}

/** crypt(3) with the scheme, salt and rounds of `setting` (a whole hash will do). Undefined: unknown scheme. */
export function crypt(password: Uint8Array, setting: string): string | undefined {
  switch (cryptScheme(setting)) {
    case 'md5': return md5Crypt(password, setting);
    case 'sha256': return shaCrypt(password, setting, 'sha256', 32);
    case 'sha512': return shaCrypt(password, setting, 'sha512', 64);
    default: return undefined;
  }
}

function encode24(high: number, middle: number, low: number, chars: number): string {
  let value = (high << 16) | (middle << 8) | low;
  let out = '';
  for (let i = 0; i < chars; i++) {
    out += alphabet[value & 63] ?? '';
    value >>= 6;
  }
  return out;
}

/** Repeats `block` up to `length` bytes. */
function stretch(block: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = block[i % block.length] ?? 0;
  return out;
}

function md5Crypt(password: Uint8Array, setting: string): string {
  const saltText = (setting.slice(3).split('$', 1)[0] ?? '').slice(0, 8);
  const salt = Buffer.from(saltText, 'latin1');
  const inner = createHash('md5').update(password).update(salt).update(password).digest();
  const outer = createHash('md5').update(password).update('$1$').update(salt).update(stretch(inner, password.length));
  for (let n = password.length; n > 0; n >>= 1) outer.update((n & 1) === 1 ? Uint8Array.of(0) : password.subarray(0, 1));
  let digest = outer.digest();
  for (let round = 0; round < 1000; round++) {
    const hash = createHash('md5');
    hash.update((round & 1) === 1 ? password : digest);
    if (round % 3 !== 0) hash.update(salt);
    if (round % 7 !== 0) hash.update(password);
    hash.update((round & 1) === 1 ? digest : password);
    digest = hash.digest();
  }
  let text = '';
  for (const [a, b, c] of md5Order) text += encode24(digest[a] ?? 0, digest[b] ?? 0, digest[c] ?? 0, 4);
  text += encode24(0, 0, digest[11] ?? 0, 2);
  return `$1$${saltText}$${text}`;
}

/** Password and salt stretched as rounds use them (steps 13 to 20 of the published SHA-crypt description). */
function shaSequences(algorithm: string, password: Uint8Array, salt: Uint8Array, first: number): { p: Uint8Array; s: Uint8Array } {
  const forP = createHash(algorithm);
  for (let i = 0; i < password.length; i++) forP.update(password);
  const forS = createHash(algorithm);
  for (let i = 0; i < 16 + first; i++) forS.update(salt);
  return { p: stretch(forP.digest(), password.length), s: stretch(forS.digest(), salt.length) };
}

function shaCrypt(password: Uint8Array, setting: string, algorithm: 'sha256' | 'sha512', size: number): string {
  const parts = setting.split('$');
  let at = 2;
  let rounds = 5000;
  let roundsText = '';
  const custom = /^rounds=(\d+)$/.exec(parts[2] ?? '');
  if (custom !== null) {
    rounds = Math.min(Math.max(Number(custom[1]), 1000), 999999999);
    roundsText = `rounds=${rounds}$`;
    at = 3;
  }
  const saltText = (parts[at] ?? '').slice(0, 16);
  const salt = Buffer.from(saltText, 'latin1');
  const inner = createHash(algorithm).update(password).update(salt).update(password).digest();
  const outer = createHash(algorithm).update(password).update(salt).update(stretch(inner, password.length));
  for (let n = password.length; n > 0; n >>= 1) outer.update((n & 1) === 1 ? inner : password);
  let digest = outer.digest();
  const { p, s } = shaSequences(algorithm, password, salt, digest[0] ?? 0);
  for (let round = 0; round < rounds; round++) {
    const hash = createHash(algorithm);
    hash.update((round & 1) === 1 ? p : digest);
    if (round % 3 !== 0) hash.update(s);
    if (round % 7 !== 0) hash.update(p);
    hash.update((round & 1) === 1 ? digest : p);
    digest = hash.digest();
  }
  return `$${algorithm === 'sha256' ? 5 : 6}$${roundsText}${saltText}$${shaText(digest, size)}`;
}

/** The odd byte order in which SHA-crypt prints a digest. */
function shaText(digest: Uint8Array, size: number): string {
  const third = Math.floor(size / 3);
  let a = 0;
  let b = third;
  let c = 2 * third;
  let text = '';
  for (let i = 0; i < third; i++) {
    text += encode24(digest[a] ?? 0, digest[b] ?? 0, digest[c] ?? 0, 4);
    // Each triple is the last one rotated and moved on by one; 32-byte digests rotate the other way.
    if (size === 64) [a, b, c] = [b + 1, c + 1, a + 1];
    else [a, b, c] = [c + 1, a + 1, b + 1];
  }
  return text + (size === 64 ? encode24(0, 0, digest[63] ?? 0, 2) : encode24(0, digest[31] ?? 0, digest[30] ?? 0, 3));
}
