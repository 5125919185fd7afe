/** Reload in place: what stays goes on, what is new is served, what is removed ends in its own time, and what is wrong changes nothing. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { certificate } from '../harness/certificates.ts';
import type { Client } from '../harness/client.ts';
import { figure } from '../harness/csv.ts';
import { answering, ok } from '../harness/origin.ts';
import { eventually, sleep } from '../harness/place.ts';
import { Program } from '../harness/program.ts';
import { Site } from '../harness/site.ts';

const head = `global
    log {log} local0
    nbthread 2
    stats socket {admin} mode 600 level admin
    hard-stop-after 2s
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
`;

const first = `${head}frontend fe
    bind {fe}
    http-request set-header X-Generation one
    default_backend be
frontend going
    bind {going}
    default_backend be
backend be
    server s1 {s1} weight 10
    server s2 {s2} weight 10
`;

const secure = `${head}frontend tls
    bind {tls} ssl crt {dir}/cert.pem
    default_backend be
backend be
    server s1 {s1}
poise
    watch-certificates
`;

function commonName(client: Client): string {
  return String((client.socket as TLSSocket).getPeerCertificate().subject.CN);
}

async function withSite(configuration: string, run: (running: Site) => Promise<void>, starts = true): Promise<void> {
  const running = await Site.prepare('poise', {
    configuration,
    origins: () => Object.fromEntries(['s1', 's2', 's3'].map((name) => [name, answering((request) => ok(`${name} ${request.header('x-generation') ?? ''}`))])),
  });
  try {
    if (starts) {
      await running.startOrigins();
      await running.startProgram();
    }
    await run(running);
  } finally {
    await running.stop();
  }
}

/** Until the answer of the runtime socket fits. */
async function answers(running: Site, line: string, pattern: RegExp): Promise<void> {
  const end = Date.now() + 5000;
  let answer = await running.command(line);
  while (!pattern.test(answer) && Date.now() < end) {
    await sleep(50);
    answer = await running.command(line);
  }
  assert.match(answer, pattern);
}

/** Writes another configuration into the site's file and reloads. Gives the answer of the runtime socket. */
async function reload(running: Site, configuration: string): Promise<string> {
  writeFileSync(running.file, running.fill(configuration));
  return running.command('reload');
}

async function get(client: Client): Promise<string> {
  return (await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n').answer('GET')).body.toString();
}

describe('reload in place', () => {
  it('keeps connections, counters and what was set by hand; the next request meets the new rules', () => withSite(first, async (running) => {
    const client = await running.client('fe');
    const seen = [await get(client), await get(client)];
    assert.deepEqual(seen.map((body) => body.split(' ')[1]), ['one', 'one']);
    await running.command('set weight be/s1 30%');
    await running.command('set server be/s2 state drain');
    const answer = await reload(running, first.replace('X-Generation one', 'X-Generation two').replace('    server s2', '    server s3 {s3} weight 5\n    server s2'));
    assert.match(answer, /^Success=1\n--\nReloaded in \d+ ms: 3 changes\.\nadded server be\/s3\nchanged frontend fe\nchanged backend be\n/);
    const after = [await get(client), await get(client)];
    assert.deepEqual(after.map((body) => body.split(' ')[1]), ['two', 'two']);
    assert.deepEqual([await figure(running, 'fe', 'FRONTEND', 'req_tot'), await figure(running, 'be', 'BACKEND', 'hrsp_2xx')], ['4', '4']);
    assert.deepEqual([await figure(running, 'be', 's1', 'weight'), await figure(running, 'be', 's2', 'status'), await figure(running, 'be', 's3', 'weight')], ['3', 'DRAIN', '5']);
    assert.match(await running.command('show servers state be'), /s2 \S+ \d 8 /);
    assert.equal(await figure(running, 'fe', 'FRONTEND', 'conn_tot'), '1');
  }));

  it('binds what is new, and lets what is removed end', () => withSite(first, async (running) => {
    const leaving = await running.client('going');
    await get(leaving);
    const busy = await running.client('going');
    busy.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab');
    await sleep(100);
    const answer = await reload(running, first.replace('after 2s', 'after 20s').replace('frontend going\n    bind {going}', 'frontend coming\n    bind {coming}'));
    assert.match(answer, /added frontend coming\nremoved frontend going\nadded listener /);
    assert.match((await running.ask('coming', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).body.toString(), /^s\d/);
    // An idle client of the removed frontend may ask once more and is let go, one in the middle of a request is not.
    assert.match((await leaving.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n').answer('GET')).header('connection') ?? '', /close/);
    assert.equal((await leaving.rest()).ending, 'fin');
    await answers(running, 'show removed', /^frontend going: removed .*, 1 left, the oldest for \d+ s$/m);
    assert.match((await busy.send('cd').answer('POST')).body.toString(), /^s\d/);
    assert.equal((await busy.rest()).ending, 'fin');
    await assert.rejects(running.client('going'));
    await answers(running, 'show removed', /^Nothing/);
  }));

  it('what is removed and does not end is cut after hard-stop-after', () => withSite(first, async (running) => {
    const busy = await running.client('going');
    busy.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab');
    await sleep(100);
    await reload(running, first.replace(/frontend going[^]*?backend be\n/, ''));
    const from = Date.now();
    await busy.rest(6000);
    assert(Date.now() - from > 1000, `after ${Date.now() - from} ms`);
  }));

  it('a configuration with an error, an address in use or a change that needs a restart changes nothing', () => withSite(first, async (running) => {
    const client = await running.client('fe');
    await get(client);
    assert.match(await reload(running, first.replace('default_backend be', 'default_backend nowhere')), /^Success=0\n--\n.*lb\.cfg:16.*nowhere[^]*nothing was changed/m);
    assert.match(await reload(running, first.replace('nbthread 2', 'nbthread 3')), /^Success=0\n--\nA change of nbthread needs a restart\.\n/);
    // Cut off in the middle of a line that would be a line as well.
    const half = first.slice(0, first.lastIndexOf(' weight 10'));
    assert.match(await reload(running, half), /^Success=0\n--\n.*lb\.cfg:22.*no line feed[^]*nothing was changed/);
    const taken = `${first}frontend taken\n    bind {s1}\n`;
    assert.match(await reload(running, taken), /^Success=0\n--\nBinding .* for frontend taken: cannot bind socket \(Address already in use\)/);
    assert.equal((await get(client)).split(' ')[1], 'one');
    assert.match(await reload(running, first), /^Success=1\n--\nReloaded in \d+ ms: nothing has changed/);
    assert.equal((await get(client)).split(' ')[1], 'one');
  }));

  it('signals reload too', () => withSite(first, async (running) => {
    for (const [number, signal] of (['SIGUSR2', 'SIGHUP'] as const).entries()) {
      writeFileSync(running.file, running.fill(first.replace('Generation one', `Generation by-${signal}`)));
      running.process?.child.kill(signal);
      await eventually('the reload is told', () => ((running.process?.stderr ?? '').match(/Reloaded in/g) ?? []).length > number);
      assert.match((await running.ask('fe', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).body.toString(), new RegExp(`by-${signal}`));
    }
  }));

  for (const [part, args] of [['a balancer without master', ['-db']], ['a master', ['-W']]] as const) {
    it(`the last of many signals counts, also one that comes during the start or a reload: ${part}`, () => withSite(first, async (running) => {
      await running.startOrigins();
      // A map that takes a moment, so that signals meet a reload.
      const text = first.replace('    http-request', '    http-request set-header X-Map %[path,map({dir}/big.map)]\n    http-request');
      writeFileSync(join(running.place.folder, 'big.map'), Array.from({ length: 3000 }, (_, number) => `/path/${number} value${number}\n`).join(''));
      const write = (generation: string): void => {
        writeFileSync(`${running.file}.new`, running.fill(text.replace('Generation one', `Generation ${generation}`)));
        renameSync(`${running.file}.new`, running.file);
      };
      const address = running.place.address;
      const seen = async (generation: string): Promise<boolean> => (await running.ask('fe', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).body.toString().endsWith(` ${generation}`);
      write('old');
      const program = new Program('poise', [...args, '-f', running.file], { cwd: running.place.folder });
      running.process = program;
      if (args[0] === '-W') {
        await eventually('the worker starts', () => program.stderr.includes('forked'), 40_000);
        write('during-start');
        program.child.kill('SIGHUP');
      }
      await program.listening([{ address, port: running.port('fe') }], 40_000);
      if (args[0] === '-W') await eventually('what was written during the start is in force', () => seen('during-start'), 40_000);
      for (let number = 0; number < 12; number++) {
        write(`number-${number}`);
        program.child.kill(number % 2 === 0 ? 'SIGUSR2' : 'SIGHUP');
        await sleep(2);
      }
      await eventually('the last one is in force', () => seen('number-11'), 40_000);
      assert.doesNotMatch(program.stderr, /nothing was changed/);
    }, false));
  }

  it('certificates: new handshakes meet the new one, open connections go on, a broken one changes nothing', () => withSite(secure, async (running) => {
    const file = join(running.place.folder, 'cert.pem');
    const put = (name: string): void => writeFileSync(file, readFileSync(certificate([name]).both));
    put('one.example');
    await running.startOrigins();
    await running.startProgram();
    const old = await running.client('tls', { tls: { servername: 'x.example' } });
    assert.equal(commonName(old), 'one.example');
    put('two.example');
    assert.match(await running.command('reload'), /^Success=1\n--\nReloaded in \d+ ms: 1 change\.\nchanged certificate /);
    for (const servername of ['x.example', '']) {
      const client = await running.client('tls', { tls: { servername } });
      assert.equal(commonName(client), 'two.example');
      assert.match(await get(client), /^s\d/);
    }
    assert.match(await get(old), /^s\d/);
    writeFileSync(file, readFileSync(certificate(['one.example']).certificate));
    assert.match(await running.command('reload'), /^Success=0\n--\n.*private key[^]*nothing was changed/);
    assert.equal(commonName(await running.client('tls', { tls: {} })), 'two.example');
    // Without a reload: watch-certificates takes it up once certificate and key belong together.
    put('three.example');
    await eventually('three.example is shown', async () => commonName(await running.client('tls', { tls: {} })) === 'three.example', 15_000);
    assert.match(running.process?.stderr ?? '', /cert\.pem has changed on disk and is in force/);
  }, false));

  it('poise reload asks over the runtime socket and tells what came of it', () => withSite(first, async (running) => {
    writeFileSync(running.file, running.fill(first.replace('weight 10', 'weight 20')));
    const good = new Program('poise', ['reload', '-f', running.file], { cwd: running.place.folder });
    assert.equal(await good.exited(), 0);
    assert.match(good.stdout, /^Reloaded in \d+ ms: 1 change\.\nchanged backend be\n$/);
    writeFileSync(running.file, running.fill(first.replace('default_backend be', 'default_backend nowhere')));
    const bad = new Program('poise', ['reload', '--socket', join(running.place.folder, 'admin.sock')], { cwd: running.place.folder });
    assert.equal(await bad.exited(), 1);
    assert.match(bad.stdout, /nowhere[^]*nothing was changed/);
    const none = new Program('poise', ['reload', '--socket', '/nonexistent.sock'], { cwd: running.place.folder });
    assert.equal(await none.exited(), 1);
    assert.match(none.stderr, /poise reload: \/nonexistent\.sock: .*ENOENT/);
  }));
});
