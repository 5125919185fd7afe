/** Actions that end the evaluation: allow, deny, return, redirect, auth and the like. */
import type { Action } from '../../model/expression.ts';
import type { Head } from '../../wire/head.ts';
import { answerBytes } from '../answers.ts';
import { asksProxy } from '../auth.ts';
import { pathWithQuery } from '../fetch/target.ts';
import type { Subject, Verdict } from '../subject.ts';
import type { ActionContext, Step } from './types.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

export function constant(verdict: Verdict): Step {
  return () => verdict;
}

export function answerStep(action: Of<'deny' | 'tarpit' | 'return'>, context: ActionContext): Step {
  const make = context.answers.answer(action.answer);
  const cause = action.kind;
  // Fixed answers give the same object every time, so the verdict is made once.
  let last: ReturnType<typeof make> | null = null;
  let verdict: Verdict | null = null;
  return (s) => {
    const made = make(s);
    if (made !== last || verdict === null) {
      last = made;
      verdict = { kind: 'answer', cause, bytes: made.bytes, status: made.status, keepAlive: made.keepAlive };
    }
    return verdict;
  };
}

/** 401 with a challenge, or 407 for requests that treat this as a forward proxy. */
export function authStep(action: Of<'auth'>, context: ActionContext): Step {
  return (s) => {
    const proxied = asksProxy(s);
    const page = context.answers.page(s.frontend, s.backend, proxied ? 407 : 401, s);
    const name = proxied ? 'proxy-authenticate' : 'www-authenticate';
    const realm = action.realm === '' ? (s.backend ?? s.frontend).name : action.realm;
    const head = page.head.split('\r\n').filter((line) => !line.startsWith(`${name}:`)).join('\r\n');
    const bytes = answerBytes({ ...page, head }, `${name}: Basic realm="${realm}"\r\n`);
    return { kind: 'answer', cause: 'auth', bytes, status: page.status, keepAlive: page.keepAlive };
  };
}

const redirectReasons: Readonly<Record<number, string>> = {
  301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 307: 'Temporary Redirect', 308: 'Permanent Redirect',
};

function hostOf(head: Head): string {
  const scheme = head.uri.indexOf('://');
  if (scheme > 0 && !head.uri.startsWith('/')) {
    const slash = head.uri.indexOf('/', scheme + 3);
    return head.uri.slice(scheme + 3, slash < 0 ? undefined : slash);
  }
  const line = head.find('host', 0);
  return line < 0 ? '' : head.value(line);
}

function location(action: Of<'redirect'>, value: string, head: Head): string {
  if (action.target === 'location') {
    if (!action.keepQuery) return value;
    const query = head.query();
    return query === '' ? value : `${value}${value.includes('?') ? '&' : '?'}${query}`;
  }
  let path = action.dropQuery ? head.path() : pathWithQuery(head);
  if (path === '') path = '/';
  // A prefix of '/' only serves to drop the query or to add a slash.
  let made = action.target === 'scheme' ? `${value}://${hostOf(head)}${path}` : value === '/' ? path : value + path;
  if (action.appendSlash && !made.endsWith('/')) made += '/';
  return made;
}

export function redirectStep(action: Of<'redirect'>, context: ActionContext): Step {
  const value = context.format(action.value, 'http');
  const start = `HTTP/1.1 ${action.code} ${redirectReasons[action.code] ?? 'Found'}\r\ncontent-length: 0\r\nlocation: `;
  let rest = action.code === 301 || action.code === 308 ? '\r\n' : '\r\ncache-control: no-cache\r\n';
  if (action.setCookie !== '') rest += `set-cookie: ${action.setCookie}; path=/;\r\n`;
  if (action.clearCookie !== '') rest += `set-cookie: ${action.clearCookie}; path=/; Max-Age=0;\r\n`;
  return (s: Subject) => {
    if (s.request === null) return null;
    const made = value(s);
    if (action.ignoreEmpty && made === '') return null;
    const bytes = Buffer.from(`${start}${location(action, made, s.request)}${rest}\r\n`, 'latin1');
    return { kind: 'answer', cause: 'redirect', bytes, status: action.code, keepAlive: true };
  };
}
