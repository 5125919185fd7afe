/** `poise demo`: the article played through, the demo that stays, and what it says when an address is taken. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { lockFixedAddresses } from '../harness/exclusive.ts';
import { eventually } from '../harness/place.ts';
import { isListening, Program } from '../harness/program.ts';

const demoFolders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('poise-demo-'));
/** Those that a demo before left, because somebody killed it. */
let foldersBefore: readonly string[] = [];

describe('demo', () => {
  let release = async (): Promise<void> => {};
  before(async () => {
    release = await lockFixedAddresses();
    foldersBefore = demoFolders();
  });
  after(() => release());

  it('--once observes every step of the article and every habit of clients, and leaves nothing behind', { timeout: 180_000 }, async () => {
    const demo = new Program('poise', ['demo', '--once']);
    assert.equal(await demo.exited(170_000), 0, demo.stdout + demo.stderr);
    assert.match(demo.stdout, /Every step of the article and every habit of the clients was observed\.\n$/);
    assert.doesNotMatch(demo.stdout, /✗/);
    assert.equal(demo.stdout.match(/✓/g)?.length, 49);
    for (const habit of [
      /✓ NTLM: 3 users at once, .* one login for each service/, /✓ RPC over HTTP: .* 50 PDUs go in on one and come back on the other/, /✓ RPC over HTTP: the pair goes on/,
      /✓ MAPI over HTTP: .* PENDING 19 times, DONE after \d+ minutes/, /✓ ActiveSync: .* held for \d+ minutes without a byte/, /✓ SMTP: .* Queued mail for delivery/,
      /be_ex2013_eas\/lab-ex0\d +\d+\.\d  200  ----  POST/, /be_ex2013_rpc\/lab-ex0\d .* RPC_IN_DATA/, /exchange_submission\/lab-ex0\d /,
    ]) assert.match(demo.stdout, habit);
    assert.ok(!isListening('127.0.0.10', 8443) && !isListening('127.0.0.21', 8443));
    assert.deepEqual(demoFolders(), foldersBefore);
  });

  it('stays, tells the addresses, shows where requests go, and ends with Ctrl-C', { timeout: 120_000 }, async () => {
    const demo = new Program('poise', ['demo']);
    try {
      await eventually('the addresses', () => /Ctrl-C ends/.test(demo.stdout), 90_000);
      assert.match(demo.stdout, /http:\/\/127\.0\.0\.10:8404\/haproxy {3}user admin, password lab/);
      assert.match(demo.stdout, /POST +\/autodiscover\/autodiscover\.xml +200 +be_ex2013 +LAB-EX0/);
      assert.match(demo.stdout, /RPC_IN_DATA +\/rpc\/rpcproxy\.dll\?\S+ +200 +be_ex2013_rpc +LAB-EX0/);
      demo.child.kill('SIGINT');
      assert.equal(await demo.exited(), 0, demo.stderr);
      assert.deepEqual(demoFolders(), foldersBefore);
    } finally {
      await demo.stop();
    }
  });

  it('says in one line which address is taken', { timeout: 20_000 }, async () => {
    const stranger = createServer();
    await new Promise<void>((resolve) => { stranger.listen({ host: '127.0.0.10', port: 8404 }, resolve); });
    try {
      const demo = new Program('poise', ['demo', '--once']);
      assert.equal(await demo.exited(), 1);
      assert.equal(demo.stderr, 'demo: 127.0.0.10:8404 is in use by another program; stop it or wait, then start the demo again\n');
      assert.equal(demo.stdout, '');
    } finally {
      stranger.close();
    }
  });
});
