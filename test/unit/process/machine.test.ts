/** The connection limit that follows from the machine's limit of open files. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Model } from '../../../src/model/model.ts';
import { descriptorsMax, maxconnInForce } from '../../../src/process/machine.ts';

const model = (maxconn: number): Model => ({ global: { maxconn, nbthread: 2 }, binds: [{}, {}], servers: [{ check: {} }, { check: null }] }) as unknown as Model;

test('connections follow from file descriptors unless the configuration says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'poise-test-'));
  const file = join(folder, 'limits');
  writeFileSync(file, 'Limit  Soft  Hard\nMax open files            4096                 20000                files\n');
  assert.equal(descriptorsMax(file), 4096);
  assert.equal(descriptorsMax(join(folder, 'missing')), 1024);
  rmSync(folder, { recursive: true });
  assert.equal(maxconnInForce(model(300), 4096), 300);
  assert.equal(maxconnInForce(model(0), 4096), 2018);
  assert.equal(maxconnInForce(model(0), 10), 1);
});
