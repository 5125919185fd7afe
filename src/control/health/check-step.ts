/**
 * What a check does, step by step, in the form that check-run.ts executes. Made by the program files (http, tcp-check, the
 * protocol probes) from the Model's CheckMethod. Plain values and functions without side effects.
 */
import type { PeerAddress } from '../../model/address.ts';
import type { CheckStatus } from '../../model/server-state.ts';

export interface ConnectStep {
  readonly kind: 'connect';
  /** True when no line of the configuration asked for it (or one with `default`): it does not count as a step. */
  readonly implicit: boolean;
  /** 0 = the server's check port. */
  readonly port: number;
  readonly address: PeerAddress | null;
  /** 'server': as the server line says. */
  readonly tls: 'server' | 'yes' | 'no';
  readonly sni: string;
  readonly alpn: readonly string[];
  readonly sendProxy: 'server' | 'yes' | 'no';
  readonly linger: boolean;
}

export interface SendStep {
  readonly kind: 'send';
  readonly bytes: () => Uint8Array;
}

export interface ExpectStep {
  readonly kind: 'expect';
  readonly judge: (answer: Answer) => Judgement;
  /** `string '+PONG'`, for results of a check that stopped here. */
  readonly looksFor: string;
  readonly okStatus: CheckStatus;
  readonly timeoutStatus: CheckStatus;
  /** Result when the peer closes without an answer; '' description: HTTP says nothing then. */
  readonly emptyStatus: CheckStatus;
}

/** Variables, comments: runs and goes on. */
interface ActionStep {
  readonly kind: 'action';
  readonly run: () => void;
}

export type Step = (ConnectStep | SendStep | ExpectStep | ActionStep) & { readonly comment: string };

/** What has come since the last send or connect. */
export interface Answer {
  readonly bytes: Buffer;
  /** True: nothing more will come (closed, or the buffer is full). */
  readonly ended: boolean;
}

/** Null: more bytes are needed. `status` overrides the step's. */
export type Judgement = null | {
  readonly ok: boolean;
  readonly status: CheckStatus | null;
  readonly code: number;
  readonly description: string;
};

export interface Program {
  readonly steps: readonly Step[];
  /** Explicit tcp-check rules: causes tell the step, HAProxy's way. */
  readonly tellsSteps: boolean;
  /** Answers are HTTP: an empty one has no words of its own. */
  readonly http: boolean;
}

export const connectByDefault: ConnectStep & { readonly comment: string } = {
  kind: 'connect', implicit: true, port: 0, address: null, tls: 'server', sni: '', alpn: [], sendProxy: 'server', linger: false, comment: '',
};

/** Number of the step in messages: the implicit connect is 0, the first rule of the configuration 1. */
export function stepNumber(steps: readonly Step[], at: number): number {
  const first = steps[0];
  return first?.kind === 'connect' && first.implicit ? at : at + 1;
}

/** The step's own comment, or that of a comment line right before it. */
export function commentOf(steps: readonly Step[], at: number): string {
  const own = steps[at]?.comment ?? '';
  if (own !== '') return own;
  const before = steps[at - 1];
  return before?.kind === 'action' ? before.comment : '';
}
