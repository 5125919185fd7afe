/**
 * The processes of Poise: master, daemon, signals, take-over, notification of systemd, privileges, and logs to unix datagram
 * sockets. socat plays systemd and the syslog daemon.
 */
import assert from 'node:assert/strict';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { named } from '../harness/origin.ts';
import { eventually, sleep } from '../harness/place.ts';
import { isListening, Program } from '../harness/program.ts';
import { runtimeCommand } from '../harness/runtime-socket.ts';
import { Site, type SiteDefinition } from '../harness/site.ts';
import { UnixReceiver } from '../harness/unix-receiver.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => { for (const cleanup of cleanups.splice(0).toReversed()) await cleanup(); });

const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
/** Sections in this order, as `log global` wants them. */
const defaults = 'defaults\n    mode http\n    log global\n    option httplog\n    timeout connect 2s\n    timeout client 5s\n    timeout server 5s\n';
const backend = '    default_backend be\nbackend be\n    server s1 {a}\n';
const simple: SiteDefinition = { configuration: `frontend fe\n    bind {front}\n${backend}`, origins: () => ({ a: named('a'), b: named('b') }) };

async function prepare(definition: SiteDefinition = simple): Promise<Site> {
  const site = await Site.prepare('poise', definition);
  cleanups.push(() => site.stop());
  await site.startOrigins();
  return site;
}

function start(site: Site, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const program = new Program('poise', ['-f', site.file, ...args], { cwd: site.place.folder, env });
  cleanups.push(() => program.stop());
  return program;
}

/** Ends a process that is nobody's child any more; the system's first process may take its time to bury it. */
function endLater(pidFile: string): void {
  cleanups.push(() => {
    try {
      process.kill(Number(readFileSync(pidFile, 'latin1')), 'SIGKILL');
    } catch {
      // Gone already.
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

const servedBy = async (site: Site): Promise<string> => {
  try {
    return (await site.ask('front', request)).body;
  } catch {
    return '';
  }
};

const balancerPid = async (site: Site): Promise<number> =>
  Number(/^Pid: (\d+)/m.exec(await runtimeCommand(join(site.place.folder, 'admin.sock'), 'show info').catch(() => ''))?.[1] ?? 0);

async function receiver(path: string): Promise<UnixReceiver> {
  const started = await UnixReceiver.listen(path);
  cleanups.push(() => started.stop());
  return started;
}

describe('master', () => {
  it('starts a balancer that died again, and its socket answers', { timeout: 30_000 }, async () => {
    const site = await prepare();
    const master = start(site, ['-W', '-p', join(site.place.folder, 'pid')]);
    await master.listening([{ address: site.place.address, port: site.port('front') }]);
    const first = await eventually('runtime socket', () => balancerPid(site));
    assert.notEqual(first, master.pid);
    assert.equal(Number(readFileSync(join(site.place.folder, 'pid'), 'latin1')), master.pid);
    process.kill(first, 'SIGKILL');
    const second = await eventually('a new balancer', async () => { const pid = await balancerPid(site); return pid === first ? 0 : pid; }, 15_000);
    await eventually('it serves', async () => (await servedBy(site)) === 'a');
    assert.match(master.stderr, /\[ALERT\].*Current worker \(\d+\) exited with code 137 \(SIGKILL\): it is started again/);
    master.child.kill('SIGTERM');
    await master.exited();
    await eventually('the balancer ends with its master', () => !isAlive(second));
  });

  it('SIGUSR2 takes a changed configuration up in place, a broken one changes nothing; upgrade lets a new worker take over', { timeout: 40_000 }, async () => {
    const site = await prepare();
    const master = start(site, ['-W']);
    await master.listening([{ address: site.place.address, port: site.port('front') }]);
    const first = await eventually('runtime socket', () => balancerPid(site));
    const good = readFileSync(site.file, 'latin1');
    writeFileSync(site.file, good.replace(`:${site.port('a')}`, `:${site.port('b')}`));
    master.child.kill('SIGUSR2');
    await eventually('the new configuration serves', async () => (await servedBy(site)) === 'b', 15_000);
    assert.equal(await balancerPid(site), first);
    writeFileSync(site.file, good.replace('bind', 'bnid'));
    master.child.kill('SIGUSR2');
    await eventually('the fault is told', () => master.stderr.includes('nothing was changed'), 10_000);
    assert.match(master.stderr, /lb\.cfg:\d+.*'bnid'/);
    assert.equal(await balancerPid(site), first);
    assert.equal(await servedBy(site), 'b');
    writeFileSync(site.file, good);
    assert.match(await site.command('upgrade'), /^A new worker is started\./);
    await eventually('the old balancer ends', () => !isAlive(first), 15_000);
    assert.notEqual(await eventually('the runtime socket is the new one', () => balancerPid(site)), first);
    assert.equal(await servedBy(site), 'a');
  });

  it('ends with 1 when its first balancer cannot start', { timeout: 20_000 }, async () => {
    const site = await prepare({ ...simple, configuration: `frontend fe\n    bind 192.0.2.1:80\n${backend}` });
    const master = start(site, ['-W']);
    assert.equal(await master.exited(), 1);
    assert.match(master.stderr, /cannot bind socket \(Cannot assign requested address\) for \[192\.0\.2\.1:80\]/);
  });

  it('-Ws tells systemd: ready, reloading, ready, stopping', { timeout: 30_000 }, async () => {
    const site = await prepare();
    const path = join(site.place.folder, 'notify');
    const systemd = await receiver(path);
    const master = start(site, ['-Ws'], { NOTIFY_SOCKET: path });
    await eventually('ready', () => systemd.text.includes('READY=1'), 10_000);
    assert.ok(isListening(site.place.address, site.port('front')));
    master.child.kill('SIGUSR2');
    await eventually('reloaded', () => /RELOADING=1[\s\S]*READY=1/.test(systemd.text), 15_000);
    // By the kernel's own clock, in microseconds.
    const toldSeconds = Number(/MONOTONIC_USEC=(\d+)\n/.exec(systemd.text)?.[1]) / 1_000_000;
    const uptimeSeconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
    assert.ok(Math.abs(uptimeSeconds - toldSeconds) < 30, `${toldSeconds} and ${uptimeSeconds}`);
    master.child.kill('SIGTERM');
    await master.exited(15_000);
    await eventually('the last word', () => systemd.text.includes('STOPPING'), 5000);
    assert.match(systemd.text, new RegExp(`^READY=1\\nMAINPID=${master.pid}\\n[\\s\\S]*RELOADING=1[\\s\\S]*READY=1[\\s\\S]*STOPPING=1`));
  });
});

describe('watchdog of systemd', () => {
  it('is beaten while the balancer works, not while it hangs, and again when it is back', { timeout: 60_000 }, async () => {
    const site = await prepare();
    const path = join(site.place.folder, 'notify');
    const systemd = await receiver(path);
    const master = start(site, ['-Ws'], { NOTIFY_SOCKET: path, WATCHDOG_USEC: '1000000' });
    const beats = (): number => systemd.text.split('WATCHDOG=1').length - 1;
    await eventually('beats', () => beats() >= 3, 10_000);
    const balancer = await balancerPid(site);
    process.kill(balancer, 'SIGSTOP');
    try {
      await eventually('the master says so', () => master.stderr.includes("systemd's watchdog gets no sign of life"), 10_000);
      const before = beats();
      await sleep(1500);
      assert.equal(beats(), before);
    } finally {
      process.kill(balancer, 'SIGCONT');
    }
    const before = beats();
    await eventually('beats again', () => beats() > before, 10_000);
    await eventually('the master says so', () => master.stderr.includes('does its work again'));
    assert.doesNotMatch(systemd.text, /STOPPING/);
  });
});

describe('daemon', () => {
  it('gives the terminal back when it serves; -sf ends it softly when the next one serves', { timeout: 30_000 }, async () => {
    const site = await prepare();
    const pidFile = join(site.place.folder, 'pid');
    assert.equal(await start(site, ['-D', '-p', pidFile]).exited(), 0);
    endLater(pidFile);
    const first = Number(readFileSync(pidFile, 'latin1'));
    assert.equal(await servedBy(site), 'a');
    assert.equal(await balancerPid(site), first);
    const nextFile = join(site.place.folder, 'next');
    assert.equal(await start(site, ['-D', '-p', nextFile, '-sf', String(first)]).exited(), 0);
    endLater(nextFile);
    await eventually('the first one ends', () => !isAlive(first), 10_000);
    assert.equal(await servedBy(site), 'a');
    assert.equal(await balancerPid(site), Number(readFileSync(nextFile, 'latin1')));
  });

  it('says why it cannot start and gives exit code 1', { timeout: 20_000 }, async () => {
    const site = await prepare({ ...simple, configuration: `frontend fe\n    bind 192.0.2.1:80\n${backend}` });
    const daemon = start(site, ['-D']);
    assert.equal(await daemon.exited(), 1);
    assert.match(daemon.stderr, /cannot bind socket/);
  });
});

describe('signals', () => {
  it('SIGHUP tells the state of every proxy and server as HAProxy does', { timeout: 30_000 }, async () => {
    const told: string[][] = [];
    for (const name of ['haproxy', 'poise'] as const) {
      const site = await Site.start(name, simple);
      cleanups.push(() => site.stop());
      await site.ask('front', request);
      await eventually('the connection is over', async () => /^fe,FRONTEND,,,0,/m.test(await runtimeCommand(join(site.place.folder, 'admin.sock'), 'show stat')));
      site.process?.child.kill('SIGHUP');
      await site.log.matching(/SIGHUP: Proxy be /);
      const lines = site.log.lines.filter((line) => line.includes('SIGHUP') && !line.includes('HTTPCLIENT') && !line.includes('proxy GLOBAL'));
      told.push(lines.map((line) => line.replace(/^(<\d+>).*\]: /, '$1')));
    }
    assert.deepEqual(told[1], told[0]);
  });

  it('SIGUSR1 finishes what runs, lets nobody in, and ends with 0', { timeout: 30_000 }, async () => {
    const site = await prepare();
    const program = start(site, ['-db']);
    await program.listening([{ address: site.place.address, port: site.port('front') }]);
    const client = await site.client('front');
    client.send('GET / HTTP/1.1\r\nHo');
    await eventually('the connection is known', async () => /CurrConns: 1/.test(await runtimeCommand(join(site.place.folder, 'admin.sock'), 'show info')));
    program.child.kill('SIGUSR1');
    await eventually('nobody gets in', () => !isListening(site.place.address, site.port('front')));
    assert.equal(program.ended, null);
    client.send('st: x\r\n\r\n');
    assert.equal((await client.answer('GET')).body, 'a');
    assert.equal(await program.exited(), 0);
    await site.log.matching(/Proxy fe stopped \(cumulated conns: FE: 1, BE: 0\)\./);
  });
});

describe('privileges and log sockets', () => {
  it('the process becomes user and group after binding', { timeout: 20_000 }, async (context) => {
    if (process.getuid?.() !== 0) {
      context.diagnostic('only root can change who it is');
      return;
    }
    const site = await prepare({
      ...simple, configuration: `global\n    log {log} local0\n    stats socket {admin} mode 600 level admin\n    uid 65534\n    gid 65534\n    nbthread 1\n${defaults}frontend fe\n    bind {front}\n${backend}`,
    });
    const program = start(site, ['-db']);
    await program.listening([{ address: site.place.address, port: site.port('front') }]);
    const pid = await eventually('runtime socket', () => balancerPid(site));
    const status = await eventually('another user', () => { const text = readFileSync(`/proc/${pid}/status`, 'latin1'); return /^Uid:\t65534\t65534\t65534\t65534$/m.test(text) ? text : ''; });
    assert.match(status, /^Gid:\t65534\t65534\t65534\t65534$/m);
    assert.match(status, /^Groups:\t65534 *$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.equal(await servedBy(site), 'a');
  });

  it('a syslog daemon on a unix socket gets the lines, also after it was restarted', { timeout: 20_000 }, async () => {
    const site = await prepare({
      ...simple, configuration: `global\n    log {dir}/log local0\n    stats socket {admin} mode 600 level admin\n    nbthread 1\n${defaults}frontend fe\n    bind {front}\n${backend}`,
    });
    const path = join(site.place.folder, 'log');
    const daemon = await receiver(path);
    const program = start(site, ['-db']);
    await program.listening([{ address: site.place.address, port: site.port('front') }]);
    const line = /^<134>\w{3} [ \d]\d [\d:]{8} haproxy\[\d+\]: .* be\/s1 .*"GET \/ HTTP\/1\.1"\n/m;
    assert.equal(await servedBy(site), 'a');
    await eventually('the line arrives', () => line.test(daemon.text));
    await daemon.stop();
    unlinkSync(path);
    assert.equal(await servedBy(site), 'a');
    await eventually('the lost line is counted', async () => /^DroppedLogs: [1-9]/m.test(await runtimeCommand(join(site.place.folder, 'admin.sock'), 'show info')));
    const again = await receiver(path);
    assert.equal(await servedBy(site), 'a');
    await eventually('the line arrives', () => line.test(again.text));
  });
});
