/**
 * One connection to a runtime socket: bytes in, lines and payloads out of them, answers back. Used by socket.ts. Bounded: a line
 * by limits.adminLineBytesMax, with its payload by limits.adminCommandBytesMax, waiting answers by limits.adminPendingBytesMax (what follows is not made before).
 * A client that half-closes still gets its answers. Incomplete lines are never run.
 */
import type { Socket } from 'node:net';
import { limits } from '../model/limits.ts';
import { listenerRequest } from '../wire/listener-list.ts';
import type { CommandSession, Level } from './command.ts';
import { peerText } from './peer.ts';

/** `add map #0 <<` and `add map #0 <<END`: the command, and the line that ends its payload. */
const withPayload = new RegExp(`^(.*?)\\s*<<([^\\s<]{0,${limits.adminPayloadEndCharsMax}})$`);

/** What answers the lines of one connection. */
export interface LineRunner {
  run(session: CommandSession, line: string, payload: string | null): AsyncIterable<string>;
  /** The connection stays open after an answer, also without prompt, until the client ends it. */
  readonly stays: boolean;
  /** Answers a process that takes over; null where the socket does not allow it. */
  readonly handOut: (() => void) | null;
}

class CommandConnection {
  private readonly socket: Socket;
  private readonly runner: LineRunner;
  private readonly session: CommandSession;
  private input = '';
  /** Line that ended in `<<` and waits for its payload. */
  private payloadFor: string | null = null;
  private payloadEnd = '';
  private payload: string[] = [];
  private payloadLength = 0;
  private started = false;
  private working = false;
  private ended = false;
  private finished = false;
  /** Waits until the client has read. */
  private whenDrained: (() => void) | null = null;

  constructor(socket: Socket, runner: LineRunner, level: Level, idleTimeoutMs: number) {
    this.socket = socket;
    this.runner = runner;
    const interrupted = (): boolean => this.socket.destroyed || this.input !== '' || (this.ended && this.session.interactive);
    this.session = { level, peer: peerText(socket), interrupted, interactive: false, closing: false, idleTimeoutMs, experimental: false, expert: false };
  }

  listen(): void {
    const { socket } = this;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.onText(text));
    socket.on('end', () => {
      this.ended = true;
      void this.work();
    });
    socket.on('drain', () => this.drained());
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.finished = true;
      this.drained();
    });
  }

  /** Its turn has come: what the client said meanwhile is run now. */
  start(): void {
    this.started = true;
    this.socket.setTimeout(this.session.idleTimeoutMs);
    void this.work();
  }

  private onText(text: string): void {
    if (this.finished) return;
    this.input += text;
    if (this.input.length + this.payloadLength > limits.adminCommandBytesMax) {
      if (!this.started || !this.input.includes('\n')) this.finish();
      // More is read when this is done.
      else this.socket.pause();
    }
    void this.work();
  }

  private drained(): void {
    this.whenDrained?.();
    this.whenDrained = null;
  }

  /** Runs complete lines, one after the other, as long as the client takes the answers. */
  private async work(): Promise<void> {
    if (!this.started) {
      // Whoever leaves without a word needs no turn.
      if (this.ended && this.input === '') this.socket.destroy();
      return;
    }
    if (this.working) return;
    this.working = true;
    for (let end = this.input.indexOf('\n'); end >= 0 && !this.finished; end = this.input.indexOf('\n')) {
      const line = this.input.slice(0, end).replace(/\r$/, '');
      this.input = this.input.slice(end + 1);
      await this.onLine(line);
    }
    this.working = false;
    if (this.finished) return;
    this.socket.resume();
    if (this.ended) this.finish();
  }

  private async onLine(line: string): Promise<void> {
    if (this.payloadFor !== null) {
      await this.onPayloadLine(line);
      return;
    }
    if (line.length > limits.adminLineBytesMax) {
      this.finish();
      return;
    }
    if (line === listenerRequest.trimEnd()) {
      this.giveListeners();
      return;
    }
    const match = withPayload.exec(line);
    if (match === null) {
      await this.run(line, null);
      return;
    }
    const [, command = '', end = ''] = match;
    const last = lastCommandAt(command);
    // What stands before the command that wants the payload is answered at once.
    if (last > 0) await this.answer(command.slice(0, last - 1), null);
    this.payloadFor = command.slice(last);
    this.payloadEnd = end;
    if (this.session.interactive) await this.write('+ ');
  }

  /** The connection belongs to the take-over from here on. Without `expose-fd listeners` it ends without a word, as in HAProxy. */
  private giveListeners(): void {
    const { handOut } = this.runner;
    if (handOut === null) this.finish();
    else {
      this.finished = true;
      handOut();
    }
  }

  private async onPayloadLine(line: string): Promise<void> {
    if (line !== this.payloadEnd) {
      this.payload.push(line);
      this.payloadLength += line.length + 1;
      if (this.payloadLength > limits.adminCommandBytesMax) this.finish();
      else if (this.session.interactive) await this.write('+ ');
      return;
    }
    const command = this.payloadFor ?? '';
    const payload = this.payload.map((one) => `${one}\n`).join('');
    this.payloadFor = null;
    this.payload = [];
    this.payloadLength = 0;
    await this.run(command, payload);
  }

  private async run(line: string, payload: string | null): Promise<void> {
    await this.answer(line, payload);
    const more = this.input.includes('\n') || this.payloadFor !== null;
    if (this.session.closing || (!this.session.interactive && !more && !this.runner.stays)) this.finish();
  }

  private async answer(line: string, payload: string | null): Promise<void> {
    for await (const piece of this.runner.run(this.session, line, payload)) {
      if (this.finished) return;
      await this.write(piece);
    }
    if (!this.finished) this.socket.setTimeout(this.session.idleTimeoutMs);
  }

  /** Resolves when there is room for more; a client that reads nothing meets the idle timeout. */
  private write(text: string): Promise<void> | undefined {
    if (text === '' || this.finished) return undefined;
    this.socket.write(text);
    if (this.socket.writableLength <= limits.adminPendingBytesMax) return undefined;
    return new Promise((resolve) => { this.whenDrained = resolve; });
  }

  /** Sends what is pending, then closes; a client that never reads it meets the idle timeout. */
  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.input = '';
    this.socket.resume();
    this.socket.end();
  }
}

/** Where the last command of a line begins. */
function lastCommandAt(line: string): number {
  let at = 0;
  for (let index = 0; index < line.length; index++) {
    if (line.charAt(index) === '\\') index += 1;
    else if (line.charAt(index) === ';') at = index + 1;
  }
  return at;
}

/** Takes what comes over a connection; the commands in it are answered, until it ends, once the result is called. */
export function serveLines(socket: Socket, runner: LineRunner, level: Level, idleTimeoutMs: number): () => void {
  const connection = new CommandConnection(socket, runner, level, idleTimeoutMs);
  connection.listen();
  return () => connection.start();
}
