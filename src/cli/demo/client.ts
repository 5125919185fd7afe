/**
 * Sends one request over TLS and reads the answer. Used by the demo. Plain sockets, because the runtimes' HTTP clients refuse
 * methods such as RPC_IN_DATA. Trusts only the demo's own certificate; never rejects: what goes wrong is told in the answer.
 */
import { connect } from 'node:tls';
import type { ServiceRequest } from './services.ts';

export interface Answer {
  readonly request: ServiceRequest;
  /** 0 when none came. */
  readonly status: number;
  /** Name that the server told, '' = none. */
  readonly server: string;
  /** Why no answer came, '' = one came. */
  readonly failure: string;
}

const timeoutMs = 10_000;

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Trusted certificate, PEM. */
  readonly ca: string;
  readonly name: string;
}

function readAnswer(request: ServiceRequest, text: string, failure: string): Answer {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  const server = /^x-feserver: *(.*)\r$/im.exec(text)?.[1] ?? '';
  if (status === undefined) return { request, status: 0, server: '', failure: failure === '' ? 'the connection was closed without an answer' : failure };
  return { request, status: Number(status), server, failure: '' };
}

function send(target: Target, request: ServiceRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.host, port: target.port, ca: target.ca, servername: target.name });
    let text = '';
    let failure = '';
    socket.setTimeout(timeoutMs, () => {
      failure = `no answer within ${timeoutMs / 1000} seconds`;
      socket.destroy();
    });
    socket.on('secureConnect', () => {
      const lines = [`${request.method} ${request.target} HTTP/1.1`, `Host: ${target.name}`, ...request.headers, `Content-Length: ${request.body.length}`, 'Connection: close'];
      socket.write(`${lines.join('\r\n')}\r\n\r\n${request.body}`, 'latin1');
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', () => resolve(readAnswer(request, text, failure)));
  });
}

/** Every request `times` times, in turn, one after the other. */
export async function sendAll(target: Target, requests: readonly ServiceRequest[], times: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let round = 0; round < times; round += 1) {
    for (const request of requests) answers.push(await send(target, request));
  }
  return answers;
}
