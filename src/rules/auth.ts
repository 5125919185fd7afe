/**
 * Basic authentication against userlists (configuration manual 3.4). Used by the http_auth fetches. Results of slow hashes are
 * remembered, bounded, keyed by a digest of the credentials: passwords are neither kept nor logged.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { cryptMatches } from '../base/crypt.ts';
import { limits } from '../model/limits.ts';
import type { Userlist } from '../model/model.ts';
import type { Subject } from './subject.ts';

interface Credentials {
  readonly scheme: string;
  /** What follows the scheme. */
  readonly rest: string;
  readonly user: string;
  readonly password: string;
}

/** Credentials of the request: Proxy-Authorization for proxy-style requests, else Authorization. Undefined: none. */
export function readCredentials(s: Subject): Credentials | undefined {
  if (s.request === null) return undefined;
  const line = s.request.find(asksProxy(s) ? 'proxy-authorization' : 'authorization', 0);
  if (line < 0) return undefined;
  const value = s.request.value(line);
  const blank = value.indexOf(' ');
  if (blank <= 0) return undefined;
  const scheme = value.slice(0, blank);
  const rest = value.slice(blank + 1).trimStart();
  // Other schemes are between client and server: HAProxy does not look at them either.
  if (scheme.toLowerCase() === 'bearer') return { scheme, rest, user: '', password: '' };
  if (scheme.toLowerCase() !== 'basic') return undefined;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(rest)) return undefined;
  const decoded = Buffer.from(rest, 'base64').toString('latin1');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { scheme, rest, user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** True for requests that treat this as a forward proxy: absolute target and a Proxy-Connection header. They get 407, not 401. */
export function asksProxy(s: Subject): boolean {
  const head = s.request;
  if (head === null) return false;
  const first = head.uri.charAt(0);
  return first !== '/' && first !== '*' && head.find('proxy-connection', 0) >= 0;
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a, 'latin1');
  const right = Buffer.from(b, 'latin1');
  return left.length === right.length && timingSafeEqual(left, right);
}

export class UserlistCheck {
  readonly userlist: Userlist;
  private readonly byName: ReadonlyMap<string, Userlist['users'][number]>;
  /** Digest of user, password and hash → result. */
  private readonly known = new Map<string, boolean>();

  constructor(userlist: Userlist) {
    this.userlist = userlist;
    this.byName = new Map(userlist.users.map((user) => [user.name, user]));
  }

  /** True when user and password belong to this list. */
  valid(user: string, password: string): boolean {
    const found = this.byName.get(user);
    if (found === undefined) return false;
    if (found.insecure) return equal(found.password, password);
    const digest = createHash('sha256').update(`${user}\0${password}`, 'latin1').digest('latin1');
    const before = this.known.get(digest);
    if (before !== undefined) return before;
    const result = cryptMatches(Buffer.from(password, 'latin1'), found.password);
    if (this.known.size >= limits.authResultsMax) this.known.clear();
    this.known.set(digest, result);
    return result;
  }

  groups(user: string): readonly string[] {
    return this.byName.get(user)?.groups ?? [];
  }
}
