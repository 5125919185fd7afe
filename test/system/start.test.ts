/** Starting with something wrong: one clear line for each fault, exit code 1, and nothing left running or listening. */
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { certificate } from '../harness/certificates.ts';
import { named } from '../harness/origin.ts';
import { isListening, Program } from '../harness/program.ts';
import { Site, type SiteDefinition } from '../harness/site.ts';

const sites: Site[] = [];
async function prepare(definition: SiteDefinition): Promise<Site> {
  const site = await Site.prepare('poise', definition);
  sites.push(site);
  return site;
}
afterEach(async () => { for (const site of sites.splice(0)) await site.stop(); });

const backend = '    default_backend be\nbackend be\n    server s1 127.0.0.1:1\n';

describe('a start that fails', () => {
  it('tells every problem of every file with file, line, word and remedy, and starts nothing', { timeout: 20_000 }, async () => {
    const site = await prepare({
      configuration: `frontend fe\n    bind {front}\n    acl a path_begg /x\n    use_backend nowhere if a\n${backend}    balnce roundrobin\n    timeout server 5x\n`,
      files: { 'more.cfg': 'backend second\n    server s 127.0.0.1:99999\n    option nonsense\n' },
    });
    const { code, stderr } = await site.runOnce(['-f', site.file, '-f', join(site.place.folder, 'more.cfg'), '-db']);
    assert.equal(code, 1);
    for (const words of [/lb\.cfg:\d+.*path_begg.*path_beg/s, /lb\.cfg:\d+.*nowhere/, /lb\.cfg:\d+.*'balnce'.*did you mean 'balance'/i, /lb\.cfg:\d+.*5x/, /more\.cfg:2.*99999/, /more\.cfg:3.*nonsense/]) assert.match(stderr, words);
    assert(!isListening(site.place.address, site.port('front')));
  });

  it('tells an address in use in one line', { timeout: 20_000 }, async () => {
    const site = await prepare({ configuration: `frontend fe\n    bind {free}\n    bind {front}\n${backend}` });
    const squatter = createServer();
    await new Promise<void>((resolve) => { squatter.listen({ host: site.place.address, port: site.port('front') }, resolve); });
    const { code, stderr } = await site.runOnce(['-f', site.file, '-db']);
    await new Promise((resolve) => { squatter.close(resolve); });
    assert.equal(code, 1);
    const lines = stderr.split('\n').filter((line) => line.includes(`ADDR:${site.port('front')}`));
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0] ?? '', /in use|EADDRINUSE/i);
    assert(!isListening(site.place.address, site.port('free')));
  });

  it('tells an address that is not here', { timeout: 20_000 }, async () => {
    const site = await prepare({ configuration: `frontend fe\n    bind 192.0.2.77:8000\n${backend}` });
    const { code, stderr } = await site.runOnce(['-f', site.file, '-db']);
    assert.equal(code, 1);
    assert.match(stderr, /192\.0\.2\.77:8000/);
  });

  it('tells a certificate that is missing, empty, without key, or whose key does not match', { timeout: 30_000 }, async () => {
    const own = certificate(['own.local']);
    const strange = certificate(['strange.local']);
    const text = (path: string): string => readFileSync(path, 'latin1');
    const contents: Record<string, string> = { 'empty.pem': '', 'nokey.pem': text(own.certificate), 'mismatch.pem': text(own.certificate) + text(strange.key), 'rubbish.pem': 'rubbish\n', 'broken.pem': text(own.both).replaceAll('M', '!') };
    const site = await prepare({ configuration: `frontend fe\n${['missing.pem', ...Object.keys(contents)].map((file, n) => `    bind {p${n}} ssl crt {dir}/${file}\n`).join('')}${backend}`, files: contents });
    const { code, stderr } = await site.runOnce(['-f', site.file, '-db']);
    assert.equal(code, 1);
    for (const file of ['missing.pem', ...Object.keys(contents)]) {
      assert.equal(stderr.split('\n').filter((line) => line.includes(file)).length, 1, `${file}: ${stderr}`);
    }
    assert.match(stderr, /(match|belong).*mismatch\.pem/);
    assert(!stderr.includes('PRIVATE KEY'));
  });

  it('tells a certificate that cannot be read', { timeout: 20_000 }, async () => {
    const site = await prepare({ configuration: `frontend fe\n    bind {front} ssl crt {dir}/loop.pem\n${backend}` });
    // A link to itself: not even root can read it.
    symlinkSync('loop.pem', join(site.place.folder, 'loop.pem'));
    const { code, stderr } = await site.runOnce(['-f', site.file, '-db']);
    assert.equal(code, 1);
    assert.equal(stderr.split('\n').filter((line) => line.includes('loop.pem')).length, 1, stderr);
  });

  it('-c is quiet about a good configuration and leaves nothing behind', { timeout: 20_000 }, async () => {
    const site = await prepare({ configuration: `frontend fe\n    bind {front}\n${backend}` });
    const { code, stdout, stderr } = await site.runOnce(['-c', '-f', site.file]);
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, /Configuration file is valid/);
    assert(!isListening(site.place.address, site.port('front')));
  });
});

describe('a start that works', () => {
  it('writes its pid, serves, and ends with 0 or by the signal on SIGTERM and SIGUSR1', { timeout: 30_000 }, async () => {
    for (const signal of ['SIGTERM', 'SIGUSR1', 'SIGINT'] as const) {
      const site = await prepare({ configuration: 'frontend fe\n    bind {front}\n    default_backend be\nbackend be\n    server s1 {a}\n', origins: () => ({ a: named('a') }) });
      await site.startOrigins();
      const pidFile = join(site.place.folder, 'pid');
      const program = new Program('poise', ['-f', site.file, '-db', '-p', pidFile], { cwd: site.place.folder });
      site.process = program;
      await program.listening([{ address: site.place.address, port: site.port('front') }]);
      assert.equal((await site.ask('front', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).body, 'a');
      assert.equal(Number(readFileSync(pidFile, 'latin1')), program.pid);
      program.child.kill(signal);
      const end = await program.exited(8000);
      assert(end === 0 || end === signal || (typeof end === 'number' && end > 128), `${signal}: ${end}`);
      assert(!isListening(site.place.address, site.port('front')));
    }
  });
});
