/**
 * Whether one pattern matches a value typed by an operator (`get acl`, `get map`). Speed does not matter here: requests are
 * matched by rules/, which compiles whole lists.
 */
import { networkContains, parseIp, parseNetwork } from '../base/ip.ts';
import type { MatchMethod } from '../model/expression.ts';

/** `ge 5`, `1:10`, `7`. */
function matchesNumber(pattern: string, value: number): boolean {
  const [, operator = 'eq', low = '', colon, high = ''] = /^(?:(eq|gt|ge|lt|le)\s+)?(-?\d*)(:)?(-?\d*)$/.exec(pattern.trim()) ?? [];
  const from = low === '' ? -Infinity : Number(low);
  const to = colon === undefined ? from : high === '' ? Infinity : Number(high);
  switch (operator) {
    case 'gt': return value > from;
    case 'ge': return value >= from;
    case 'lt': return value < from;
    case 'le': return value <= from;
    default: return value >= from && value <= to;
  }
}

function matchesRegex(pattern: string, ignoreCase: boolean, value: string): boolean {
  try {
    return new RegExp(pattern, ignoreCase ? 'i' : '').test(value);
  } catch {
    return false;
  }
}

function matchesIp(pattern: string, value: string): boolean {
  const network = parseNetwork(pattern);
  const ip = parseIp(value);
  return network !== undefined && ip !== undefined && networkContains(network, ip);
}

/** `pattern` stands in `value` between two of the delimiters or its ends. */
function between(value: string, pattern: string, delimiters: string): boolean {
  const isEdge = (char: string): boolean => char === '' || delimiters.includes(char);
  for (let at = value.indexOf(pattern); at >= 0; at = value.indexOf(pattern, at + 1)) {
    if (isEdge(value.charAt(at - 1)) && isEdge(value.charAt(at + pattern.length))) return true;
  }
  return false;
}

export function matchesPattern(method: MatchMethod, ignoreCase: boolean, pattern: string, sample: string): boolean {
  const key = ignoreCase ? pattern.toLowerCase() : pattern;
  const value = ignoreCase ? sample.toLowerCase() : sample;
  switch (method) {
    case 'found': return true;
    case 'bool': return sample !== '' && sample !== '0';
    case 'int': return /^-?\d+$/.test(sample) && matchesNumber(pattern, Number(sample));
    case 'len': return matchesNumber(pattern, sample.length);
    case 'ip': return matchesIp(pattern, sample);
    case 'beg': return value.startsWith(key);
    case 'end': return value.endsWith(key);
    case 'sub': return value.includes(key);
    case 'dir': return between(value, key.replace(/^\/+|\/+$/g, ''), '/?');
    case 'dom': return between(value, key.replace(/^\.+|\.+$/g, ''), '/?.:');
    case 'reg': return matchesRegex(pattern, ignoreCase, sample);
    case 'bin': return value.toLowerCase() === key.toLowerCase();
    case 'str': return value === key;
  }
}
