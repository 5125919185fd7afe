/** Counters and states set by hand over restarts, crashes, take-overs and damaged files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { figure } from '../harness/csv.ts';
import { answering, ok } from '../harness/origin.ts';
import { eventually } from '../harness/place.ts';
import { Program } from '../harness/program.ts';
import { Site } from '../harness/site.ts';

const configuration = (folder: string): string => `frontend fe
    bind {fe}
    default_backend be
backend be
    server s1 {s1} weight 10
    server s2 {s2} weight 10
poise
    state-folder ${folder}
`;

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'poise-saved-'));
}

async function started(path: string): Promise<Site> {
  return Site.start('poise', { configuration: configuration(path), origins: () => ({ s1: answering(() => ok('s1')), s2: answering(() => ok('s2')) }) });
}

async function requests(site: Site, count: number): Promise<void> {
  for (let number = 0; number < count; number++) assert.match((await site.everything('fe', 'GET / HTTP/1.0\r\n\r\n')).bytes, /^HTTP\/1\.1 200/);
}

describe('state-folder', () => {
  it('keeps counters, weights and maintenance over a restart', async () => {
    const path = folder();
    const first = await started(path);
    await requests(first, 7);
    await first.command('set weight be/s1 30%');
    await first.command('set server be/s2 state maint');
    await first.stop();
    const second = await started(path);
    assert.equal(await figure(second, 'fe', 'FRONTEND', 'req_tot'), '7');
    assert.equal(await figure(second, 'be', 'BACKEND', 'hrsp_2xx'), '7');
    assert.equal(await figure(second, 'be', 's2', 'status'), 'MAINT');
    assert.match(await second.command('get weight be/s1'), /^3 \(initial 10\)/);
    await requests(second, 2);
    assert.equal(await figure(second, 'fe', 'FRONTEND', 'req_tot'), '9');
    await second.stop();
    rmSync(path, { recursive: true });
  });

  it('loses at most a second when it is killed', async () => {
    const path = folder();
    const first = await started(path);
    await requests(first, 5);
    await sleep(1300);
    first.process?.child.kill('SIGKILL');
    await first.process?.exited();
    await first.stop();
    const second = await started(path);
    assert.equal(await figure(second, 'fe', 'FRONTEND', 'req_tot'), '5');
    await second.stop();
    rmSync(path, { recursive: true });
  });

  it('`clear counters all` is kept too', async () => {
    const path = folder();
    const first = await started(path);
    await requests(first, 5);
    await first.command('clear counters all');
    await requests(first, 1);
    await first.stop();
    const second = await started(path);
    assert.equal(await figure(second, 'fe', 'FRONTEND', 'req_tot'), '1');
    await second.stop();
    rmSync(path, { recursive: true });
  });

  it('sets a damaged file aside and starts', async () => {
    const path = folder();
    writeFileSync(join(path, 'counters.sqlite'), 'this is no database, and never was one; '.repeat(200));
    const site = await started(path);
    assert.equal(await figure(site, 'fe', 'FRONTEND', 'req_tot'), '0');
    assert(readdirSync(path).some((name) => name.startsWith('counters.sqlite.damaged-')), readdirSync(path).join(' '));
    assert.match(site.process?.stderr ?? '', /was set aside as .*counters\.sqlite\.damaged-\d+, counters begin anew/);
    await site.stop();
    rmSync(path, { recursive: true });
  });

  it('keeps what was set by hand, stick tables, and since when it counts, when it is killed', async () => {
    const path = folder();
    const text = configuration(path).replace('\nbackend be\n', '\nbackend be\n    stick-table type string len 16 size 100 expire 10m\n    stick on hdr(x-id)\n');
    const start = (): Promise<Site> => Site.start('poise', { configuration: text, origins: () => ({ s1: answering(() => ok('s1')), s2: answering(() => ok('s2')) }) });
    const first = await start();
    const ask = async (site: Site, id: string): Promise<string> => (/s[12]$/.exec((await site.everything('fe', `GET / HTTP/1.0\r\nX-Id: ${id}\r\n\r\n`)).bytes) ?? [''])[0];
    const servers: Record<string, string> = {};
    for (let number = 0; number < 12; number++) servers[`client${number}`] = await ask(first, `client${number}`);
    for (const command of ['set maxconn frontend fe 77', 'set rate-limit sessions global 500', 'set server be/s2 state drain']) await first.command(command);
    const since = await figure(first, 'fe', 'FRONTEND', 'counting_since');
    await sleep(1500);
    // A copy of the folder, as a back-up takes it of a running process.
    const copy = folder();
    cpSync(path, copy, { recursive: true });
    first.process?.child.kill('SIGKILL');
    await first.process?.exited();
    await first.stop();
    const second = await start();
    assert.deepEqual([await figure(second, 'fe', 'FRONTEND', 'slim'), await figure(second, 'be', 's2', 'status')], ['77', 'DRAIN']);
    assert.match(await second.command('show info'), /^SessRateLimit: 500$/m);
    await second.command('set server be/s2 state ready');
    for (const [id, server] of Object.entries(servers)) assert.equal(await ask(second, id), server, id);
    const seen = await Promise.all(['req_tot', 'req_tot_since_restart', 'counting_since'].map((column) => figure(second, 'fe', 'FRONTEND', column)));
    assert.deepEqual(seen, ['24', '12', since]);
    assert.match(await second.command('show info'), new RegExp(`^CumReqSinceRestart: 12$`, 'm'));
    assert.match(await second.command('show stat json'), /"name":"req_tot_since_restart"/);
    await second.stop();
    const restored = await Site.start('poise', { configuration: text.replace(path, copy), origins: () => ({ s1: answering(() => ok('s1')), s2: answering(() => ok('s2')) }) });
    assert.equal(await figure(restored, 'fe', 'FRONTEND', 'req_tot'), '12');
    assert.match(await restored.command('show table be'), /used:12$/m);
    await restored.stop();
    for (const one of [path, copy]) rmSync(one, { recursive: true });
  });

  it('is summed up exactly when one process takes over from another', async () => {
    const path = folder();
    const site = await Site.prepare('poise', {
      configuration: `global\n    nbthread 2\n    stats socket {admin} mode 600 level admin expose-fd listeners\n${configuration(path)}`,
      origins: () => ({ s1: answering(() => ok('s1')), s2: answering(() => ok('s2')) }),
    });
    await site.startOrigins();
    await site.startProgram();
    const slow = await site.client('fe');
    await requests(site, 5);
    const first = site.process;
    assert(first !== null);
    const second = new Program('poise', ['-f', site.file, '-db', '-x', join(site.place.folder, 'admin.sock'), '-sf', String(first.child.pid)], { cwd: site.place.folder });
    let sent = 5;
    for (let number = 0; number < 40; number++) {
      await requests(site, 1);
      sent += 1;
      await sleep(50);
    }
    // Kept open by the process before, which counts it.
    await slow.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').rest();
    sent += 1;
    await first.exited();
    await eventually('the sum of both', async () => await figure(site, 'fe', 'FRONTEND', 'req_tot') === String(sent));
    assert.equal(await figure(site, 'be', 'BACKEND', 'hrsp_2xx'), String(sent));
    await second.stop();
    site.process = null;
    await site.stop();
    rmSync(path, { recursive: true });
  });

  it('belongs to the user that the process becomes, and one that cannot be used is no reason not to start', async (context) => {
    if (process.getuid?.() !== 0) {
      context.diagnostic('left out: only root can become somebody else');
      return;
    }
    const path = folder();
    const global = `global\n    nbthread 1\n    uid 65534\n    gid 65534\n    stats socket {admin} mode 600 level admin\n`;
    const start = (where: string): Promise<Site> => Site.start('poise', { configuration: global + configuration(where), origins: () => ({ s1: answering(() => ok('s1')), s2: answering(() => ok('s2')) }) });
    const first = await start(join(path, 'state'));
    await requests(first, 2);
    await sleep(1300);
    for (const name of ['', ...readdirSync(join(path, 'state'))]) assert.equal(statSync(join(path, 'state', name)).uid, 65534, name);
    await first.stop();
    assert.doesNotMatch(first.process?.stderr ?? '', /cannot be kept/);
    const second = await start(join(path, 'state'));
    assert.equal(await figure(second, 'fe', 'FRONTEND', 'req_tot'), '2');
    await second.stop();
    rmSync(path, { recursive: true });
    const third = await start('/proc/nothing/can/be/kept/here');
    assert.match(third.process?.stderr ?? '', /counters are not kept over restarts: \/proc\/nothing/);
    await requests(third, 1);
    await third.stop();
  });

  it('on a disk that becomes full is told, and goes on when there is room', async (context) => {
    const path = folder();
    chmodSync(path, 0o755);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', path]).status !== 0) {
      context.diagnostic('left out: no tmpfs can be mounted here');
      return;
    }
    try {
      const site = await started(path);
      try {
        writeFileSync(join(path, 'filler'), Buffer.alloc(1 << 20));
      } catch {
        // That was the room there is.
      }
      for (let number = 0; number < 20 && !/cannot be kept/.test(site.process?.stderr ?? ''); number++) {
        await requests(site, 1);
        await sleep(500);
      }
      assert.match(site.process?.stderr ?? '', /counters cannot be kept: .*; it is tried again each second/);
      rmSync(join(path, 'filler'));
      const seen = await figure(site, 'fe', 'FRONTEND', 'req_tot');
      await sleep(1500);
      site.process?.child.kill('SIGKILL');
      await site.process?.exited();
      await site.stop();
      const next = await started(path);
      assert.equal(await figure(next, 'fe', 'FRONTEND', 'req_tot'), seen);
      await next.stop();
    } finally {
      spawnSync('umount', [path]);
    }
    rmSync(path, { recursive: true });
  });
});
