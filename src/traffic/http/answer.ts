/**
 * Answers made by the proxy: error pages, rules' answers, redirects. They pass http-after-response and get the connection line
 * that fits the client, as a server's answer would.
 */
import type { Fault } from '../../model/fault.ts';
import type { Server } from '../../model/model.ts';
import { body, frameResponse } from '../../wire/http1/framing.ts';
import { parsed } from '../../wire/http1/head-parser.ts';
import { writeHead } from '../../wire/http1/write-head.ts';
import { afterRules, connectionLine } from './after-rules.ts';
import { finish } from './finish.ts';
import { noBytes, type HttpExchange } from './http-exchange.ts';

/** The page of a fault: errorfile or built-in. */
export function answerWithPage(x: HttpExchange, fault: Fault): void {
  x.facts.fault = fault;
  const { compiler } = x.client.session.plan;
  answerNow(x, compiler.errorAnswer(x.frontend, x.backend, fault.status), fault.cause, fault.stage);
}

/** Sends a whole answer, head and body, and ends the exchange with these letters. */
export function answerNow(x: HttpExchange, bytes: Uint8Array, cause: string, stageLetter: string): void {
  const { facts, responseHead: head, responseParser } = x;
  facts.cause = cause;
  facts.stage = stageLetter;
  const copy = Buffer.from(bytes);
  responseParser.relaxed = true;
  responseParser.begin(copy, 0);
  const result = responseParser.parse(copy.length);
  x.answerStarted = true;
  if (result !== parsed.done) {
    // An errorfile that is no HTTP answer is sent as it is, like HAProxy did before it learned to check them.
    facts.status = 0;
    if (copy.length > 0) send(x, copy);
    finish(x, false, true);
    return;
  }
  // The server's connection ends here, and with it what the client proved on it.
  if (!x.requestBody.done || x.link?.private === true) x.closeClient = true;
  frameResponse(head, x.responseFraming, false, false);
  const content = copy.subarray(head.end);
  // An errorfile without a length ends with the connection.
  if (x.responseFraming.kind === body.untilClose) x.closeClient = true;
  x.response = head;
  facts.status = head.statusCode;
  afterRules(x);
  facts.status = head.statusCode;
  send(x, writeHead(head, connectionLine(x), x.isHead ? noBytes : content));
  finish(x, false, x.closeClient);
}

/** `redir` on a server: GET and HEAD are sent there instead of being forwarded. */
export function redirected(x: HttpExchange, server: Server): boolean {
  const { method, uri } = x.requestHead;
  if (method !== 'GET' && method !== 'HEAD') return false;
  x.closeClient = true;
  const location = `${server.redirectPrefix === '/' ? '' : server.redirectPrefix}${x.requestHead.path() === '' ? uri : uri.slice(uri.indexOf(x.requestHead.path()))}`;
  answerNow(x, Buffer.from(`HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: ${location}\r\n\r\n`, 'latin1'), 'L', 'C');
  return true;
}

function send(x: HttpExchange, data: Uint8Array): void {
  x.countOut(data.length);
  x.client.transport.write(data);
}
