/** What diskFiles refuses to read: things that never end or never begin. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { diskFiles } from '../../../src/config/files.ts';
import { limits } from '../../../src/model/limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'poise-files-'));
after(() => rmSync(folder, { recursive: true }));

describe('files named in a configuration', () => {
  const disk = diskFiles(folder);

  it('are read whole, whatever their size', () => {
    writeFileSync(join(folder, 'long'), Buffer.alloc(limits.configReadBytes * 2 + 7, 0x61));
    assert.equal(disk.read('long').length, limits.configReadBytes * 2 + 7);
  });

  it('are refused with a reason when they are no files or too large', () => {
    writeFileSync(join(folder, 'huge'), '');
    truncateSync(join(folder, 'huge'), limits.configFileBytesMax + 1);
    assert.equal(disk.read('huge'), 'is larger than 256 MiB');
    assert.equal(disk.read('/dev/zero'), 'is a device, not a file');
    assert.equal(disk.read('.'), 'is a folder');
    assert.equal(disk.read('none'), 'no such file');
  });
});
