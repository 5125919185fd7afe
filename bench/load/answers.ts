/** Watches the answers on one client connection: status and exact body length, nothing else. Used by the load processes. */

const headEnd = Buffer.from('\r\n\r\n');

export class AnswerReader {
  private head: Buffer | null = null;
  private left = 0;

  /** 'more' until an answer is complete; 'done' at its last byte; otherwise what is wrong with it. Expects one answer at a time. */
  take(chunk: Buffer): string {
    if (this.left > 0) {
      this.left -= chunk.length;
      return this.state();
    }
    const bytes = this.head === null ? chunk : Buffer.concat([this.head, chunk]);
    const end = bytes.indexOf(headEnd);
    if (end < 0) { this.head = bytes; return 'more'; }
    this.head = null;
    const text = bytes.toString('latin1', 0, end);
    if (!text.startsWith('HTTP/1.1 2')) return `answer ${text.slice(0, 40)}`;
    const length = text.startsWith('HTTP/1.1 204') ? [0, 0] : /\r\ncontent-length: *(\d+)/i.exec(text);
    if (length === null) return 'an answer without content-length';
    this.left = Number(length[1]) - (bytes.length - end - headEnd.length);
    return this.state();
  }

  private state(): string {
    if (this.left < 0) return 'more bytes than content-length says';
    return this.left === 0 ? 'done' : 'more';
  }
}
