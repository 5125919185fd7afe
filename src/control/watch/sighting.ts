/**
 * What one health check came to see: the server's certificate and its answer. Stands between the connection and the check and hands
 * everything on unchanged. Made by checker.ts for each check of a server that is watched. Holds at most one check's answer.
 */
import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import { readAnswer } from '../health/expect-http.ts';
import type { HttpAnswer } from '../health/expect-http.ts';
import type { CheckSocketEvents } from '../health/check-socket.ts';

/** A whole answer with status 200. */
interface WholeAnswer {
  readonly body: string;
}

export class Sighting {
  /** SHA-256 of the leaf, lower-case hexadecimal; '' = no certificate was seen. */
  fingerprint = '';
  private bytes: Buffer = Buffer.alloc(0);
  private ended = false;

  between(events: CheckSocketEvents): CheckSocketEvents {
    return {
      onConnected: () => events.onConnected(),
      onSecured: (leaf) => {
        if (leaf !== undefined) this.fingerprint = createHash('sha256').update(leaf).digest('hex');
        events.onSecured(leaf);
      },
      onData: (chunk) => {
        if (this.bytes.length < limits.checkAnswerBytesMax) this.bytes = Buffer.concat([this.bytes, chunk]);
        events.onData(chunk);
      },
      onEnd: () => {
        this.ended = true;
        events.onEnd();
      },
      onError: (code) => events.onError(code),
    };
  }

  /** Null: no 200, or its body had not come to its end when the check was decided. */
  answer(): WholeAnswer | null {
    const read = this.read();
    return read === null || read.head.status !== 200 || !read.complete ? null : { body: read.body.toString('latin1') };
  }

  /** 0: no answer head has come. */
  status(): number {
    return this.read()?.head.status ?? 0;
  }

  private read(): HttpAnswer | null {
    if (this.bytes.length === 0) return null;
    const read = readAnswer({ bytes: this.bytes, ended: this.ended }, false);
    return read === 'bad' ? null : read;
  }
}
