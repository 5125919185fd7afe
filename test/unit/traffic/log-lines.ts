/** What a traffic thread logged, read as the control thread does. */
import type { LogRing } from '../../../src/shared/log-ring.ts';
import type { Segments } from '../../../src/shared/segments.ts';

/** `proxy/level: line` with the structured data behind it, of everything that waits in a ring. */
export function takeRecords(ring: LogRing): string[] {
  const records: string[] = [];
  ring.takeAll((proxy, level, bytes, at, line, sd) => {
    records.push(`${proxy}/${level}: ${bytes.toString('latin1', at, at + line)} ${bytes.toString('latin1', at + line, at + line + sd)}`);
  });
  return records;
}

/** Lines of thread 0 alone. */
export function takeLines(segments: Segments): string[] {
  const lines: string[] = [];
  segments.logRing(0).takeAll((_proxy, _level, bytes, at, line) => { lines.push(bytes.toString('latin1', at, at + line)); });
  return lines;
}
