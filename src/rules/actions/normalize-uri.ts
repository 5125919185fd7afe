/**
 * `http-request normalize-uri`: brings the target into one of the normal forms of RFC 3986 section 6.2, as HAProxy does. A target that
 * has no such form is left as it is, and with `strict` refused with 400 where it is not decodable. Called by compile-action.ts.
 */
import type { Action } from '../../model/expression.ts';
import type { ActionContext, Step } from './types.ts';

type Normalize = Extract<Action, { kind: 'normalize-uri' }>;

/** Scheme and authority, path, query with its question mark, fragment with its hash. */
const parts = /^((?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?(#.*)?$/s;

function stripDots(path: string): string {
  const kept = path.split('/');
  const last = kept.at(-1);
  const out = kept.filter((segment) => segment !== '.');
  // `/a/.` names the folder.
  if (last === '.') out.push('');
  return out.join('/');
}

/** `..` takes the segment before it away; above the root it stays, or with `full` goes too. */
function stripParents(path: string, full: boolean): string {
  const out: string[] = [];
  const segments = path.split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment !== '..') {
      out.push(segment);
      continue;
    }
    const before = out.at(-1);
    const removable = out.length > 1 && before !== '..';
    if (removable) out.pop();
    else if (!full) out.push(segment);
    if ((removable || full) && index === segments.length - 1) out.push('');
  }
  return out.join('/');
}

function decodeUnreserved(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : whole;
  });
}

function byName(left: string, right: string): number {
  const [a = ''] = left.split('=');
  const [b = ''] = right.split('=');
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The normal form; undefined: the target cannot be read (percent forms with `strict`). */
export function normalized(uri: string, form: Normalize['form'], strict: boolean): string | undefined {
  const match = parts.exec(uri);
  if (match === null || !(uri.startsWith('/') || match[1] !== undefined)) return uri;
  const [, start = '', path = '', query = '', fragment = ''] = match;
  switch (form) {
    case 'fragment-encode': return start + path + query + fragment.replace('#', '%23');
    case 'fragment-strip': return start + path + query;
    case 'path-merge-slashes': return start + path.replaceAll(/\/{2,}/g, '/') + query + fragment;
    case 'path-strip-dot': return start + stripDots(path) + query + fragment;
    case 'path-strip-dotdot': return start + stripParents(path, strict) + query + fragment;
    case 'query-sort-by-name': return start + path + (query === '' ? '' : `?${query.slice(1).split('&').toSorted(byName).join('&')}`) + fragment;
    default: break;
  }
  if (strict && /%(?![0-9A-Fa-f]{2})/.test(path + query)) return undefined;
  const change = form === 'percent-to-uppercase' ? (text: string) => text.replaceAll(/%[0-9A-Fa-f]{2}/g, (code) => code.toUpperCase()) : decodeUnreserved;
  return start + change(path) + change(query) + fragment;
}

export function normalizeUri(action: Normalize, context: ActionContext): Step {
  const refuse = context.answers.answer({ status: 400, body: { kind: 'default-error' }, headers: [] });
  return (s) => {
    const head = s.request;
    if (head === null) return null;
    const made = normalized(head.uri, action.form, action.strict);
    if (made === undefined) {
      const answer = refuse(s);
      return { kind: 'answer', cause: 'deny', bytes: answer.bytes, status: answer.status, keepAlive: answer.keepAlive };
    }
    if (made !== head.uri) head.uri = made;
    return null;
  };
}
