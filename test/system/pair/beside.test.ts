/**
 * `poise vrrp` beside a real HAProxy, what it tells tools that know keepalived, and what a whole node tells of its addresses; in network
 * namespaces.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours, keepalivedConf, type Flavour } from '../../harness/pair/flavours.ts';
import { Outside } from '../../harness/pair/outside.ts';
import { Stage, until, type Host } from '../../harness/pair/stage.ts';
import { articleConf, fastAdverts, haproxyCfg, partOf, startNode, virtualAddress } from '../../harness/pair/whole-node.ts';
import { sleep } from '../../harness/place.ts';
import { projectFolder } from '../../harness/program.ts';

const startMs = 30_000;
const poise = join(projectFolder, 'bin/poise');
const flavour = flavours.find((one) => one.name === 'version 3, multicast') as Flavour;

function namesIn(host: Host, name: string): number[] {
  return host.pids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === name;
    } catch {
      return false;
    }
  });
}

type Figures = Readonly<Record<string, unknown>>;
interface KeepalivedJson { readonly data: Figures; readonly stats: Figures }

describeInNamespaces('beside other programs', { concurrency: 3 }, () => {
  const stages: Stage[] = [];
  after(() => { for (const stage of stages) stage.remove(); });
  function begin(): { stage: Stage; first: Host; second: Host } {
    const stage = new Stage();
    stages.push(stage);
    return { stage, first: stage.hosts[0], second: stage.hosts[1] };
  }

  it('killall -0 haproxy is run beside a real HAProxy, and its end moves the address', { timeout: 110_000 }, async () => {
    const { stage, first, second } = begin();
    const conf = (node: 0 | 1): string => stage.file(`${node}.conf`, articleConf(node, { replace: [...fastAdverts.replace ?? [], ['interval 2', 'interval 0.5']] }));
    const configuration = stage.file('haproxy.cfg', haproxyCfg(0));
    // Process numbers of its own: killall would find the HAProxy of somebody else.
    first.run('unshare', ['--pid', '--fork', '--mount-proc', 'sh', '-c', `haproxy -db -f ${configuration} & ${poise} vrrp -f ${conf(0)}; wait`]);
    second.run('unshare', ['--pid', '--fork', '--mount-proc', 'sh', '-c', `haproxy -db -f ${configuration} & ${poise} vrrp -f ${conf(1)}; wait`]);
    await until('the first node has the address', startMs, () => first.has(virtualAddress) && !second.has(virtualAddress));
    assert.doesNotMatch(first.printed, /is not run/);
    for (const pid of namesIn(first, 'haproxy')) process.kill(pid, 'SIGKILL');
    await until('the second node has the address', 5000, () => second.has(virtualAddress) && !first.has(virtualAddress));
    await until('it says why', 1000, () => /Script `chk_haproxy` now returning failure \(exited with 1\)[^]*Changing effective priority to 101/.test(first.printed));
  });

  it('SIGUSR1 and SIGUSR2 write the files that tools read of keepalived, and SIGHUP ends nothing', { timeout: 110_000 }, async () => {
    const { stage, first, second } = begin();
    const file = stage.file('first.conf', keepalivedConf(flavour, 0));
    const folders = [join(stage.folder, 'poise'), join(stage.folder, 'keepalived')] as const;
    for (const folder of folders) execFileSync('mkdir', [folder]);
    const node = first.run('env', [`TMPDIR=${folders[0]}`, poise, 'vrrp', '-f', file]);
    second.run('env', [`TMPDIR=${folders[1]}`, 'keepalived', '-n', '-l', '--vrrp', '-f', stage.file('second.conf', keepalivedConf(flavour, 1)), '-p', join(folders[1], 'a.pid'), '-r', join(folders[1], 'b.pid')]);
    await until('the first node has the address', startMs, () => first.has(flavour.address) && !second.has(flavour.address));
    const [keepalived = 0] = namesIn(second, 'keepalived');
    process.kill(keepalived, 36);
    node.kill('SIGHUP');
    node.kill('SIGUSR1');
    await until('the data file is there', 5000, () => existsSync(join(folders[0], 'keepalived.data')) && existsSync(join(folders[0], 'keepalived.json')));
    node.kill('SIGUSR2');
    await until('the statistics are there', 5000, () => existsSync(join(folders[0], 'keepalived.stats')));
    await until('keepalived has written its own', 5000, () => existsSync(join(folders[1], 'keepalived.json')));
    await sleep(300);
    const [mine, theirs] = folders.map((folder) => (JSON.parse(readFileSync(join(folder, 'keepalived.json'), 'utf8')) as KeepalivedJson[])[0]);
    assert(mine !== undefined && theirs !== undefined);
    assert.deepEqual(Object.keys(mine.stats).sort(), Object.keys(theirs.stats).sort());
    assert.deepEqual(Object.keys(theirs.data).filter((key) => !(key in mine.data)), [], 'figures that keepalived has and Poise has not');
    for (const key of ['iname', 'vrid', 'version', 'adver_int', 'ifp_ifname', 'nopreempt', 'vipset']) assert.equal(typeof mine.data[key], typeof theirs.data[key], key);
    assert.deepEqual([mine.data['state'], theirs.data['state'], mine.data['vips']], [2, 1, [`${flavour.address}/24 dev eth0 scope global set`]]);
    assert.match(readFileSync(join(folders[0], 'keepalived.data'), 'utf8'), / VRRP Instance = VI_1\n(?: .*\n)* {3}State = MASTER\n/);
    assert.match(readFileSync(join(folders[0], 'keepalived.stats'), 'utf8'), /VRRP Instance: VI_1\n {2}Advertisements:\n {4}Received: \d+\n {4}Sent: [1-9]/);
    await until('it says what SIGHUP did', 1000, () => /SIGHUP received: .* was checked/.test(first.printed));
    assert.match(execFileSync(poise, ['vrrp', 'status', '-f', file], { encoding: 'utf8' }), /^VI_1: MASTER for \d+s \(.+\)\n {2}priority 150 \(configured 150\), master this node/);
  });

  it('a whole node tells of its addresses in the page, the metrics and the socket, and both mail of two masters', { timeout: 110_000 }, async () => {
    const { stage, first, second } = begin();
    const outside = new Outside(stage);
    after(() => { outside.close(); });
    await outside.ready();
    ([0, 1] as const).forEach((node) => {
      startNode(stage, node, 'poise', articleConf(node, fastAdverts), '', `frontend stats\n  bind 127.0.0.1:8404\n  stats enable\n  stats uri /\n  http-request use-service prometheus-exporter if { path /metrics }\n`);
    });
    await until('the first node has the address', startMs, () => first.has(virtualAddress) && !second.has(virtualAddress));
    await sleep(1500);
    const get = (path: string): string => execFileSync('ip', ['netns', 'exec', first.namespace, 'curl', '-s', `http://127.0.0.1:8404${path}`], { encoding: 'utf8' });
    assert.match(get('/'), /VI_1[^]{0,400}MASTER/);
    assert.match(get('/metrics'), /^\w*vrrp\w*\{iname="VI_1"\} \d/m);
    first.unplug();
    await until('both are master while the network is split', 5000, () => second.has(virtualAddress));
    await sleep(1000);
    first.plug();
    await until('one master after it heals', 3000, () => first.has(virtualAddress) && !second.has(virtualAddress));
    const mailed = (id: string): boolean => outside.letters.some((letter) => letter.subject === `[${id}] VRRP Instance VI_1 - There were two masters`);
    await until('both nodes mail it', 10_000, () => mailed('LAB-HAP01') && mailed('LAB-HAP02'));
    assert.equal(stage.neighbour(virtualAddress), first.hardwareAddress(), 'the network was told again');
  });

  it('a node that returns takes the address only after its servers were checked once', { timeout: 110_000 }, async () => {
    const { stage, first, second } = begin();
    const slow = stage.inWorld(process.execPath, ['-e', 'require("node:http").createServer((_, answer) => setTimeout(() => answer.end(), 4000)).listen(80, "10.77.0.21")']);
    after(() => { slow.kill(); });
    startNode(stage, 1, 'poise', articleConf(1, fastAdverts));
    await until('the second node, which is alone, has the address at once', startMs, () => second.has(virtualAddress));
    startNode(stage, 0, 'poise', articleConf(0, fastAdverts), '', 'backend slow\n  timeout check 8s\n  option httpchk GET /\n  server s1 10.77.0.21:80 check inter 10s\n');
    const at = (text: string) => (): boolean => first.printed.includes(text);
    await until('the first node serves', startMs, at('Entering BACKUP STATE'));
    const waitedMs = await until('the first node has the address', startMs, () => first.has(virtualAddress));
    assert(waitedMs > 2500, `it waited ${waitedMs} ms, and its adverts need 0.4 s`);
  });

  it('one whose balancer dies again and again gives the address up, and takes it back when it stays', { timeout: 110_000 }, async () => {
    const { stage, first, second } = begin();
    ([0, 1] as const).forEach((node) => { startNode(stage, node, 'poise', articleConf(node, fastAdverts)); });
    await until('the first node has the address', startMs, () => first.has(virtualAddress) && !second.has(virtualAddress));
    const endMs = performance.now() + 25_000;
    while (first.has(virtualAddress) && performance.now() < endMs) {
      for (const pid of partOf(first, 'balancer')) process.kill(pid, 'SIGKILL');
      await sleep(50);
    }
    await until('the second node has it', startMs, () => second.has(virtualAddress) && !first.has(virtualAddress));
    await until('the first node says why', 1000, () => first.printed.includes('Entering FAULT STATE (the balancer has ended and is not back)'));
    await until('the first node has it again', 40_000, () => first.has(virtualAddress) && !second.has(virtualAddress));
  });
});
