/** Fetches of header lines, both directions. */
import { ipv4Number, parseIp } from '../../base/ip.ts';
import type { Head } from '../../wire/head.ts';
import { eachHeaderValue, headerCount, headerOccurrence } from '../header-values.ts';
import type { Sample, Subject } from '../subject.ts';
import { fetch, intArg, plain, textArg, type FetchMaker, type FetchTable, type SampleFn } from '../types.ts';
import { textToBytes, textToInt } from '../values.ts';

type Pick = (s: Subject) => Head | null;

const request: Pick = (s) => s.request;
const response: Pick = (s) => s.response;
/** `hdr` without direction: the response once there is one. */
const either: Pick = (s) => s.response ?? s.request;

type Convert = (text: string) => Sample;
const asText: Convert = (text) => text;

/** Address of a header value; a port after it is cut off, as X-Forwarded-For of some proxies has one. */
function headerIp(text: string): Sample {
  const value = text.trim();
  const direct = parseIp(value);
  if (direct !== undefined) return direct;
  if (value.startsWith('[')) return parseIp(value.slice(1, value.indexOf(']')));
  const colon = value.indexOf(':');
  return colon > 0 && ipv4Number(value.slice(0, colon)) >= 0 ? parseIp(value.slice(0, colon)) : undefined;
}

function header(pick: Pick, full: boolean, convert: Convert): FetchMaker {
  return {
    make: (args): SampleFn => {
      const name = textArg(args, 0).toLowerCase();
      const occurrence = intArg(args, 1, 0);
      return (s) => {
        const head = pick(s);
        if (head === null) return undefined;
        const value = headerOccurrence(head, name, full, occurrence);
        return value === undefined ? undefined : convert(value);
      };
    },
    each: (args) => {
      const name = textArg(args, 0).toLowerCase();
      const occurrence = intArg(args, 1, 0);
      return (s, visit) => {
        const head = pick(s);
        if (head === null) return false;
        if (occurrence !== 0) {
          const value = headerOccurrence(head, name, full, occurrence);
          const made = value === undefined ? undefined : convert(value);
          return made !== undefined && visit(made, s);
        }
        return eachHeaderValue(head, name, full, convert, visit, s);
      };
    },
  };
}

function count(pick: Pick, full: boolean): FetchMaker {
  return fetch((args) => {
    const name = textArg(args, 0).toLowerCase();
    return (s) => {
      const head = pick(s);
      return head === null ? undefined : headerCount(head, name, full);
    };
  });
}

function names(pick: Pick): FetchMaker {
  return fetch((args) => {
    const delimiter = textArg(args, 0, ',');
    return (s) => {
      const head = pick(s);
      if (head === null) return undefined;
      const out: string[] = [];
      for (let i = 0; i < head.lineCount; i++) if (!head.isRemoved(i)) out.push(head.name(i).toLowerCase());
      return out.join(delimiter);
    };
  });
}

function allLines(head: Head): string {
  let out = '';
  for (let i = 0; i < head.lineCount; i++) if (!head.isRemoved(i)) out += `${head.name(i).toLowerCase()}: ${head.value(i)}\r\n`;
  return `${out}\r\n`;
}

/** HAProxy's variable-length integer: below 240 one byte, then 4 bits and groups of 7. */
function variableInt(value: number, out: number[]): void {
  if (value < 240) { out.push(value); return; }
  out.push((value & 15) | 240);
  let rest = Math.floor((value - 240) / 16);
  while (rest >= 128) {
    out.push((rest & 127) | 128);
    rest = Math.floor((rest - 128) / 128);
  }
  out.push(rest);
}

function binaryLines(head: Head): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i < head.lineCount; i++) {
    if (head.isRemoved(i)) continue;
    for (const text of [head.name(i).toLowerCase(), head.value(i)]) {
      const length: number[] = [];
      variableInt(text.length, length);
      parts.push(Uint8Array.from(length), textToBytes(text));
    }
  }
  parts.push(Uint8Array.of(0, 0));
  return Buffer.concat(parts);
}

function whole(pick: Pick, print: (head: Head) => Sample): FetchMaker {
  return plain((s) => {
    const head = pick(s);
    return head === null ? undefined : print(head);
  });
}

function family(prefix: string, pick: Pick): FetchTable {
  return {
    [`${prefix}.hdr`]: header(pick, false, asText),
    [`${prefix}.fhdr`]: header(pick, true, asText),
    [`${prefix}.hdr_cnt`]: count(pick, false),
    [`${prefix}.fhdr_cnt`]: count(pick, true),
    [`${prefix}.hdr_ip`]: header(pick, false, headerIp),
    [`${prefix}.hdr_val`]: header(pick, false, textToInt),
    [`${prefix}.hdr_names`]: names(pick),
    [`${prefix}.hdrs`]: whole(pick, (head) => textToBytes(allLines(head))),
    [`${prefix}.hdrs_bin`]: whole(pick, binaryLines),
  };
}

export const headerFetches: FetchTable = {
  ...family('req', request),
  ...family('res', response),
  hdr: header(either, false, asText),
};
