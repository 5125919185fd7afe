/**
 * `option httpchk` and `http-check`: the requests, byte for byte as HAProxy sends them (names in lower case, close with HTTP/1.1),
 * and the steps around them. Called by program.ts.
 */
import type { CheckStep } from '../../model/model.ts';
import type { CheckWords } from './check-words.ts';
import type { Program, Step } from './check-step.ts';
import { expectHttp } from './expect-http.ts';
import { connectStep } from './tcp-program.ts';

type HttpSend = Extract<CheckStep, { kind: 'http-send' }>;

/** Headers that the checker makes itself. */
const ownHeaders: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding']);
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

interface HttpProgramOptions {
  /** Value of x-haproxy-server-state (`http-check send-state`), null = not sent. */
  readonly stateHeader: (() => string) | null;
  readonly leavesOn404: () => boolean;
}

/** `configured`: complete, as config/ writes it out: connect, request and expectation are there. */
export function httpProgram(configured: readonly CheckStep[], words: CheckWords, options: HttpProgramOptions): Program {
  const steps: Step[] = [];
  let isHead = false;
  for (const step of configured) {
    if (step.kind === 'http-send') isHead = step.method === 'HEAD';
    const made = httpStep(step, words, options, isHead);
    if (made !== null) steps.push(made);
  }
  return { steps, tellsSteps: false, http: true };
}

function httpStep(step: CheckStep, words: CheckWords, options: HttpProgramOptions, isHead: boolean): Step | null {
  switch (step.kind) {
    case 'connect': return connectStep(step);
    case 'http-send': return requestStep(step, words, options);
    case 'expect': return expectHttp(step, words, { leavesOn404: options.leavesOn404, isHead });
    case 'comment': return { kind: 'action', comment: step.comment, run: () => undefined };
    case 'set-var': case 'unset-var': return { kind: 'action', comment: '', run: words.setVariable(step.name, step.expr, step.format) };
    default: return null;
  }
}

function requestStep(send: HttpSend, words: CheckWords, options: HttpProgramOptions): Step {
  const uri = words.text(send.uri);
  const headers = send.headers
    .filter(({ name }) => !ownHeaders.has(name.toLowerCase()))
    .map(({ name, value }) => ({ name: name.toLowerCase(), value: words.text(value) }));
  const body = send.body === null ? null : words.text(send.body);
  const closes = wantsClose(send, words);
  return {
    kind: 'send', comment: send.comment,
    bytes: () => {
      const content = body === null ? '' : body();
      let text = `${send.method} ${uri()} ${send.version}\r\n`;
      for (const header of headers) text += `${header.name}: ${header.value()}\r\n`;
      if (options.stateHeader !== null) text += `x-haproxy-server-state: ${options.stateHeader()}\r\n`;
      if (content !== '' || methodsWithBody.has(send.method)) text += `content-length: ${Buffer.byteLength(content, 'latin1')}\r\n`;
      if (closes) text += 'connection: close\r\n';
      return Buffer.from(`${text}\r\n${content}`, 'latin1');
    },
  };
}

/** HTTP/1.1 connections are closed after the answer unless the configuration sends a connection header of its own. */
function wantsClose(send: HttpSend, words: CheckWords): boolean {
  const own = send.headers.find(({ name }) => name.toLowerCase() === 'connection');
  if (own !== undefined) return words.text(own.value)().toLowerCase().includes('close');
  return send.version !== 'HTTP/1.0';
}
