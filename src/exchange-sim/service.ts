/**
 * What a service of the simulated site (RPC over HTTP, MAPI, ActiveSync …) is given for each request, and what it may answer.
 * Implemented by connection.ts, used by everything under services/. Types only.
 */
import type { ComponentStates } from './components.ts';
import type { SimRequest } from './request-reader.ts';

/** Simulated time: `scale` simulated milliseconds pass in each real one. */
export interface SimClock {
  readonly scale: number;
  /** Simulated milliseconds since 1970. */
  now(): number;
  /** Calls back after so many simulated milliseconds. Gives the way to call it off. */
  after(milliseconds: number, call: () => void): () => void;
}

export interface ConnectionFacts {
  /** Counts the server's connections from 1; also stands in the log. */
  readonly number: number;
  readonly clientAddress: string;
  readonly clientPort: number;
  /** Requests that came over it, this one included. */
  readonly requests: number;
}

export interface ServerFacts {
  readonly name: string;
  readonly fqdn: string;
  readonly states: ComponentStates;
  readonly clock: SimClock;
}

/** How the end of a body is told. `none`: there never is one (304). `tunnel`: after 101, bytes both ways until somebody closes. */
export type AnswerBody = { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' } | { readonly kind: 'tunnel' };

/** Called as the request's body arrives, in order; `end` and `gone` come at most once and exclude each other before the answer is whole. */
export interface BodyReader {
  piece(bytes: Buffer): void;
  end(): void;
  /** The client closed or reset before the answer was complete. Write nothing any more; call timers off. */
  gone(): void;
}

export interface SimExchange {
  readonly request: SimRequest;
  /** '' when the directory let the client in without a name. */
  readonly user: string;
  /** For the log; empty until the service knows it. */
  mailbox: string;
  readonly connection: ConnectionFacts;
  readonly server: ServerFacts;

  /** Must be called inside handle(); before it returns no piece is lost. Without it the body is read and thrown away. */
  read(reader: BodyReader): void;
  /** Stops and restarts the arrival of pieces (back-pressure reaches the client). */
  pause(): void;
  resume(): void;

  /** An interim answer, e.g. 100 Continue. Nothing sends it unasked. */
  interim(status: number, reason: string): void;
  /** A whole answer at once, with Content-Length. */
  answer(status: number, reason: string, lines: readonly string[], body: Buffer | string): void;
  /** The head; `lines` are whole header lines (`Name: value`), spelled as they leave. Content-Length or Transfer-Encoding is added. `Connection: close` among them: whatever is left of the request is not waited for. */
  head(status: number, reason: string, lines: readonly string[], body: AnswerBody): void;
  /** A piece of body, one chunk when chunked. False: wait for the call given to drained(). */
  write(bytes: Buffer | string): boolean;
  drained(call: () => void): void;
  /** The answer is whole. With a length not reached the connection closes. */
  end(): void;
  /** Cuts the connection with a TCP reset. */
  reset(): void;
}

export interface ExchangeService {
  /** Path of the virtual directory, e.g. `/rpc`; or deeper (`/owa/ev.owa2`): the longest that fits is asked. Case is ignored. */
  readonly directory: string;
  handle(exchange: SimExchange): void;
}
