/**
 * The offline address book as BITS fetches it: files of a fixed content with an ETag, in ranges (RFC 9110 chapter 14), and 304
 * while the copy of the client is good. Asked through service-list.ts.
 */
import { createHash } from 'node:crypto';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';

const bookBytes = 1_048_576;
const manifestBytes = 2048;

interface BookFile {
  readonly bytes: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

/** Content follows from the name, so that every server has the same. Null: no such file. */
function fileOf(path: string): BookFile | null {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const isManifest = name.endsWith('.xml');
  if (!isManifest && !name.endsWith('.lzx')) return null;
  const bytes = Buffer.alloc(isManifest ? manifestBytes : bookBytes, createHash('sha256').update(name).digest());
  return { bytes, contentType: isManifest ? 'application/xml' : 'application/octet-stream', etag: `"${createHash('sha1').update(bytes).digest('hex').slice(0, 16)}:0"` };
}

/** First and last byte; `all` when there is no range that this server serves, `none` when the file does not reach it. */
function rangeOf(text: string, length: number): readonly [first: number, last: number] | 'all' | 'none' {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(text.trim());
  const [, from = '', to = ''] = parts ?? [];
  if (from === '' && to === '') return 'all';
  const first = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === '' || to === '' ? length - 1 : Math.min(length - 1, Number(to));
  if (from !== '' && to !== '' && Number(to) < first) return 'all';
  return first >= length || (from === '' && Number(to) === 0) ? 'none' : [first, last];
}

function handle(exchange: SimExchange): void {
  const { method, target, headers } = exchange.request;
  const file = method === 'GET' || method === 'HEAD' ? fileOf(target.split('?')[0] ?? '') : null;
  if (file === null) {
    answerPage(exchange);
    return;
  }
  const { bytes, contentType, etag } = file;
  const lines = [`Content-Type: ${contentType}`, 'Accept-Ranges: bytes', `ETag: ${etag}`, 'Last-Modified: Mon, 02 Feb 2015 03:00:00 GMT'];
  const known = (headers.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) {
    exchange.head(304, 'Not Modified', lines, { kind: 'none' });
    exchange.end();
    return;
  }
  const isSame = !headers.has('if-range') || headers.get('if-range') === etag;
  const range = isSame && method === 'GET' ? rangeOf(headers.get('range') ?? '', bytes.length) : 'all';
  if (range === 'all') exchange.answer(200, 'OK', lines, bytes);
  else if (range === 'none') exchange.answer(416, 'Requested Range Not Satisfiable', ['Content-Type: text/html', `Content-Range: bytes */${bytes.length}`], '');
  else exchange.answer(206, 'Partial Content', [...lines, `Content-Range: bytes ${range[0]}-${range[1]}/${bytes.length}`], bytes.subarray(range[0], range[1] + 1));
}

export const oab: ExchangeService = { directory: '/OAB', handle };
