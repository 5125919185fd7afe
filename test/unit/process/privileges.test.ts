/** Names of users and groups, and the connection limit that follows from the machine's. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Global, Model } from '../../../src/model/model.ts';
import { descriptorsMax, maxconnInForce } from '../../../src/process/machine.ts';
import { idByName, wantedIdentity } from '../../../src/process/privileges.ts';

function withFiles(use: (passwd: string, group: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'poise-test-'));
  const [passwd, group] = [join(folder, 'passwd'), join(folder, 'group')];
  writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\nhaproxy:x:107:113::/var/lib/haproxy:/usr/sbin/nologin\n');
  writeFileSync(group, 'root:x:0:\nhaproxy:x:113:\n');
  try {
    use(passwd, group);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const wish = (more: Partial<Global>): Global => ({ user: '', group: '', uid: 0, gid: 0, ...more }) as Global;

test('names become numbers, numbers win', () => {
  withFiles((passwd, group) => {
    assert.deepEqual(wantedIdentity(wish({ user: 'haproxy', group: 'haproxy' }), passwd, group), { uid: 107, gid: 113, problems: [] });
    assert.deepEqual(wantedIdentity(wish({ uid: 5, gid: 6 }), passwd, group), { uid: 5, gid: 6, problems: [] });
    assert.deepEqual(wantedIdentity(wish({}), passwd, group), { uid: 0, gid: 0, problems: [] });
  });
});

test('unknown names are told', () => {
  withFiles((passwd, group) => {
    const { uid, problems } = wantedIdentity(wish({ user: 'nobody-here', group: 'haproxy' }), passwd, group);
    assert.equal(uid, 0);
    assert.deepEqual(problems, ["cannot find user 'nobody-here': the process keeps its own"]);
    assert.equal(idByName(`${passwd}-missing`, 'root'), undefined);
  });
});

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
