/**
 * One connection to a runtime socket: bytes in, lines and payloads out of them, answers back. Used by socket.ts. Bounded: a line
 * with its payload by limits.adminCommandBytesMax, waiting answers by limits.adminPendingBytesMax (the next line then waits).
 * A client that half-closes still gets its answers. Incomplete lines are never run.
 */
import type { Socket } from 'node:net';
import { limits } from '../model/limits.ts';
import type { CommandSession, Level } from './command.ts';
import { runLine } from './commands.ts';
import type { AdminContext } from './context.ts';

class CommandConnection {
  private readonly socket: Socket;
  private readonly context: AdminContext;
  private readonly session: CommandSession;
  private input = '';
  /** Line that ended in `<<` and waits for its payload's empty line. */
  private payloadFor: string | null = null;
  private payload: string[] = [];
  private payloadLength = 0;
  private started = false;
  private ended = false;
  private finished = false;

  constructor(socket: Socket, context: AdminContext, level: Level, idleTimeoutMs: number) {
    this.socket = socket;
    this.context = context;
    this.session = { level, interactive: false, closing: false, idleTimeoutMs, experimental: false, expert: false };
  }

  listen(): void {
    const { socket } = this;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.onText(text));
    socket.on('end', () => this.onEnd());
    socket.on('drain', () => this.work());
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => socket.destroy());
  }

  /** Its turn has come: what the client said meanwhile is run now. */
  start(): void {
    this.started = true;
    this.socket.setTimeout(this.session.idleTimeoutMs);
    this.work();
  }

  private onText(text: string): void {
    if (this.finished) return;
    this.input += text;
    if (this.input.length + this.payloadLength > limits.adminCommandBytesMax && !(this.started && this.input.includes('\n'))) {
      this.finish();
      return;
    }
    this.work();
  }

  private onEnd(): void {
    this.ended = true;
    this.work();
  }

  /** Runs complete lines as long as the client takes the answers. */
  private work(): void {
    if (!this.started) {
      // Whoever leaves without a word needs no turn.
      if (this.ended && this.input === '') this.socket.destroy();
      return;
    }
    while (!this.finished) {
      if (this.socket.writableLength > limits.adminPendingBytesMax) {
        this.socket.pause();
        return;
      }
      const end = this.input.indexOf('\n');
      if (end < 0) break;
      const line = this.input.slice(0, end).replace(/\r$/, '');
      this.input = this.input.slice(end + 1);
      this.onLine(line);
    }
    if (this.finished) return;
    this.socket.resume();
    if (this.ended) this.finish();
  }

  private onLine(line: string): void {
    if (this.payloadFor !== null) {
      this.onPayloadLine(line);
      return;
    }
    const withPayload = /^(.*?)\s*<<\s*$/.exec(line);
    if (withPayload !== null) {
      this.payloadFor = withPayload[1] ?? '';
      if (this.session.interactive) this.socket.write('+ ');
      return;
    }
    this.run(line, null);
  }

  private onPayloadLine(line: string): void {
    if (line !== '') {
      this.payload.push(line);
      this.payloadLength += line.length + 1;
      if (this.payloadLength > limits.adminCommandBytesMax) this.finish();
      else if (this.session.interactive) this.socket.write('+ ');
      return;
    }
    const command = this.payloadFor ?? '';
    const payload = this.payload.join('\n');
    this.payloadFor = null;
    this.payload = [];
    this.payloadLength = 0;
    this.run(command, payload);
  }

  private run(line: string, payload: string | null): void {
    const answer = runLine(this.context, this.session, line, payload);
    this.socket.setTimeout(this.session.idleTimeoutMs);
    if (answer !== '') this.socket.write(answer);
    const more = this.input.includes('\n') || this.payloadFor !== null;
    if (this.session.closing || (!this.session.interactive && !more)) this.finish();
  }

  /** Sends what is pending, then closes; a client that never reads it meets the idle timeout. */
  private finish(): void {
    this.finished = true;
    this.input = '';
    this.socket.resume();
    this.socket.end();
  }
}

/** Takes what comes over a connection; the commands in it are answered, until it ends, once the result is called. */
export function serveCommands(socket: Socket, context: AdminContext, level: Level, idleTimeoutMs: number): () => void {
  const connection = new CommandConnection(socket, context, level, idleTimeoutMs);
  connection.listen();
  return () => connection.start();
}
