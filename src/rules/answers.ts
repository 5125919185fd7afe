/**
 * Answers that the proxy makes itself: error pages, `return`, `deny`, redirections, authentication. Heads are HAProxy's byte for
 * byte, without a `connection` header: the data plane adds that, and leaves the body out for HEAD.
 */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../model/expression.ts';
import type { Proxy } from '../model/model.ts';
import type { Subject } from './subject.ts';
import type { FormatFn } from './types.ts';

/** Reasons of generated answers where HAProxy's differ from the registry's. */
const reasons: Readonly<Record<number, string>> = {
  302: 'Moved Temporarily', 400: 'Bad Request', 413: 'Payload Too Large', 414: 'Request-URI Too Long', 416: 'Requested range unsatisfiable', 417: 'Expectation failed',
  418: "I'm a teapot", 422: 'Unprocessable Content', 499: 'client has closed connection', 505: 'HTTP Version not supported', 506: 'Variant also negotiate',
  511: 'Network authentication required',
};
const classReasons = ['Informational', 'Informational', 'Success', 'Redirection', 'Client Error', 'Server Error'];

export function reasonOf(status: number): string {
  return reasons[status] ?? STATUS_CODES[status] ?? classReasons[Math.floor(status / 100)] ?? 'Other';
}

/** Title and text of the built-in pages; '' as title stands for the usual reason. */
const pages: Readonly<Record<number, readonly [title: string, text: string]>> = {
  200: ['OK', 'Service ready.'],
  400: ['Bad request', 'Your browser sent an invalid request.'],
  401: ['Unauthorized', 'You need a valid user and password to access this content.'],
  403: ['Forbidden', 'Request forbidden by administrative rules.'],
  404: ['Not Found', 'The resource could not be found.'],
  405: ['Method Not Allowed', 'A request was made of a resource using a request method not supported by that resource'],
  407: ['Unauthorized', 'You need a valid user and password to access this content.'],
  408: ['Request Time-out', "Your browser didn't send a complete request in time."],
  410: ['Gone', 'The resource is no longer available and will not be available again.'],
  413: ['Payload Too Large', 'The request entity exceeds the maximum allowed.'],
  421: ['Misdirected Request', 'Request sent to a non-authoritative server.'],
  422: ['Unprocessable Content', 'The server cannot process the contained instructions.'],
  425: ['Too Early', 'Your browser sent early data.'],
  429: ['Too Many Requests', 'You have sent too many requests in a given amount of time.'],
  500: ['Internal Server Error', 'An internal server error occurred.'],
  501: ['', '.The server does not support the functionality required to fulfill the request.'],
  502: ['Bad Gateway', 'The server returned an invalid or incomplete response.'],
  503: ['Service Unavailable', 'No server is available to handle this request.'],
  504: ['Gateway Time-out', "The server didn't respond in time."],
};

interface MadeAnswer {
  readonly status: number;
  /** Header lines with their line ends, after the status line. */
  readonly head: string;
  readonly version: string;
  readonly reason: string;
  readonly body: Uint8Array;
  /** False when the end of the connection ends the body. */
  readonly keepAlive: boolean;
}

function builtinPage(status: number): MadeAnswer {
  const [ownTitle, text] = pages[status] ?? pages[500] ?? ['', ''];
  const title = ownTitle === '' ? reasonOf(status) : ownTitle;
  const body = Buffer.from(`<html><body><h1>${status} ${title}</h1>\n${text}\n</body></html>\n`, 'latin1');
  // 400 and 408 always end the connection, as HAProxy's pages say themselves.
  return {
    status, version: 'HTTP/1.1', reason: title, body, keepAlive: status !== 400 && status !== 408,
    head: `content-length: ${body.length}\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n`,
  };
}

/** A complete answer in a file: header names in lower case, `connection` left to the data plane. */
function fromFile(text: string, fallbackStatus: number): MadeAnswer {
  const end = /\r?\n\r?\n/.exec(text);
  const headText = end === null ? text : text.slice(0, end.index);
  const body = end === null ? new Uint8Array(0) : Buffer.from(text.slice(end.index + end[0].length), 'latin1');
  const [statusLine = '', ...lines] = headText.split(/\r?\n/);
  const match = /^(HTTP\/1\.\d) (\d{3}) ?(.*)$/.exec(statusLine);
  let head = '';
  let keepAlive = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon <= 0 || name === 'connection') continue;
    if (name === 'content-length') keepAlive = true;
    head += `${name}: ${line.slice(colon + 1).trim()}\r\n`;
  }
  const status = match === null ? fallbackStatus : Number(match[2]);
  return { status, version: match?.[1] ?? 'HTTP/1.1', reason: match?.[3] ?? reasonOf(status), head, body, keepAlive: keepAlive || status === 204 || status === 304 };
}

/** Status line, head and body as one. `extra` are header lines at the end. */
export function answerBytes(made: MadeAnswer, extra = ''): Buffer {
  const head = Buffer.from(`${made.version} ${made.status} ${made.reason}\r\n${made.head}${extra}\r\n`, 'latin1');
  return made.body.length === 0 ? head : Buffer.concat([head, made.body]);
}

export interface ReadyAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly keepAlive: boolean;
}

function ready(made: MadeAnswer): ReadyAnswer {
  return { status: made.status, bytes: answerBytes(made), keepAlive: made.keepAlive };
}

type CompileFormat = (format: Answer['headers'][number]['value']) => FormatFn;

/** Answers by proxy and status, and Answer → function. One per Compiler. */
export class AnswerMaker {
  private readonly compileFormat: CompileFormat;
  /** Prepared pages of each proxy by status; built-in ones under null. */
  private readonly prepared = new Map<Proxy | null, Map<number, (s: Subject | null) => MadeAnswer>>();

  constructor(compileFormat: CompileFormat) {
    this.compileFormat = compileFormat;
  }

  /** The page for a status: the backend's, else the frontend's, else built in. */
  page(frontend: Proxy, backend: Proxy | null, status: number, s: Subject | null): MadeAnswer {
    const own = (backend === null ? undefined : this.of(backend).get(status)) ?? this.of(frontend).get(status);
    if (own !== undefined) return own(s);
    const builtin = this.of(null);
    let make = builtin.get(status);
    if (make === undefined) {
      const made = builtinPage(status);
      make = () => made;
      builtin.set(status, make);
    }
    return make(s);
  }

  readyPage(frontend: Proxy, backend: Proxy | null, status: number, s: Subject | null): ReadyAnswer {
    return ready(this.page(frontend, backend, status, s));
  }

  private of(proxy: Proxy | null): Map<number, (s: Subject | null) => MadeAnswer> {
    let pagesOfProxy = this.prepared.get(proxy);
    if (pagesOfProxy === undefined) {
      pagesOfProxy = new Map();
      for (const answer of proxy?.errors ?? []) {
        // A default-error entry says: back to the built-in page.
        if (answer.body.kind === 'default-error') pagesOfProxy.delete(answer.status);
        else pagesOfProxy.set(answer.status, this.compile(answer));
      }
      this.prepared.set(proxy, pagesOfProxy);
    }
    return pagesOfProxy;
  }

  /** `s` may only be null where no format needs a subject; formats then print nothing. */
  private compile(answer: Answer): (s: Subject | null) => MadeAnswer {
    const { body, status } = answer;
    if (body.kind === 'raw') {
      const made = fromFile(body.bytes, status);
      return () => made;
    }
    const reason = reasonOf(status);
    const headers = answer.headers.map((header) => ({ name: header.name.toLowerCase(), value: this.compileFormat(header.value) }));
    const format = body.kind === 'format' ? this.compileFormat(body.format) : null;
    const fixedBody = body.kind === 'text' ? Buffer.from(body.bytes, 'latin1') : Buffer.alloc(0);
    const contentType = body.kind === 'text' || body.kind === 'format' ? body.contentType : '';
    // No length for answers that cannot have a body (RFC 9110 8.6); HAProxy does send it with 304.
    const withLength = status !== 204;
    const make = (s: Subject | null): MadeAnswer => {
      // Formats may print the status (%ST): it is this answer's from here on.
      if (s !== null) s.facts.status = status;
      let head = '';
      for (const header of headers) head += `${header.name}: ${s === null ? '' : header.value(s)}\r\n`;
      const bytes = format === null || s === null ? fixedBody : Buffer.from(format(s), 'latin1');
      if (withLength) head += `content-length: ${bytes.length}\r\n`;
      if (bytes.length > 0) head += `content-type: ${contentType}\r\n`;
      return { status, version: 'HTTP/1.1', reason, head, body: bytes, keepAlive: true };
    };
    if (headers.length > 0 || format !== null) return make;
    const made = make(null);
    return () => made;
  }

  /** What `deny`, `return` and `tarpit` send. Fixed answers are made once. */
  answer(answer: Answer): (s: Subject) => ReadyAnswer {
    if (answer.body.kind === 'default-error') return (s) => this.readyPage(s.frontend, s.backend, answer.status, s);
    const make = this.compile(answer);
    if (answer.headers.length > 0 || answer.body.kind === 'format') return (s) => ready(make(s));
    const made = ready(make(null));
    return () => made;
  }
}
