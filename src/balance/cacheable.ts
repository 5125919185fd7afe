/**
 * Might a cache keep this answer (RFC 9111 3)? Used for `cookie … nocache`: an answer that carries a persistence cookie must not be
 * given to other clients. Reads the head only.
 */
import type { Head } from '../wire/head.ts';

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const statuses: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501]);

function forbids(word: string): boolean {
  return /^(?:no-cache(?:=.*)?|no-store|private(?:=.*)?|(?:s-maxage|max-age)="?0+"?)$/.test(word);
}

function isNoCache(word: string): boolean {
  return word === 'no-cache';
}

function givesAge(word: string): boolean {
  return /^(?:s-maxage|max-age)=/.test(word);
}

/** True: the answer is cacheable and must be marked private. Call before a cookie of our own is added. */
export function keptFromCaches(response: Head, method: string): boolean {
  if (!methods.has(method) || !statuses.has(response.status) || response.find('set-cookie', 0) >= 0) return false;
  let storable = response.find('etag', 0) >= 0 || response.find('last-modified', 0) >= 0 || response.find('expires', 0) >= 0;
  if (has(response, 'pragma', isNoCache)) return false;
  if (has(response, 'cache-control', forbids)) return false;
  storable ||= has(response, 'cache-control', givesAge);
  return storable;
}

function has(head: Head, name: string, test: (word: string) => boolean): boolean {
  for (let line = head.find(name, 0); line >= 0; line = head.find(name, line + 1)) {
    if (head.value(line).split(',').some((word) => test(word.trim().toLowerCase()))) return true;
  }
  return false;
}
