/**
 * Writes an Http1Head back to bytes: ranges that nobody edited are copied as they came, edited lines are spelled anew. Called by
 * traffic/http only for heads that were edited or irregular; all others leave as the very slice they came in.
 */
import { column, lineState, type Http1Head } from './head.ts';

const crlf = '\r\n';

/** True when bytes[head.start..head.end) may be sent as they are. */
export function leavesAsItCame(head: Http1Head): boolean {
  return !head.edited && !head.irregular;
}

/**
 * The head's bytes followed by `tail` (first bytes of the body, may be empty). `extra` are ready header lines with their line
 * ends, put last.
 */
export function writeHead(head: Http1Head, extra: string, tail: Uint8Array): Buffer {
  if (!head.edited && !head.irregular) return withExtra(head, extra, tail);
  const startText = head.startEdited || head.irregular ? startLine(head) : '';
  const target = Buffer.allocUnsafe(bound(head, startText, extra) + tail.length);
  let at = 0;
  if (startText !== '') at += target.write(startText, at, 'latin1');
  else at += head.bytes.copy(target, at, head.start, head.linesStart);
  at = head.irregular ? writeRegular(head, target, at) : writeRuns(head, target, at);
  for (let index = head.parsedCount; index < head.lineCount; index += 1) {
    if (!head.isRemoved(index)) at += target.write(`${head.name(index)}: ${head.value(index)}\r\n`, at, 'latin1');
  }
  if (extra !== '') at += target.write(extra, at, 'latin1');
  at += target.write(crlf, at, 'latin1');
  target.set(tail, at);
  return target.subarray(0, at + tail.length);
}

/** Only lines are added: everything that came is one run. */
function withExtra(head: Http1Head, extra: string, tail: Uint8Array): Buffer {
  const kept = head.linesEnd - head.start;
  const target = Buffer.allocUnsafe(kept + extra.length + 2 + tail.length);
  head.bytes.copy(target, 0, head.start, head.linesEnd);
  target.write(extra, kept, 'latin1');
  target.write(crlf, kept + extra.length, 'latin1');
  if (tail.length > 0) target.set(tail, kept + extra.length + 2);
  return target;
}

function startLine(head: Http1Head): string {
  const version = `HTTP/1.${head.minor}`;
  if (head.isResponse) return `${version} ${String(head.statusCode).padStart(3, '0')} ${head.reason}${crlf}`;
  return `${head.method} ${head.uri} ${version}${crlf}`;
}

/** An upper bound of the size, so that one allocation is enough. */
function bound(head: Http1Head, startText: string, extra: string): number {
  let size = head.end - head.start + startText.length + extra.length + 2;
  // A regular line may grow by the blank and the CR that a bare form lacks.
  size += head.parsedCount * 3;
  for (let index = 0; index < head.lineCount; index += 1) {
    if (index >= head.parsedCount) size += head.name(index).length + head.value(index).length + 4;
    else if (head.table[index * column.stride + column.state] === lineState.replaced) size += head.value(index).length;
  }
  return size;
}

/** Copies runs of untouched lines, skips removed ones, spells replaced ones with the name as it came. */
function writeRuns(head: Http1Head, target: Buffer, from: number): number {
  const { table, bytes } = head;
  let at = from;
  let runStart = head.linesStart;
  for (let row = 0; row < head.parsedCount * column.stride; row += column.stride) {
    const state = table[row + column.state];
    if (state === lineState.asCame) continue;
    at += bytes.copy(target, at, runStart, table[row]);
    runStart = table[row + column.next] as number;
    if (state === lineState.removed) continue;
    at += bytes.copy(target, at, table[row], table[row + column.nameEnd]);
    at += target.write(`: ${head.value(row / column.stride)}\r\n`, at, 'latin1');
  }
  return at + bytes.copy(target, at, runStart, head.linesEnd);
}

/** Every line as `name: value` with CRLF, for heads that came with bare line feeds. */
function writeRegular(head: Http1Head, target: Buffer, from: number): number {
  let at = from;
  for (let index = 0; index < head.parsedCount; index += 1) {
    if (head.isRemoved(index)) continue;
    at += target.write(`${head.name(index)}: ${head.value(index)}\r\n`, at, 'latin1');
  }
  return at;
}
