/** Actions that change the exchange around a message: variables, captures, log level, addresses, timeouts, priorities, maps. */
import { formatIp } from '../../base/ip.ts';
import type { Action, PatternEntry } from '../../model/expression.ts';
import { limits } from '../../model/limits.ts';
import type { SampleValue, Subject } from '../subject.ts';
import { toInt, toIp, toText } from '../values.ts';
import { mayWrite, removeVar, writeVar } from '../vars.ts';
import type { ActionContext, Step } from './types.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

export function setVar(action: Of<'set-var'>, context: ActionContext): Step {
  const sample = context.sample(action.expr);
  const { scope, name, conditions } = action;
  return (s) => {
    const value = sample(s);
    // As in HAProxy, a sample that gives nothing leaves the variable as it was.
    if (value !== undefined && (conditions.length === 0 || mayWrite(s, scope, name, value, conditions))) writeVar(s, scope, name, value);
    return null;
  };
}

export function setVarFormat(action: Of<'set-var-fmt'>, context: ActionContext): Step {
  const format = context.format(action.value, 'http');
  const { scope, name, conditions } = action;
  return (s) => {
    const value = format(s);
    if (conditions.length === 0 || mayWrite(s, scope, name, value, conditions)) writeVar(s, scope, name, value);
    return null;
  };
}

/** The PROXY header is read when all connection rules have accepted. */
export const expectProxy: Step = (s) => {
  s.session.expectsProxy = true;
  return null;
};

export function unsetVar(action: Of<'unset-var'>): Step {
  return (s) => {
    removeVar(s, action.scope, action.name);
    return null;
  };
}

/** Stores into a capture slot. Response rules (a response is there) use the response's slots. */
export function capture(action: Of<'capture'>, context: ActionContext): Step {
  const sample = context.sample(action.expr);
  return (s) => {
    const value = sample(s);
    if (value !== undefined) storeCapture(s, s.response === null ? 'request' : 'response', action.slot, toText(value));
    return null;
  };
}

/** False: the frontend has no such slot. */
export function storeCapture(s: Subject, side: 'request' | 'response', slot: number, text: string): boolean {
  const declared = (side === 'request' ? s.frontend.requestCaptures : s.frontend.responseCaptures)[slot];
  if (declared === undefined) return false;
  const cut = text.slice(0, declared.lengthMax);
  if (side === 'request') (s.requestCaptures ??= [])[slot] = cut;
  else (s.responseCaptures ??= [])[slot] = cut;
  return true;
}

export function sendOnce(s: Subject): null {
  s.sentOnce = true;
  return null;
}

export function setLogLevel(action: Of<'set-log-level'>): Step {
  return (s) => {
    s.logLevel = action.level;
    return null;
  };
}

type AddressKind = 'set-src' | 'set-dst' | 'set-src-port' | 'set-dst-port' | 'set-priority-class' | 'set-priority-offset';

function bounded(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}

const setters: Readonly<Record<AddressKind, (s: Subject, value: SampleValue) => void>> = {
  'set-src': (s, value) => {
    const ip = toIp(value);
    if (ip !== undefined) s.session.sourceAddress = formatIp(ip);
  },
  'set-dst': (s, value) => {
    const ip = toIp(value);
    if (ip !== undefined) s.session.destinationAddress = formatIp(ip);
  },
  'set-src-port': (s, value) => { s.session.sourcePort = port(value) ?? s.session.sourcePort; },
  'set-dst-port': (s, value) => { s.session.destinationPort = port(value) ?? s.session.destinationPort; },
  // Bounds of HAProxy's queue priorities.
  'set-priority-class': (s, value) => { s.priorityClass = bounded(toInt(value) ?? s.priorityClass, 2047); },
  'set-priority-offset': (s, value) => { s.priorityOffset = bounded(toInt(value) ?? s.priorityOffset, 524287); },
};

function port(value: SampleValue): number | undefined {
  const number = toInt(value);
  return number === undefined || number < 0 || number > 65535 ? undefined : number;
}

export function setFromSample(action: Of<AddressKind>, context: ActionContext): Step {
  const sample = context.sample(action.expr);
  const set = setters[action.kind];
  return (s) => {
    const value = sample(s);
    if (value !== undefined) set(s, value);
    return null;
  };
}

export function setTimeout(action: Of<'set-timeout'>, context: ActionContext): Step {
  const sample = action.expr === null ? null : context.sample(action.expr);
  return (s) => {
    const value = sample === null ? action.ms : sample(s);
    const ms = value === undefined ? undefined : toInt(value);
    if (ms === undefined || ms <= 0) return null;
    if (action.which === 'server') s.serverTimeoutMs = ms;
    else if (action.which === 'tunnel') s.tunnelTimeoutMs = ms;
    else s.clientTimeoutMs = ms;
    return null;
  };
}

function withEntry(entries: readonly PatternEntry[], key: string, value: string, add: boolean): readonly PatternEntry[] | undefined {
  const at = entries.findIndex((entry) => entry.key === key);
  if (at < 0) return add && entries.length < limits.patternEntriesMax ? [...entries, { key, value }] : undefined;
  if (entries[at]?.value === value) return undefined;
  return entries.map((entry) => (entry.key === key ? { key, value } : entry));
}

/** Changes every set that was loaded from the rule's file, here at once and in the other threads by message. */
export function changeEntry(action: Of<'set-map' | 'del-map' | 'add-acl' | 'del-acl'>, context: ActionContext): Step {
  const key = context.format(action.key, 'http');
  const value = context.format(action.value, 'http');
  const removes = action.kind === 'del-map' || action.kind === 'del-acl';
  return (s) => {
    const madeKey = key(s);
    const madeValue = removes ? '' : value(s);
    for (const set of context.setsOfFile(action.patterns)) {
      const entries = removes
        ? (set.entries.some((entry) => entry.key === madeKey) ? set.entries.filter((entry) => entry.key !== madeKey) : undefined)
        : withEntry(set.entries, madeKey, madeValue, true);
      if (entries === undefined) continue;
      context.updatePatterns(set.id, entries);
      s.world.patternsChanged(set.id, removes ? 'del' : action.kind === 'set-map' ? 'set' : 'add', madeKey, madeValue);
    }
    return null;
  };
}
