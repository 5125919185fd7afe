/**
 * Fetches of raw bytes: content inspection in mode tcp, bodies in mode http, TLS hellos. They set Subject.needMore when more bytes
 * could still change the answer; the rule evaluator then waits until the inspect delay ends.
 */
import { readHello, type TlsHello } from '../../wire/tls-hello.ts';
import type { Head } from '../../wire/head.ts';
import type { Sample, Subject } from '../subject.ts';
import { intArg, textArg, type FetchMaker, type FetchTable, type SampleFn } from '../types.ts';

interface Side {
  bytes(s: Subject): Uint8Array;
  complete(s: Subject): boolean;
  head(s: Subject): Head | null;
}

const requestSide: Side = { bytes: (s) => s.requestBytes(), complete: (s) => s.requestComplete(), head: (s) => s.request };
const responseSide: Side = { bytes: (s) => s.responseBytes(), complete: (s) => s.responseComplete(), head: (s) => s.response };
/** Without direction: the response once there is one or its bytes have come. */
const eitherSide: Side = {
  bytes: (s) => sideOf(s).bytes(s), complete: (s) => sideOf(s).complete(s), head: (s) => sideOf(s).head(s),
};

function sideOf(s: Subject): Side {
  return s.response !== null || s.responseBytes().length > 0 ? responseSide : requestSide;
}

function waiting(side: Side, s: Subject): boolean {
  if (s.final || side.complete(s)) return false;
  s.needMore = true;
  return true;
}

function waits(make: FetchMaker['make']): FetchMaker {
  return { make, waits: true };
}

function run(read: SampleFn): FetchMaker {
  return { make: () => read, waits: true };
}

/** Bytes offset..offset+length; length 0 = all there are. */
function payload(side: Side): FetchMaker {
  return waits((args) => {
    const offset = intArg(args, 0, 0);
    const length = intArg(args, 1, 0);
    return (s) => {
      const bytes = side.bytes(s);
      if (length === 0) {
        waiting(side, s);
        return bytes.length > offset ? bytes.subarray(offset) : undefined;
      }
      if (offset + length > bytes.length) {
        waiting(side, s);
        return undefined;
      }
      return bytes.subarray(offset, offset + length);
    };
  });
}

/** Bytes whose length stands big-endian at offset1 in `length` bytes; offset2 is absolute, or relative with a sign. */
function lengthValue(side: Side): FetchMaker {
  return waits((args) => {
    const lengthAt = intArg(args, 0, 0);
    const lengthBytes = intArg(args, 1, 1);
    const second = textArg(args, 2);
    const relative = second === '' || second.startsWith('+') || second.startsWith('-');
    const dataAt = relative ? lengthAt + lengthBytes + Number(second === '' ? 0 : second) : Number(second);
    return (s) => {
      const bytes = side.bytes(s);
      if (lengthAt + lengthBytes > bytes.length) { waiting(side, s); return undefined; }
      let length = 0;
      for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[lengthAt + i] ?? 0);
      if (dataAt < 0 || length === 0) return undefined;
      if (dataAt + length > bytes.length) { waiting(side, s); return undefined; }
      return bytes.subarray(dataAt, dataAt + length);
    };
  });
}

function length(side: Side): FetchMaker {
  return run((s) => {
    waiting(side, s);
    return side.bytes(s).length;
  });
}

function body(side: Side): FetchMaker {
  return { make: () => (s) => (side.head(s) === null ? undefined : side.bytes(s)) };
}

function bodySize(side: Side): FetchMaker {
  return {
    make: () => (s) => {
      const head = side.head(s);
      if (head === null) return undefined;
      const line = head.find('content-length', 0);
      return line < 0 ? side.bytes(s).length : Number.parseInt(head.value(line), 10);
    },
  };
}

function hello(read: (hello: TlsHello) => Sample): FetchMaker {
  return run((s) => {
    const result = readHello(s.requestBytes());
    if (result === 'more') waiting(requestSide, s);
    return typeof result === 'string' || result.type !== 1 ? undefined : read(result);
  });
}

/** Waits for the whole hello, like HAProxy, so that what is asked after `content accept` finds the server name. */
function helloTypeOf(side: Side): FetchMaker {
  return run((s) => {
    const result = readHello(side.bytes(s));
    if (result === 'more') waiting(side, s);
    return typeof result === 'string' ? undefined : result.type;
  });
}

/** True for bytes that begin like an HTTP/1 request; undefined while that cannot be told. */
function looksLikeHttp(bytes: Uint8Array): boolean | undefined {
  const text = Buffer.from(bytes.subarray(0, 8192)).toString('latin1').replace(/^(?:\r?\n)+/, '');
  const end = text.indexOf('\n');
  if (end >= 0) return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^ \r\n]+ HTTP\/\d\.\d\r?$/.test(text.slice(0, end)) ? /\n\r?\n/.test(text) || undefined : false;
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: [^ ]*(?: [HTP/\d.]*\r?)?)?$/.test(text) ? undefined : false;
}

function looksLikeHttpRequest(s: Subject): boolean {
  if (s.request !== null) return true;
  const answer = looksLikeHttp(s.requestBytes());
  if (answer === undefined) waiting(requestSide, s);
  return answer === true;
}

/** Values of `Cookie: mstshash=…` in a remote desktop connection request (MS-RDPBCGR 2.2.1.1). */
function rdpCookie(s: Subject, name: string): string | undefined {
  const bytes = s.requestBytes();
  if (bytes.length < 11) { waiting(requestSide, s); return undefined; }
  // TPKT version 3, then an X.224 connection request.
  if (bytes[0] !== 3 || (bytes[5] ?? 0) >> 4 !== 0xe) return undefined;
  const text = Buffer.from(bytes.subarray(11, 11 + 512)).toString('latin1');
  const match = /^Cookie: *([^=\r\n]+)=([^\r\n]*)\r\n/i.exec(text);
  if (match === null) {
    if (!text.includes('\n')) waiting(requestSide, s);
    return undefined;
  }
  return name === '' || (match[1] ?? '').toLowerCase() === name.toLowerCase() ? match[2] : undefined;
}

export const payloadFetches: FetchTable = {
  payload: payload(eitherSide), 'req.payload': payload(requestSide), 'res.payload': payload(responseSide),
  payload_lv: lengthValue(eitherSide), 'req.payload_lv': lengthValue(requestSide), 'res.payload_lv': lengthValue(responseSide),
  'req.len': length(requestSide), 'res.len': length(responseSide),
  'req.body': body(requestSide), 'res.body': body(responseSide),
  'req.body_len': { make: () => (s) => s.requestBytes().length }, 'res.body_len': { make: () => (s) => s.responseBytes().length },
  'req.body_size': bodySize(requestSide), 'res.body_size': bodySize(responseSide),
  'req.ssl_hello_type': helloTypeOf(requestSide), 'res.ssl_hello_type': helloTypeOf(responseSide),
  'req.ssl_sni': hello((found) => (found.serverName === '' ? undefined : found.serverName)),
  'req.ssl_alpn': hello((found) => (found.protocols.length === 0 ? undefined : found.protocols.join(','))),
  'req.ssl_ver': hello((found) => found.version),
  'req.ssl_ec_ext': hello((found) => found.hasCurves),
  'req.ssl_st_ext': hello((found) => found.sessionTicket),
  'req.proto_http': run(looksLikeHttpRequest),
  'req.rdp_cookie': waits((args) => {
    const name = textArg(args, 0);
    return (s) => rdpCookie(s, name);
  }),
  'req.rdp_cookie_cnt': waits((args) => {
    const name = textArg(args, 0);
    return (s) => (rdpCookie(s, name) === undefined ? 0 : 1);
  }),
  wait_end: run((s) => {
    if (!s.final) s.needMore = true;
    return s.final;
  }),
};
