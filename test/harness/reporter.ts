/**
 * Reporter for `node --test`: one line per file as it ends, each failure in full, and a count at the end that test/run.ts
 * reads. Tests that are skipped count as failed: nothing in this project may be skipped.
 */
import type { TestEvent } from 'node:test/reporters';
import { relative } from 'node:path';

interface FileCount { passed: number; failed: number; ms: number }

function failureText(name: string, file: string, error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause ?? error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const lines = text.split('\n').filter((line) => !/^\s+at .*(node:|<anonymous>)/.test(line));
  return `✖ ${file}: ${name}\n${lines.map((line) => `    ${line}`).join('\n')}\n`;
}

/** The file that was run; `data.file` is where a shared function called `it`. */
const fileOf = (data: { readonly file?: string }): string => (data as { entryFile?: string }).entryFile ?? data.file ?? '';

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = new Map<string, FileCount>();
  const parents = new Map<string, string[]>();
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield data.message;
    if (type === 'test:start') {
      const path = parents.get(fileOf(data)) ?? [];
      path.length = data.nesting;
      path[data.nesting] = data.name;
      parents.set(fileOf(data), path);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const isSuite = data.details.type === 'suite';
    const file = relative(process.cwd(), fileOf(data));
    const count = counts.get(file) ?? { passed: 0, failed: 0, ms: 0 };
    counts.set(file, count);
    const skipped = data.skip !== undefined || data.todo !== undefined;
    const childFailed = type === 'test:fail' && (data.details.error as { failureType?: string }).failureType === 'subtestsFailed';
    if (type === 'test:fail' && !childFailed) {
      count.failed++;
      const path = parents.get(fileOf(data)) ?? [];
      yield failureText([...path.slice(0, data.nesting), data.name].join(' › '), file, data.details.error);
    } else if (skipped) {
      count.failed++;
      yield `✖ ${file}: ${data.name} was skipped\n`;
    } else if (type === 'test:pass' && !isSuite) {
      count.passed++;
    }
    if (data.nesting === 0) count.ms += data.details.duration_ms ?? 0;
  }
  let passed = 0;
  let failed = 0;
  for (const [file, count] of [...counts].sort((a, b) => b[1].ms - a[1].ms)) {
    yield `${count.failed === 0 ? '✔' : '✖'} ${file}: ${count.passed} passed, ${count.failed} failed, ${(count.ms / 1000).toFixed(1)} s\n`;
    passed += count.passed;
    failed += count.failed;
  }
  yield `# ${passed} passed, ${failed} failed\n`;
}
