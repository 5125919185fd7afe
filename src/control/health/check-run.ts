/**
 * One running check: walks a program over a connection until it ends, fails or runs out of time. Made by checker.ts for every
 * check, gives exactly one result unless cancelled. Never changes server state.
 */
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../model/limits.ts';
import type { CheckStatus } from '../../model/server-state.ts';
import type { CheckResult } from '../check-result.ts';
import type { Timers } from '../timers.ts';
import { errorText } from './check-socket.ts';
import type { CheckSocket, CheckSocketEvents, CheckTarget, OpenCheckSocket } from './check-socket.ts';
import { commentOf, stepNumber } from './check-step.ts';
import type { ConnectStep, ExpectStep, Judgement, Program, Step } from './check-step.ts';

interface RunOptions {
  readonly program: Program;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly open: OpenCheckSocket;
  /** Undefined: there is no port to connect to. */
  readonly target: (step: ConnectStep) => CheckTarget | undefined;
  /** Time for a connection with its TLS handshake, and for the rest; null = what is left of the connection's. */
  readonly connectMs: number;
  readonly checkMs: number | null;
}

type Phase = 'none' | 'connecting' | 'securing' | 'open';

const noBytes = Buffer.alloc(0);

export class CheckRun implements CheckSocketEvents {
  private readonly options: RunOptions;
  private readonly done: (result: CheckResult) => void;
  private readonly startedAtMs: number;
  private readonly steps: readonly Step[];
  private at = 0;
  private phase: Phase = 'none';
  private socket: CheckSocket | null = null;
  private secured = false;
  private linger = false;
  private bytes: Buffer = noBytes;
  private ended = false;
  private last: Judgement = null;
  private timer: unknown = null;
  private over = false;

  constructor(options: RunOptions, done: (result: CheckResult) => void) {
    this.options = options;
    this.done = done;
    this.steps = options.program.steps;
    this.startedAtMs = options.clock.monoMs();
  }

  start(): void {
    this.advance();
  }

  cancel(): void {
    this.over = true;
    this.release();
  }

  // ---- from the socket

  onConnected(): void {
    const step = this.steps[this.at];
    if (this.over || step?.kind !== 'connect') return;
    if (this.secured) {
      this.phase = 'securing';
      return;
    }
    this.opened();
  }

  onSecured(): void {
    if (!this.over) this.opened();
  }

  onData(chunk: Buffer): void {
    if (this.over) return;
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    if (this.bytes.length > limits.checkAnswerBytesMax) {
      this.bytes = this.bytes.subarray(0, limits.checkAnswerBytesMax);
      this.ended = true;
    }
    if (this.steps[this.at]?.kind === 'expect') this.advance();
  }

  onEnd(): void {
    if (this.over) return;
    this.ended = true;
    if (this.phase === 'open' && this.steps[this.at]?.kind === 'expect') this.advance();
    else if (this.phase === 'securing') this.fail('L6RSP', 'Connection closed during SSL handshake');
  }

  onError(code: string): void {
    if (this.over) return;
    if (this.phase === 'connecting') {
      this.fail(code === 'EMFILE' || code === 'ENFILE' ? 'SOCKERR' : 'L4CON', errorText(code));
    } else if (this.phase === 'securing') {
      this.fail('L6RSP', code === 'ECONNRESET' || code === 'EPIPE' ? 'Connection closed during SSL handshake' : 'SSL handshake failure');
    } else if (!this.judgeLast()) {
      this.fail('SOCKERR', errorText(code));
    }
  }

  // ---- steps

  private advance(): void {
    while (!this.over) {
      const step = this.steps[this.at];
      if (step === undefined) {
        this.pass();
        return;
      }
      if (!this.run(step)) return;
      this.at += 1;
    }
  }

  /** True: the step is done, go on. */
  private run(step: Step): boolean {
    switch (step.kind) {
      case 'connect':
        this.connect(step);
        return false;
      case 'send':
        this.bytes = noBytes;
        this.socket?.write(step.bytes());
        return true;
      case 'expect':
        return this.expect(step);
      default:
        step.run();
        return true;
    }
  }

  private connect(step: ConnectStep): void {
    this.release();
    this.bytes = noBytes;
    this.ended = false;
    this.phase = 'connecting';
    const target = this.options.target(step);
    if (target === undefined) {
      this.fail('SOCKERR', 'No port available for the TCP connection');
      return;
    }
    this.secured = target.tls !== null;
    this.linger = step.linger;
    this.deadline(this.options.connectMs);
    this.socket = this.options.open(target, this);
  }

  private opened(): void {
    this.phase = 'open';
    if (this.options.checkMs !== null) this.deadline(this.options.checkMs);
    this.at += 1;
    this.advance();
  }

  private expect(step: ExpectStep): boolean {
    if (this.ended && this.bytes.length === 0) {
      this.empty(step);
      return false;
    }
    const judgement = this.bytes.length === 0 ? null : step.judge({ bytes: this.bytes, ended: this.ended });
    if (judgement === null) return false;
    if (!judgement.ok) {
      this.finish({ outcome: 'failed', status: judgement.status ?? 'L7RSP', code: judgement.code, description: judgement.description });
      return false;
    }
    this.last = judgement;
    return true;
  }

  /** A reset may come right behind a whole answer: what is there is looked at once more as the last word. */
  private judgeLast(): boolean {
    if (this.bytes.length === 0 || this.steps[this.at]?.kind !== 'expect') return false;
    this.ended = true;
    this.advance();
    return this.over;
  }

  private empty(step: ExpectStep): void {
    const { program } = this.options;
    const comment = commentOf(this.steps, this.at);
    const words = program.http ? '' : `TCPCHK got an empty response at step ${this.number()}${comment === '' ? '' : ` comment: '${comment}'`}`;
    this.finish({ outcome: 'failed', status: step.emptyStatus, code: 0, description: words });
  }

  private timedOut(): void {
    const step = this.steps[this.at];
    if (this.phase === 'connecting') this.fail('L4TOUT', '');
    else if (this.phase === 'securing') this.fail('L6TOUT', '');
    else this.fail(step?.kind === 'expect' ? step.timeoutStatus : 'L7TOUT', '');
  }

  // ---- results

  private pass(): void {
    const step = this.steps.at(-1);
    const { last } = this;
    if (step?.kind === 'connect') {
      this.finish({ outcome: 'passed', status: this.secured ? 'L6OK' : 'L4OK', code: 0, description: '' });
    } else if (step?.kind === 'expect' && last !== null) {
      const status = last.status ?? step.okStatus;
      this.finish({ outcome: status === 'L7OKC' ? 'conditional' : 'passed', status, code: last.code, description: last.description });
    } else {
      this.finish({ outcome: 'passed', status: 'L7OK', code: 0, description: '(tcp-check)' });
    }
  }

  /** A failure of the connection: explicit tcp-check rules tell where it happened. */
  private fail(status: CheckStatus, cause: string): void {
    this.finish({ outcome: 'failed', status, code: 0, description: `${cause}${this.whereText()}` });
  }

  private whereText(): string {
    if (!this.options.program.tellsSteps) return '';
    const step = this.steps[this.at];
    if (step === undefined || (step.kind === 'connect' && step.implicit)) return ' at initial connection step of tcp-check';
    const comment = commentOf(this.steps, this.at);
    return ` at step ${this.number()} of tcp-check${doing(step)}${comment === '' ? '' : ` comment: '${comment}'`}`;
  }

  private number(): number {
    return stepNumber(this.steps, this.at);
  }

  private finish(result: Omit<CheckResult, 'durationMs'>): void {
    if (this.over) return;
    this.over = true;
    this.release();
    this.done({ ...result, durationMs: Math.max(0, this.options.clock.monoMs() - this.startedAtMs) });
  }

  private deadline(delayMs: number): void {
    if (this.timer !== null) this.options.timers.cancel(this.timer);
    this.timer = this.options.timers.after(delayMs, () => { if (!this.over) this.timedOut(); });
  }

  private release(): void {
    if (this.timer !== null) this.options.timers.cancel(this.timer);
    this.timer = null;
    this.socket?.destroy(!this.linger && this.phase === 'open');
    this.socket = null;
  }
}

function doing(step: Step): string {
  if (step.kind === 'connect') return step.port > 0 ? ` (connect port ${step.port})` : ' (connect)';
  if (step.kind === 'expect') return ` (expect ${step.looksFor})`;
  return step.kind === 'send' ? ' (send)' : '';
}
