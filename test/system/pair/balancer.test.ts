/**
 * Two whole nodes, balancer and virtual address, in network namespaces with a steady client, two servers and a mail sink around them: what a
 * crashed, stopped or useless balancer does to the address, and what scripts, the fifo and the mailbox hear of it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { Outside } from '../../harness/pair/outside.ts';
import { Stage, until, type Host } from '../../harness/pair/stage.ts';
import { articleConf, partOf, startNode, virtualAddress } from '../../harness/pair/whole-node.ts';
import { sleep } from '../../harness/place.ts';


/** Three adverts of one second and the skew. */
const takeOverMs = 4000;
/** A machine under the load of other tests may start a program late. */
const startMs = 30_000;

/** The balancer process of a host. */
function balancerOf(host: Host): number {
  const [pid = 0, ...more] = partOf(host, 'balancer');
  assert(pid > 0 && more.length === 0, `one balancer process in ${host.name}`);
  return pid;
}

describeInNamespaces('two whole nodes', {}, () => {
  const stage = new Stage();
  after(() => { stage.remove(); });
  const [first, second] = stage.hosts;
  const outside = new Outside(stage);
  let fifoText = '';
  const words = join(stage.folder, 'words');

  function onlyOn(host: Host): boolean {
    const other = host === first ? second : first;
    return host.has(virtualAddress) && !other.has(virtualAddress);
  }

  before(async () => {
    await outside.ready();
    const script = stage.file('tell.sh', `#!/bin/sh\necho "$@" >> ${words}\n`);
    chmodSync(script, 0o755);
    startNode(stage, 0, 'poise', articleConf(0, { instance: `    notify "${script} first"\n`, global: `    script_user root\n    notify_fifo ${join(stage.folder, 'fifo')}\n` }), '  vital fe\n');
    startNode(stage, 1, 'poise', articleConf(1), '  vital fe\n');
    await until('the first node has the address', startMs + takeOverMs, () => onlyOn(first));
    const reader = spawn('cat', [join(stage.folder, 'fifo')], { stdio: ['ignore', 'pipe', 'ignore'] });
    reader.stdout.on('data', (chunk: Buffer) => { fifoText += chunk.toString(); });
    after(() => { reader.kill(); outside.close(); });
  }, { timeout: 110_000 });

  it('answers on the virtual address, and losing one server loses nothing', async () => {
    outside.load();
    await sleep(1500);
    const report = await outside.report();
    assert(report.answered > 50, JSON.stringify(report));
    assert.equal(report.lost, 0, JSON.stringify(report));
    assert.deepEqual(Object.keys(report.nodes), ['hap01']);
  });

  it('a crashed balancer is started again and keeps the address', { timeout: 110_000 }, async () => {
    const before = balancerOf(first);
    const states = stateChanges(first);
    process.kill(before, 'SIGKILL');
    await sleep(3500);
    assert.notEqual(balancerOf(first), before);
    assert.deepEqual(stateChanges(first), states, 'no state has changed');
    await outside.report();
    await sleep(500);
    const report = await outside.report();
    assert.equal(report.lost, 0, JSON.stringify(report));
    assert.deepEqual(Object.keys(report.nodes), ['hap01']);
  });

  it('a vital frontend without servers gives the address up', { timeout: 110_000 }, async () => {
    first.exec('route', 'add', 'blackhole', '10.77.0.21/32');
    first.exec('route', 'add', 'blackhole', '10.77.0.22/32');
    await until('the second node has the address', 5000 + takeOverMs, () => onlyOn(second));
    assert.match(first.printed, /Entering FAULT STATE \(no server behind the vital frontend fe can be used\)/);
    first.exec('route', 'del', 'blackhole', '10.77.0.21/32');
    first.exec('route', 'del', 'blackhole', '10.77.0.22/32');
    await until('the first node has the address again', takeOverMs + startMs, () => onlyOn(first));
  });

  it('a master that is stopped hands over first and loses no request', { timeout: 110_000 }, async () => {
    await sleep(3200);
    await outside.report();
    await sleep(500);
    await first.stop();
    assert.equal(first.has(virtualAddress), false);
    await until('the second node has the address', 1000, () => second.has(virtualAddress));
    await sleep(3200);
    const report = await outside.report();
    assert.equal(report.lost, 0, JSON.stringify(report));
    assert.deepEqual(Object.keys(report.nodes).sort(), ['hap01', 'hap02']);
    assert(report.longestGapMs < 1500, `nobody answered for ${report.longestGapMs} ms`);
    outside.endLoad();
  });

  it('scripts and the fifo got the words that keepalived writes', () => {
    const lines = readFileSync(words, 'utf8').trim().split('\n');
    assert.equal(lines[0], 'first INSTANCE VI_1 BACKUP 103');
    assert.equal(lines[1], 'first INSTANCE VI_1 MASTER 103');
    // The weight of the script, which looks every two seconds, may still be in the priority.
    assert.match(lines.join('\n'), /^first INSTANCE VI_1 FAULT 10[13]$/m);
    assert.equal(lines.at(-1), 'first INSTANCE VI_1 STOP 103');
    const told = fifoText.trim().split('\n');
    assert.equal(told[0], 'INSTANCE "VI_1" BACKUP 103');
    assert(told.includes('INSTANCE "VI_1" MASTER 103'), fifoText);
    assert.equal(told.at(-1), 'INSTANCE "VI_1" STOP 103');
    assert(existsSync(join(stage.folder, 'fifo')));
  });

  it('letters with the subjects that keepalived writes came', async () => {
    const came = (subject: string): boolean => outside.letters.some((letter) => letter.subject === subject && letter.to === 'administrator@lab.local');
    await until('letters of both nodes', 5000, () => came('[LAB-HAP01] VRRP Instance VI_1 - Entering MASTER state') && came('[LAB-HAP02] VRRP Instance VI_1 - Entering MASTER state'));
    const letter = outside.letters.find((one) => one.subject.startsWith('[LAB-HAP02]'));
    assert.match(letter?.text ?? '', /=> VRRP Instance is now owning VRRP VIPs <=[^]*Reason: /);
  });
});

function stateChanges(host: Host): string[] {
  return host.printed.match(/Entering \w+ STATE/g) ?? [];
}
