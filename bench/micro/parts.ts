/**
 * The hot parts of the data plane, each as an operation that gives a number, so that no compiler can leave its work out. Measured
 * by run.ts; test/unit/bench-micro runs each a few times.
 */
import { PersistenceMemo } from '../../src/balance/persistence.ts';
import { C } from '../../src/model/counters.ts';
import { Http1Head } from '../../src/wire/http1/head.ts';
import { HeadParser, parsed } from '../../src/wire/http1/head-parser.ts';
import { writeHead } from '../../src/wire/http1/write-head.ts';
import { messages } from './messages.ts';
import { MicroRoom } from './room.ts';

interface Part {
  readonly name: string;
  /** Makes the operation; what this costs is not measured. */
  readonly make: (room: MicroRoom) => () => number;
}

const noTail = Buffer.alloc(0);
const forwardedLine = 'x-forwarded-for: 198.51.100.7\r\n';

function read(bytes: Buffer, isResponse: boolean): HeadParser {
  const parser = new HeadParser(new Http1Head(isResponse), 65536, 256);
  parser.begin(bytes, 0);
  if (parser.parse(bytes.length) !== parsed.done) throw new Error('a head of the bench is refused');
  return parser;
}

function parse(name: string, bytes: Buffer, isResponse: boolean): Part {
  return { name, make: () => {
    const parser = read(bytes, isResponse);
    return () => {
      parser.begin(bytes, 0);
      return parser.parse(bytes.length) + parser.head.parsedCount;
    };
  } };
}

function write(name: string, bytes: Buffer, isResponse: boolean, edit: (head: Http1Head) => void, lines: string): Part {
  return { name, make: () => {
    const { head } = read(bytes, isResponse);
    edit(head);
    return () => writeHead(head, lines, noTail).length;
  } };
}

function pick(name: string): Part {
  return { name: `pick ${name}`, make: (room) => {
    const { balancer } = room.proxy(name);
    const subject = room.underWay('fe', 'beowa', messages.wrkRequest, messages.nginxAnswer);
    return () => balancer.pick(subject, -1);
  } };
}

function line(name: string, frontend: string, backend: string, request: Buffer): Part {
  return { name: `line ${name}`, make: (room) => {
    const subject = room.underWay('fe', backend, request, messages.nginxAnswer);
    const { log } = room.proxy(frontend).rules;
    if (log === null) throw new Error(`${frontend} has no log format`);
    return () => log(subject).length;
  } };
}

const rules: Part = { name: 'rules exchange-acls', make: (room) => {
  const subject = room.underWay('fe', 'beowa', messages.owaRequest, messages.iisAnswer);
  const { backend } = room.proxy('fe').rules;
  const parser = subject.requestParser;
  const bytes = messages.owaRequest;
  // The parser starts each time anew, so that the path is not remembered; its own cost is in `parse request-owa`.
  return () => {
    parser.begin(bytes, 0);
    return parser.parse(bytes.length) + backend(subject);
  };
} };

const cookiePersistence: Part = { name: 'pick cookie', make: (room) => {
  const { persistence } = room.proxy('cookie');
  const subject = room.underWay('fe', 'beowa', messages.wrkRequest, messages.nginxAnswer);
  const memo = new PersistenceMemo();
  const parser = subject.requestParser;
  const bytes = Buffer.from('GET /owa/ HTTP/1.1\r\nHost: mail.example.com\r\nCookie: a=b; SRV=s3; c=d\r\n\r\n');
  return () => {
    parser.begin(bytes, 0);
    return parser.parse(bytes.length) + persistence.choose(subject, memo);
  };
} };

const counters: Part = { name: 'counters of a request', make: (room) => {
  const { front } = room.proxy('fe');
  const { back } = room.proxy('beowa');
  const tallies = [front, back];
  return () => {
    for (const tally of tallies) {
      tally.add(C.bin, 300);
      tally.add(C.bout, 400);
      tally.count(C.req_tot);
      tally.count(C.hrsp_2xx);
    }
    back.enter(1_700_000_000_000);
    back.leave();
    back.times(0, 0, 1, 1);
    return back.counters[C.req_tot] ?? 0;
  };
} };

const queue: Part = { name: 'line handed over', make: (room) => {
  const { logs } = room.context;
  const subject = room.underWay('fe', 'beowa', messages.wrkRequest, messages.nginxAnswer);
  const text = room.proxy('fe').rules.log?.(subject) ?? '';
  const control = room.segments.logRing(0);
  let index = 0;
  let taken = 0;
  const take = (_proxy: number, _level: number, _bytes: Buffer, _at: number, length: number): void => { taken += length; };
  return () => {
    // A line of its own each time, as requests have.
    logs.push(0, 6, `${text}${index}`, '', null);
    index += 1;
    if (index % 128 === 0) control.takeAll(take);
    return index + taken;
  };
} };

function exchange(name: string, request: Buffer, answerHead: Buffer): Part {
  return { name: `exchange ${name}`, make: (room) => {
    const { client, server } = room.pair('fe', 'beowa');
    const answer = Buffer.concat([answerHead, Buffer.alloc(100, 'x')]);
    return () => {
      // As a socket gives them: bytes that belong to the exchange, which takes lines out of them in place.
      client.handler.onData(Buffer.from(request));
      server.handler.onData(Buffer.from(answer));
      return client.written;
    };
  } };
}

export const parts: readonly Part[] = [
  parse('parse request-wrk', messages.wrkRequest, false),
  parse('parse request-owa', messages.owaRequest, false),
  parse('parse answer-nginx', messages.nginxAnswer, true),
  parse('parse answer-iis', messages.iisAnswer, true),
  write('write request-forwarded-for', messages.owaRequest, false, () => undefined, forwardedLine),
  write('write answer-edited', messages.iisAnswer, true, (head) => head.remove(head.find('x-powered-by', 0)), 'connection: close\r\n'),
  rules,
  pick('roundrobin'),
  pick('leastconn'),
  pick('source'),
  cookiePersistence,
  counters,
  line('httplog', 'fe', 'beowa', messages.wrkRequest),
  line('httplog-owa', 'fe', 'beowa', messages.owaRequest),
  line('tcplog', 'lines', 'beowa', messages.wrkRequest),
  line('log-format', 'custom', 'beowa', messages.wrkRequest),
  queue,
  exchange('wrk-nginx', messages.wrkRequest, messages.nginxAnswer),
  exchange('owa-iis', messages.owaRequest, messages.iisAnswer),
];
