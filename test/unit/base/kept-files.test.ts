/** Files that stay readable when their path no longer is. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keepFiles, readKept } from '../../../src/base/kept-files.ts';
import { memoryUsage } from '../../../src/base/memory.ts';

const folder = mkdtempSync(join(tmpdir(), 'poise-kept-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a kept file is read as it is now, also after its name has gone', () => {
  const path = join(folder, 'figures');
  const long = 'x'.repeat(100_000);
  writeFileSync(path, 'one');
  assert.equal(readKept(path), 'one');
  keepFiles([path, join(folder, 'none')]);
  appendFileSync(path, long);
  rmSync(path);
  assert.equal(readKept(path), `one${long}`);
  assert.throws(() => readKept(join(folder, 'none')), /ENOENT/);
});

test('a file of /proc tells something new each time', () => {
  keepFiles(['/proc/self/stat']);
  const times = (): string => readKept('/proc/self/stat').split(' ').slice(13, 15).join();
  const before = times();
  for (const end = Date.now() + 5000; times() === before && Date.now() < end;) JSON.stringify(Array.from({ length: 1000 }, Math.random));
  assert.notEqual(times(), before);
});

test('memory is what the runtime says', () => {
  assert.ok(memoryUsage().rss > 10_000_000);
});
