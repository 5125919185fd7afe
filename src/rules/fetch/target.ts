/** Fetches of the request line and what follows from it: method, path, query, parameters, base, version, status. */
import { avalanche, sdbm } from '../../base/hash.ts';
import { parseIp } from '../../base/ip.ts';
import type { Head } from '../../wire/head.ts';
import type { Sample, Subject } from '../subject.ts';
import { fetch, plain, textArg, type FetchMaker, type FetchTable, type Visit } from '../types.ts';
import { bytesToText, textToBytes, textToInt } from '../values.ts';

/** Path with query; '' when the target has no path. */
export function pathWithQuery(head: Head): string {
  const path = head.path();
  if (path === '') return '';
  const at = head.uri.indexOf('?');
  return at < 0 ? path : path + head.uri.slice(at);
}

function host(head: Head): string {
  const line = head.find('host', 0);
  return line < 0 ? '' : head.value(line);
}

const standardMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']);

/** The method as it came: set-method does not change what rules see, unless the method was not a standard one. */
function originalMethod(head: Head, s: Subject): string {
  const { method } = s.facts;
  return standardMethods.has(method) ? method : head.method;
}

function onRequest(read: (head: Head, s: Subject) => Sample): FetchMaker {
  return plain((s) => (s.request === null ? undefined : read(s.request, s)));
}

/** Undefined for an empty text: HAProxy then has no sample. */
function unlessEmpty(text: string): Sample {
  return text === '' ? undefined : text;
}

/**
 * Shows the value of each parameter called `name` ('' = any) of a query-like text. Parameters end at `&` or `;` or `delimiter`.
 */
export function eachParameter(query: string, name: string, delimiter: string, visit: (value: string) => boolean): boolean {
  for (let from = 0; from < query.length;) {
    let end = from;
    while (end < query.length) {
      const c = query.charAt(end);
      if (c === '&' || c === ';' || c === delimiter) break;
      end++;
    }
    if (name === '') {
      const equal = query.indexOf('=', from);
      if (equal >= 0 && equal < end && visit(query.slice(equal + 1, end))) return true;
    } else if (query.startsWith(name, from) && query.charAt(from + name.length) === '=' && visit(query.slice(from + name.length + 1, end))) return true;
    from = end + 1;
  }
  return false;
}

/** What follows the first `delimiter` of the target: the query for '?', path parameters for ';'. */
function parametersOf(head: Head, delimiter: string): string {
  const at = head.uri.indexOf(delimiter);
  return at < 0 ? '' : head.uri.slice(at + 1);
}

function parameter(convert: (text: string) => Sample): FetchMaker {
  return {
    make: (args) => {
      const name = textArg(args, 0);
      const delimiter = textArg(args, 1, '?');
      return (s) => {
        if (s.request === null) return undefined;
        let found: string | undefined;
        eachParameter(parametersOf(s.request, delimiter), name, delimiter, (text) => { found = text; return true; });
        return found === undefined ? undefined : convert(found);
      };
    },
    each: (args) => {
      const name = textArg(args, 0);
      const delimiter = textArg(args, 1, '?');
      return (s: Subject, visit: Visit) => s.request !== null && eachParameter(parametersOf(s.request, delimiter), name, delimiter, (text) => {
        const made = convert(text);
        return made !== undefined && visit(made, s);
      });
    },
  };
}

function hash32(text: string): number {
  return avalanche(sdbm(textToBytes(text)));
}

/** Hash as four bytes, then the client address. */
function hashAndSource(hash: number, s: Subject): Sample {
  const source = s.session.sourceIp();
  if (source === undefined) return undefined;
  const out = Buffer.alloc(4 + source.bytes.length);
  out.writeUInt32BE(hash, 0);
  out.set(source.bytes, 4);
  return out;
}

/** Host and port of an absolute target `http://host:port/…`. */
function authority(head: Head): { readonly host: string; readonly port: number } | undefined {
  const match = /^[a-zA-Z][\w+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d+))?/.exec(head.uri);
  if (match === null) return undefined;
  const name = match[1] ?? '';
  return { host: name.startsWith('[') ? name.slice(1, -1) : name, port: match[2] === undefined ? (head.uri.startsWith('https') ? 443 : 80) : Number(match[2]) };
}

function bodyParameter(s: Subject, name: string): Sample {
  let found: string | undefined;
  eachParameter(bytesToText(s.requestBytes()), name, '&', (text) => { found = text; return true; });
  return found === undefined ? undefined : textToBytes(found);
}

/** First line pieces as they came, from the log's record of them. */
function captured(read: (s: Subject) => string): FetchMaker {
  return plain((s) => (s.request === null ? undefined : unlessEmpty(read(s))));
}

export const targetFetches: FetchTable = {
  method: onRequest(originalMethod),
  url: onRequest((head) => head.uri),
  path: onRequest((head) => unlessEmpty(head.path())),
  pathq: onRequest((head) => unlessEmpty(pathWithQuery(head))),
  query: onRequest((head) => (head.uri.includes('?') ? head.query() : undefined)),
  base: onRequest((head) => unlessEmpty(host(head) + head.path())),
  baseq: onRequest((head) => unlessEmpty(host(head) + pathWithQuery(head))),
  base32: onRequest((head) => hash32(host(head) + head.path())),
  'base32+src': onRequest((head, s) => hashAndSource(hash32(host(head) + head.path()), s)),
  url32: onRequest((head) => hash32(host(head) + pathWithQuery(head))),
  'url32+src': onRequest((head, s) => hashAndSource(hash32(host(head) + pathWithQuery(head)), s)),
  url_ip: onRequest((head) => parseIp(authority(head)?.host ?? '')),
  url_port: onRequest((head) => authority(head)?.port),
  url_param: parameter((text) => text),
  urlp_val: parameter(textToInt),
  'req.ver': onRequest((head) => `1.${head.minorVersion}`),
  'res.ver': plain((s) => (s.response === null ? undefined : `1.${s.response.minorVersion}`)),
  status: plain((s) => (s.response === null ? (s.facts.status > 0 ? s.facts.status : undefined) : s.response.status)),
  'req.body_param': fetch((args) => {
    const name = textArg(args, 0);
    return (s) => bodyParameter(s, name);
  }),
  http_first_req: onRequest((_, s) => s.session.requestCount <= 1),
  'capture.req.method': captured((s) => s.facts.method),
  'capture.req.uri': captured((s) => s.facts.uri),
  'capture.req.ver': captured((s) => s.facts.version),
  'capture.res.ver': plain((s) => (s.response === null ? undefined : `HTTP/1.${s.response.minorVersion}`)),
};
