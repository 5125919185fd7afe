/** Counters and states set by hand over restarts, crashes, take-overs and damaged files. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering, ok } from '../harness/origin.ts';
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

/** A column of a row of `show stat`. */
async function figure(site: Site, proxy: string, name: string, column: string): Promise<string> {
  const [head = '', ...rows] = (await site.command('show stat')).split('\n');
  const row = rows.find((one) => one.startsWith(`${proxy},${name},`))?.split(',') ?? [];
  return row[head.replace('# ', '').split(',').indexOf(column)] ?? '';
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
});
