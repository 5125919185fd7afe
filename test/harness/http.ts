/**
 * Reads one HTTP/1 message out of text (latin1) for the tests' clients and origins. Deliberately independent of the reader in
 * src/wire: a mistake there must not hide itself here.
 */
export interface Message {
  /** Start line and header lines as they came, without the empty line. */
  readonly lines: readonly string[];
  readonly startLine: string;
  /** Status of a response, 0 for a request. */
  readonly status: number;
  /** Body without chunk framing. */
  readonly body: string;
  /** Body as it came. */
  readonly rawBody: string;
  readonly trailers: readonly string[];
  /** The whole message as it came. */
  readonly raw: string;
  /** First value of a header, undefined when it is not there. */
  header(name: string): string | undefined;
}

interface Framed { readonly body: string; readonly length: number; readonly trailers: readonly string[] }

function readChunked(text: string): Framed | null {
  let at = 0;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (Number.isNaN(size)) throw new Error(`bad chunk size ${JSON.stringify(text.slice(at, at + 40))}`);
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { body, length: at, trailers };
    trailers.push(line);
  }
}

export class MessageReader {
  private readonly kind: 'request' | 'response';
  private readonly method: string;

  constructor(kind: 'request' | 'response', method = 'GET') {
    this.kind = kind;
    this.method = method;
  }

  /** The first whole message in the text, or null when bytes are missing. `ended`: no more will come. */
  read(text: string, ended: boolean): Message | null {
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const lines = text.slice(0, headEnd).split('\r\n');
    const startLine = lines[0] ?? '';
    const status = this.kind === 'response' ? Number(startLine.split(' ')[1] ?? 0) : 0;
    const header = (name: string): string | undefined => {
      const line = lines.slice(1).find((one) => one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
      return line?.slice(line.indexOf(':') + 1).trim();
    };
    const framed = this.readBody(text.slice(headEnd + 4), status, header, ended);
    if (framed === null) return null;
    return {
      lines, startLine, status, header, body: framed.body, trailers: framed.trailers,
      rawBody: text.slice(headEnd + 4, headEnd + 4 + framed.length), raw: text.slice(0, headEnd + 4 + framed.length),
    };
  }

  private readBody(text: string, status: number, header: (name: string) => string | undefined, ended: boolean): Framed | null {
    const none = { body: '', length: 0, trailers: [] };
    if (this.kind === 'response' && (this.method === 'HEAD' || status < 200 || status === 204 || status === 304)) return none;
    if (header('transfer-encoding')?.toLowerCase().includes('chunked') === true) return readChunked(text);
    const length = header('content-length');
    if (length !== undefined) {
      const bytes = Number.parseInt(length, 10);
      return text.length < bytes ? null : { body: text.slice(0, bytes), length: bytes, trailers: [] };
    }
    if (this.kind === 'request') return none;
    return ended ? { body: text, length: text.length, trailers: [] } : null;
  }
}
