/**
 * `tcp-response content`: holds the first bytes of the server back until the rules have decided. Made by TcpStream for backends
 * that have such rules; the tunnel starts after it.
 */
import { TimerNode, type TimerOwner } from '../../base/timer-wheel.ts';
import { limits } from '../../model/limits.ts';
import type { RuleSet } from '../../rules/compile.ts';
import type { ServerConnection, TransportHandler } from '../contract.ts';
import type { Exchange } from '../exchange.ts';
import type { ThreadContext } from '../thread-context.ts';
import { InspectBuffer } from './inspect-buffer.ts';

interface ResponseInspectionOwner {
  readonly accepted: (chunks: readonly Uint8Array[], ended: boolean) => void;
  readonly refused: () => void;
  /** The server connection broke before a decision. */
  readonly closed: () => void;
}

export class ResponseInspection implements TransportHandler, TimerOwner {
  private readonly context: ThreadContext;
  private readonly exchange: Exchange;
  private readonly connection: ServerConnection;
  private readonly rules: RuleSet;
  private readonly delayMs: number;
  private readonly owner: ResponseInspectionOwner;
  private readonly buffer = new InspectBuffer(limits.inspectBytesMax);
  private readonly timer = new TimerNode(this, 0);
  private readonly startedMs: number;
  private from = 0;
  private ended = false;
  private decided = false;

  constructor(context: ThreadContext, exchange: Exchange, connection: ServerConnection, rules: RuleSet, delayMs: number, owner: ResponseInspectionOwner) {
    this.context = context;
    this.exchange = exchange;
    this.connection = connection;
    this.rules = rules;
    this.delayMs = delayMs;
    this.owner = owner;
    this.startedMs = context.clock.monoMs();
  }

  start(): void {
    this.connection.transport.handler = this;
    // Without a delay the rules decide before the server has said anything.
    this.run();
    if (!this.decided) this.connection.transport.resume();
  }

  stop(): void {
    this.decided = true;
    this.context.wheel.disarm(this.timer);
  }

  bytes(): Uint8Array { return this.buffer.bytes(); }

  complete(): boolean {
    return this.ended || this.buffer.full || this.delayMs === 0 || this.context.clock.monoMs() - this.startedMs >= this.delayMs;
  }

  onData(chunk: Buffer): void {
    this.buffer.push(chunk);
    if (this.buffer.full) this.connection.transport.pause();
    this.run();
  }

  onDrain(): void {}

  onEnd(): void {
    this.ended = true;
    this.run();
  }

  onClose(): void {
    if (this.decided) return;
    this.stop();
    this.owner.closed();
  }

  onTimer(): void {
    this.run();
  }

  private run(): void {
    if (this.decided) return;
    const { exchange, rules } = this;
    exchange.final = this.complete();
    exchange.needMore = false;
    const verdict = rules.run(exchange, this.from);
    if (verdict !== null && verdict.kind === 'wait' && !exchange.final) {
      this.from = rules.resumeAt;
      if (!this.timer.armed) this.context.wheel.arm(this.timer, this.delayMs - (this.context.clock.monoMs() - this.startedMs));
      return;
    }
    this.stop();
    if (verdict === null || verdict.kind === 'allow' || verdict.kind === 'wait') this.owner.accepted(this.buffer.take(), this.ended);
    else {
      exchange.facts.rule = rules.decider;
      this.owner.refused();
    }
  }
}
