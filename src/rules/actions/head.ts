/** Actions that edit the head of a message: header lines, target, method, status. */
import type { Action } from '../../model/expression.ts';
import { compileRegex } from '../../config/expression/regex.ts';
import type { Head } from '../../wire/head.ts';
import { reasonOf } from '../answers.ts';
import { pathWithQuery } from '../fetch/target.ts';
import { valueEnd } from '../header-values.ts';
import { fillReplacement } from '../replace.ts';
import type { Subject } from '../subject.ts';
import type { FormatFn } from '../types.ts';
import type { ActionContext, Step } from './types.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

/** The message that header actions work on: the response once there is one. */
function headOf(s: Subject): Head | null {
  return s.response ?? s.request;
}

export function addHeader(action: Of<'set-header' | 'add-header'>, context: ActionContext): Step {
  const value = context.format(action.value, 'http');
  const { name } = action;
  const lowerName = name.toLowerCase();
  if (action.kind === 'add-header') {
    return (s) => {
      headOf(s)?.append(name, value(s));
      return null;
    };
  }
  return (s) => {
    const head = headOf(s);
    if (head === null) return null;
    // The value may be made of the header that it replaces.
    const made = value(s);
    for (let i = head.find(lowerName, 0); i >= 0; i = head.find(lowerName, i + 1)) head.remove(i);
    head.append(name, made);
    return null;
  };
}

function nameTest(action: Of<'del-header'>): (name: string) => boolean {
  const lowerName = action.name.toLowerCase();
  switch (action.match) {
    case 'beg': return (name) => name.toLowerCase().startsWith(lowerName);
    case 'end': return (name) => name.toLowerCase().endsWith(lowerName);
    case 'sub': return (name) => name.toLowerCase().includes(lowerName);
    default: {
      const regex = compileRegex(action.name, true);
      return (name) => regex instanceof RegExp && regex.test(name);
    }
  }
}

/** Lines of this name whose value matches. */
function deleteByValue(action: Of<'del-header'>): Step {
  const lowerName = action.name.toLowerCase();
  const regex = compileRegex(action.value, action.ignoreCase);
  if (!(regex instanceof RegExp)) return () => null;
  return (s) => {
    const head = headOf(s);
    if (head === null) return null;
    for (let i = head.find(lowerName, 0); i >= 0; i = head.find(lowerName, i + 1)) if (regex.test(head.value(i))) head.remove(i);
    return null;
  };
}

export function deleteHeader(action: Of<'del-header'>): Step {
  if (action.value !== '') return deleteByValue(action);
  if (action.match === 'str') {
    const lowerName = action.name.toLowerCase();
    return (s) => {
      const head = headOf(s);
      if (head === null) return null;
      for (let i = head.find(lowerName, 0); i >= 0; i = head.find(lowerName, i + 1)) head.remove(i);
      return null;
    };
  }
  const test = nameTest(action);
  return (s) => {
    const head = headOf(s);
    if (head === null) return null;
    for (let i = 0; i < head.lineCount; i++) if (!head.isRemoved(i) && test(head.name(i))) head.remove(i);
    return null;
  };
}

/** Each comma-separated value on its own; a value that is replaced loses the blanks around it, as in HAProxy. */
function replacedValues(line: string, regex: RegExp, replacement: string): string | undefined {
  let out = '';
  let changed = false;
  for (let from = 0; from <= line.length;) {
    const end = valueEnd(line, from);
    const piece = line.slice(from, end);
    const made = replacedWhole(piece.trim(), regex, replacement);
    if (made !== undefined) changed = true;
    out += (made ?? piece) + (end < line.length ? ',' : '');
    from = end + 1;
  }
  return changed ? out : undefined;
}

export function replaceHeader(action: Of<'replace-header' | 'replace-value'>, context: ActionContext): Step {
  const regex = compileRegex(action.source, false);
  const format = context.format(action.value, 'http');
  const lowerName = action.name.toLowerCase();
  if (!(regex instanceof RegExp)) return () => null;
  const change = action.kind === 'replace-header' ? replacedWhole : replacedValues;
  return (s) => {
    const head = headOf(s);
    if (head === null) return null;
    let replacement: string | undefined;
    for (let i = head.find(lowerName, 0); i >= 0; i = head.find(lowerName, i + 1)) {
      replacement ??= format(s);
      const made = change(head.value(i), regex, replacement);
      if (made !== undefined) head.setValue(i, made);
    }
    return null;
  };
}

/** replace-header, replace-path and the like: the new value is the replacement alone, whatever part of the old one matched. */
function replacedWhole(text: string, regex: RegExp, replacement: string): string | undefined {
  const match = regex.exec(text);
  return match === null ? undefined : fillReplacement(replacement, match);
}

/** What stands before the path: scheme and authority of an absolute target. */
function beforePath(head: Head): string {
  const path = head.path();
  return path === '' ? '' : head.uri.slice(0, Math.max(head.uri.indexOf(path, head.uri.startsWith('/') ? 0 : head.uri.indexOf('://') + 3), 0));
}

function queryPart(uri: string): string {
  const at = uri.indexOf('?');
  return at < 0 ? '' : uri.slice(at);
}

function setPath(head: Head, path: string): void {
  head.uri = beforePath(head) + path + queryPart(head.uri);
}

function setPathWithQuery(head: Head, path: string): void {
  head.uri = beforePath(head) + path;
}

function setQuery(head: Head, query: string): void {
  const at = head.uri.indexOf('?');
  if (at >= 0) head.uri = head.uri.slice(0, at + 1) + query;
  else if (query !== '') head.uri = `${head.uri}?${query}`;
}

/** A target that names a host takes the Host line with it (RFC 9112 3.2.2): servers would choose one of two otherwise. */
function setUri(head: Head, uri: string): void {
  head.uri = uri;
  const authority = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]+)/i.exec(uri)?.[1];
  if (authority === undefined) return;
  for (let i = head.find('host', 0); i >= 0; i = head.find('host', i + 1)) head.setValue(i, authority);
}

const setters: Readonly<Record<'set-path' | 'set-pathq' | 'set-query' | 'set-uri' | 'set-method', (head: Head, value: string) => void>> = {
  'set-path': setPath,
  'set-pathq': setPathWithQuery,
  'set-query': setQuery,
  'set-uri': setUri,
  'set-method': (head, value) => { head.method = value; },
};

export function setTarget(action: Of<'set-path' | 'set-pathq' | 'set-query' | 'set-uri' | 'set-method'>, context: ActionContext): Step {
  const value = context.format(action.value, 'http');
  const set = setters[action.kind];
  return (s) => {
    if (s.request !== null) set(s.request, value(s));
    return null;
  };
}

interface TargetPart {
  readonly read: (head: Head) => string;
  readonly write: (head: Head, value: string) => void;
}

const parts: Readonly<Record<'replace-path' | 'replace-pathq' | 'replace-uri', TargetPart>> = {
  'replace-path': { read: (head) => head.path(), write: setPath },
  'replace-pathq': { read: pathWithQuery, write: setPathWithQuery },
  'replace-uri': { read: (head) => head.uri, write: setUri },
};

export function replaceTarget(action: Of<'replace-path' | 'replace-pathq' | 'replace-uri'>, context: ActionContext): Step {
  const regex = compileRegex(action.source, false);
  const format: FormatFn = context.format(action.value, 'http');
  const part = parts[action.kind];
  if (!(regex instanceof RegExp)) return () => null;
  return (s) => {
    if (s.request === null) return null;
    const made = replacedWhole(part.read(s.request), regex, format(s));
    if (made !== undefined) part.write(s.request, made);
    return null;
  };
}

export function setStatus(action: Of<'set-status'>): Step {
  const reason = action.reason === '' ? reasonOf(action.status) : action.reason;
  return (s) => {
    if (s.response !== null) {
      s.response.status = action.status;
      s.response.reason = reason;
    }
    return null;
  };
}
