/**
 * Who the process is and what it may do, as root and as somebody else, beside HAProxy: identity of every thread, rights by capabilities,
 * limits of open files, and who is let in at the runtime socket. Needs root; setpriv plays the other users.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { makeCertificate } from '../../src/exchange-sim/certificate.ts';
import { MailSink } from '../harness/mail-sink.ts';
import { named } from '../harness/origin.ts';
import { eventually } from '../harness/place.ts';
import { isListening, type ProgramName, Program, projectFolder, runtime } from '../harness/program.ts';
import { runtimeCommand } from '../harness/runtime-socket.ts';
import { Site } from '../harness/site.ts';
import { UnixReceiver } from '../harness/unix-receiver.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => { for (const cleanup of cleanups.splice(0).toReversed()) await cleanup(); });

const stranger = 65534;
const member = 64999;
const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
const asStranger = ['--reuid', String(stranger), '--regid', String(stranger), '--clear-groups'];
const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

function site(name: ProgramName, globals: string): Promise<Site> {
  return Site.prepare(name, {
    configuration: `global\n    nbthread 2\n${globals}defaults\n    mode http\n    timeout connect 2s\n    timeout client 5s\n    timeout server 5s\nfrontend fe\n    bind {front}\n    default_backend be\nbackend be\n    server s1 {a}\n`,
    origins: () => ({ a: named('a') }),
  }).then((made) => {
    cleanups.push(() => made.stop());
    return made;
  });
}

function isRoot(context: { diagnostic(message: string): void }): boolean {
  if (process.getuid?.() !== 0) context.diagnostic('left out: only root can become somebody else');
  return process.getuid?.() === 0;
}

/** Also false when the checkout lies where others cannot read it. */
function strangersCanRun(context: { diagnostic(message: string): void }): boolean {
  if (!isRoot(context)) return false;
  const able = spawnSync('setpriv', [...asStranger, join(projectFolder, 'bin/poise'), '-v'], { env: { ...environment, POISE_RUNTIME: runtime } }).status === 0;
  if (!able) context.diagnostic('left out: other users cannot read this checkout');
  return able;
}

/** What a start that fails says, without the program's own name and numbers. */
function failure(name: ProgramName, file: string, wrapper: readonly string[]): { code: number | null; alert: string } {
  const command = name === 'haproxy' ? 'haproxy' : join(projectFolder, 'bin/poise');
  const [first = '', ...rest] = [...wrapper, command, '-db', '-f', file];
  const result = spawnSync(first, rest, { encoding: 'utf8', timeout: 20_000, env: { ...environment, POISE_RUNTIME: runtime } });
  return { code: result.status, alert: /^\[ALERT\] .*?: (?:\[haproxy\.main\(\)\] )?(Cannot .*)$/m.exec(result.stderr)?.[1] ?? result.stderr };
}

interface Task { readonly uid: string; readonly rights: string; readonly noNewPrivileges: boolean }

function tasksOf(pid: number): Task[] {
  return readdirSync(`/proc/${pid}/task`).map((tid) => {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'latin1');
    const value = (name: string): string => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(status)?.[1] ?? '';
    return { uid: value('Uid'), rights: value('CapPrm'), noNewPrivileges: value('NoNewPrivs') === '1' };
  });
}

describe('privileges', () => {
  it('every thread is the other user without rights; those that run the program can get none', { timeout: 90_000 }, async (context) => {
    if (!isRoot(context)) return;
    const made = await site('poise', `    stats socket {admin} mode 600 level admin\n    uid ${stranger}\n    gid ${stranger}\n`);
    await made.startOrigins();
    const program = new Program('poise', ['-f', made.file, '-db'], { cwd: made.place.folder });
    cleanups.push(() => program.stop());
    await program.listening([{ address: made.place.address, port: made.port('front') }], 30_000);
    const tasks = await eventually('all changed', () => { const found = tasksOf(program.pid); return found.every((task) => task.uid.startsWith(`${stranger}\t`)) ? found : undefined; });
    assert.deepEqual([...new Set(tasks.map((task) => task.rights))], ['0000000000000000']);
    // The control thread and two traffic threads; the runtime's own helpers were there before.
    assert.ok(tasks.filter((task) => task.noNewPrivileges).length >= 3);
    assert.equal((await made.ask('front', request)).body, 'a');
  });

  it('what only root can read is reloaded too: the master reads it', { timeout: 90_000 }, async (context) => {
    if (!isRoot(context)) return;
    const made = await site('poise', `    stats socket {admin} mode 600 level admin\n    uid ${stranger}\n    gid ${stranger}\n`);
    const certificate = makeCertificate({ commonName: 'lab', names: ['lab'], validFrom: new Date(Date.now() - 86_400_000), validDays: 30 });
    writeFileSync(join(made.place.folder, 'key.pem'), certificate.certPem + certificate.keyPem, { mode: 0o600 });
    const text = readFileSync(made.file, 'utf8');
    const answering = (word: string): string => text.replace(/bind (127\S+)/, `bind $1 ssl crt ${made.place.folder}/key.pem\n    http-request return status 200 content-type text/plain string ${word}`);
    writeFileSync(made.file, answering('first'), { mode: 0o600 });
    const program = new Program('poise', ['-f', made.file, '-W'], { cwd: made.place.folder });
    cleanups.push(() => program.stop());
    await program.listening([{ address: made.place.address, port: made.port('front') }], 30_000);
    const body = (): string => spawnSync('curl', ['-sk', '-m', '5', `https://${made.place.address}:${made.port('front')}/`], { encoding: 'utf8' }).stdout;
    await eventually('it serves', () => body() === 'first', 10_000);
    writeFileSync(made.file, answering('second'));
    program.child.kill('SIGUSR2');
    await eventually('the new rules answer', () => body() === 'second', 20_000);
    writeFileSync(made.file, answering('third').replace('bind', 'bnid'));
    program.child.kill('SIGUSR2');
    await eventually('the fault is told', () => /lb\.cfg:\d+.*'bnid'/.test(program.stderr), 20_000);
    assert.equal(body(), 'second');
    // A new low port is beyond what a balancer that is no longer root can bind: it says what helps, and that does.
    writeFileSync(made.file, answering('fourth').replace('    bind', `    bind ${made.place.address}:443\n    bind`));
    if (Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1')) > 443) {
      program.child.kill('SIGUSR2');
      await eventually('what helps', () => /Only root binds ports below 1024: 'poise upgrade'/.test(program.stderr), 20_000);
      assert.equal(body(), 'second');
    }
    assert.equal(await runtimeCommand(join(made.place.folder, 'admin.sock'), 'upgrade'), 'A new worker is started.\n\n');
    await program.listening([{ address: made.place.address, port: 443 }], 30_000);
    await eventually('the new worker answers', () => body() === 'fourth', 20_000);
  });

  it('chroot: all threads see nothing but the folder; figures, logs, names, reloads and upgrades go on', { timeout: 120_000 }, async (context) => {
    if (!isRoot(context)) return;
    const made = await site('poise', `    chroot {dir}/empty\n    uid ${stranger}\n    gid ${stranger}\n    log {dir}/log local0\n    stats socket {admin} mode 600 level admin\n`);
    const { folder } = made.place;
    mkdirSync(join(folder, 'empty'));
    const log = await UnixReceiver.listen(join(folder, 'log'));
    cleanups.push(() => log.stop());
    const mails = new MailSink();
    await mails.listen('127.0.0.1', 0);
    cleanups.push(() => mails.close());
    const text = readFileSync(made.file, 'utf8');
    const mailed = `    email-alert mailers relays\n    email-alert from lb@lab.test\n    email-alert to admin@lab.test\nmailers relays\n    mailer relay localhost:${mails.port}\n`;
    const answering = (word: string): string => `poise\n    state-folder ${folder}/state\n${text.replace('    default_backend', `    log global\n    option httplog\n    http-request return status 200 content-type text/plain string ${word}\n    default_backend`)}    server named localhost:9 check inter 500\n${mailed}`;
    writeFileSync(made.file, answering('first'));
    const program = new Program('poise', ['-f', made.file, '-W'], { cwd: folder });
    cleanups.push(() => program.stop());
    const admin = join(folder, 'admin.sock');
    const asks = async (): Promise<string> => (await made.ask('front', request).catch(() => null))?.body ?? '';
    const locked = async (): Promise<number> => {
      const pid = Number(/^Pid: (\d+)/m.exec(await runtimeCommand(admin, 'show info'))?.[1]);
      for (const tid of readdirSync(`/proc/${pid}/task`)) assert.equal(readlinkSync(`/proc/${pid}/task/${tid}/root`), join(folder, 'empty'));
      return pid;
    };
    await eventually('it serves', async () => program.stderr.includes('Loading success') && await asks() === 'first', 30_000);
    const first = await locked();
    assert.ok(tasksOf(first).every((task) => task.uid.startsWith(`${stranger}\t`)));
    assert.ok(Number(/^PoolAlloc_MB: (\d+)/m.exec(await runtimeCommand(admin, 'show info'))?.[1]) > 20);
    assert.match(await runtimeCommand(admin, 'show servers state be'), / named (127\.0\.0\.1|::1) /);
    await eventually('the log line', () => log.text.includes('GET / HTTP/1.1'), 10_000);
    await eventually('a letter, by way of a relay that is known by name', () => mails.mails.some(({ subject }) => subject.includes('be/named is DOWN')), 20_000);
    writeFileSync(made.file, answering('second').replace('    server named', '    server late localhost:9\n    server named'));
    assert.match(await runtimeCommand(admin, 'reload', 20_000), /^Reloaded in/m);
    assert.match(await runtimeCommand(admin, 'show servers state be'), / late (127\.0\.0\.1|::1) /);
    await eventually('the new rules answer', async () => await asks() === 'second', 10_000);
    assert.equal(await runtimeCommand(admin, 'upgrade'), 'A new worker is started.\n\n');
    await eventually('the one before has ended', () => program.stderr.split('Loading success').length === 3 && program.stderr.includes(`Former worker (${first}) exited with code 0`), 30_000);
    assert.notEqual(await locked(), first);
    // What the former one counted last is added within a second.
    await eventually('counters go on', async () => Number((await runtimeCommand(admin, 'show stat fe 1 -1')).split('\n')[1]?.split(',')[48]) >= 2, 10_000);
    await program.stop();
    const alone = new Program('poise', ['-f', made.file, '-db'], { cwd: folder });
    cleanups.push(() => alone.stop());
    await eventually('it serves without a master', async () => await asks() === 'second', 30_000);
    assert.match(await runtimeCommand(admin, 'reload', 20_000), /cannot read its configuration: a reload needs a master/);
  });

  it('a chroot that is not there, or that somebody else than root wants, ends the start, as with HAProxy', { timeout: 90_000 }, async (context) => {
    if (!strangersCanRun(context)) return;
    for (const [folder, wrapper] of [['none', []], ['.', ['setpriv', ...asStranger]]] as const) {
      const found = [];
      for (const name of ['haproxy', 'poise'] as const) {
        const made = await site(name, `    chroot {dir}/${folder}\n`);
        chmodSync(made.place.folder, 0o755);
        const { code, alert } = failure(name, made.file, wrapper);
        found.push({ code, alert: made.anonymous(alert) });
      }
      assert.match(found[0]?.alert ?? '', /^Cannot chroot\(/);
      assert.deepEqual(found[1], found[0]);
    }
  });

  it('somebody else than root may only become who he is, as with HAProxy', { timeout: 90_000 }, async (context) => {
    if (!strangersCanRun(context)) return;
    for (const globals of ['    uid 65533\n', '    gid 65533\n    uid 65534\n']) {
      const found = [];
      for (const name of ['haproxy', 'poise'] as const) {
        const made = await site(name, globals);
        chmodSync(made.place.folder, 0o755);
        found.push(failure(name, made.file, ['setpriv', ...asStranger]));
      }
      assert.equal(found[0]?.code, 1);
      assert.deepEqual(found[1], found[0]);
    }
    const same = await site('poise', `    uid ${stranger}\n    gid ${stranger}\n`);
    chmodSync(same.place.folder, 0o755);
    const child = spawn('setpriv', [...asStranger, join(projectFolder, 'bin/poise'), '-db', '-f', same.file], { env: { ...environment, POISE_RUNTIME: runtime }, stdio: 'ignore' });
    cleanups.push(() => { child.kill('SIGKILL'); });
    await eventually('it listens', () => isListening(same.place.address, same.port('front')), 30_000);
  });

  it('the right to bind low ports is enough to have them, in every thread', { timeout: 90_000 }, async (context) => {
    if (!strangersCanRun(context)) return;
    const made = await site('poise', '    stats socket {admin} mode 600 level admin\n');
    chmodSync(made.place.folder, 0o755);
    chownSync(made.place.folder, stranger, stranger);
    writeFileSync(made.file, readFileSync(made.file, 'utf8').replace(/bind 127\S+/, `bind ${made.place.address}:443`));
    const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'latin1'));
    if (start > 443) assert.deepEqual([failure('poise', made.file, ['setpriv', ...asStranger]).code], [1]);
    else context.diagnostic('here every user may bind every port');
    const child = spawn('setpriv', [...asStranger, '--inh-caps', '+net_bind_service', '--ambient-caps', '+net_bind_service', join(projectFolder, 'bin/poise'), '-db', '-f', made.file], { env: { ...environment, POISE_RUNTIME: runtime }, stdio: 'ignore' });
    cleanups.push(() => { child.kill('SIGKILL'); });
    await eventually('it listens', () => isListening(made.place.address, 443), 30_000);
    const rights = tasksOf(child.pid ?? 0).map((task) => task.rights);
    assert.deepEqual([...new Set(rights)], ['0000000000000400']);
  });

  it('ulimit-n is the limit of open files, and maxconn follows from it', { timeout: 90_000 }, async () => {
    const made = await site('poise', '    ulimit-n 500\n    stats socket {admin} mode 600 level admin\n');
    const program = new Program('poise', ['-f', made.file, '-db'], { cwd: made.place.folder });
    cleanups.push(() => program.stop());
    await program.listening([{ address: made.place.address, port: made.port('front') }], 30_000);
    const info = await runtimeCommand(join(made.place.folder, 'admin.sock'), 'show info');
    assert.match(info, /^Ulimit-n: 500$/m);
    const maxconn = Number(/^Maxconn: (\d+)$/m.exec(info)?.[1]);
    assert.ok(maxconn > 150 && maxconn < 250, String(maxconn));
    assert.match(readFileSync(`/proc/${program.pid}/limits`, 'latin1'), /^Max open files +500 +\d+/m);
  });

  it('a limit of open files that cannot be had ends the start, as with HAProxy', { timeout: 90_000 }, async (context) => {
    if (!strangersCanRun(context)) return;
    const found = [];
    for (const name of ['haproxy', 'poise'] as const) {
      const made = await site(name, '    ulimit-n 1000000000\n');
      chmodSync(made.place.folder, 0o755);
      found.push(failure(name, made.file, ['setpriv', ...asStranger]));
    }
    assert.deepEqual(found[1], found[0]);
    assert.match(found[1]?.alert ?? '', /^Cannot raise FD limit to 1000000000, limit is \d+\.$/);
  });
});

describe('runtime socket', () => {
  it('lets in whom mode, user and group say, and nobody else', { timeout: 90_000 }, async (context) => {
    if (!isRoot(context)) return;
    const answers: unknown[] = [];
    for (const name of ['haproxy', 'poise'] as const) {
      const made = await site(name, `    stats socket {dir}/by-group mode 660 uid 0 gid ${member} level operator\n    stats socket {dir}/by-user mode 600 uid ${stranger} level admin\n`);
      chmodSync(made.place.folder, 0o755);
      const program = new Program(name, ['-f', made.file, '-db'], { cwd: made.place.folder });
      cleanups.push(() => program.stop());
      await program.listening([{ address: made.place.address, port: made.port('front') }], 30_000);
      const ask = (uid: number, gid: number, path: string): string => {
        const result = spawnSync('setpriv', ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', 'socat', '-', `UNIX-CONNECT:${join(made.place.folder, path)}`], { input: 'show cli level\nshow info\n', encoding: 'utf8', timeout: 5000, env: environment });
        return /Permission denied/.exec(result.stderr)?.[0] ?? /level: \w+|^(operator|admin|user)$/m.exec(result.stdout)?.[0] ?? result.stdout.slice(0, 40);
      };
      const modes = ['by-group', 'by-user'].map((path) => { const stat = statSync(join(made.place.folder, path)); return [(stat.mode & 0o777).toString(8), stat.uid, stat.gid]; });
      answers.push([modes, ask(64998, member, 'by-group'), ask(stranger, stranger, 'by-group'), ask(stranger, stranger, 'by-user'), ask(64998, member, 'by-user')]);
    }
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual((answers[1] as unknown[]).slice(2), ['Permission denied', (answers[1] as unknown[])[3], 'Permission denied']);
  });
});
