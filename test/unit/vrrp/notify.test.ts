/** Scripts that are told of states, and scripts that are tracked: run without a shell, as their user, one after the other, and not for ever. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadKeepalived } from '../../../src/config/keepalived/load.ts';
import type { KeepalivedModel } from '../../../src/model/keepalived.ts';
import type { VrrpReport, VrrpState } from '../../../src/model/vrrp-messages.ts';
import { Notifier } from '../../../src/vrrp/notify.ts';
import { ScriptRunner } from '../../../src/vrrp/scripts.ts';
import { eventually, temporaryFolder } from '../../harness/place.ts';

const isRoot = process.getuid?.() === 0;

function model(instanceLines: string, before = ''): KeepalivedModel {
  const text = `${before}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress { 10.0.0.10/24 }\n${instanceLines}\n}\n`;
  const { model: made, problems } = loadKeepalived('/k.conf', { files: memoryFiles({ '/k.conf': text }) });
  assert(made !== undefined, JSON.stringify(problems));
  return made;
}

/** A folder where every user may write, and a script in it that writes its words, one to a line, to `name`.out. */
function place(body = 'for word in "$@"; do echo "$word"; done > "$0.out.new"; mv "$0.out.new" "$0.out"'): { folder: string; script: string; out: string } {
  const folder = temporaryFolder();
  chmodSync(folder, 0o777);
  const script = join(folder, 'tell');
  writeFileSync(script, `#!/bin/sh\n${body}\n`);
  chmodSync(script, 0o755);
  return { folder, script, out: `${script}.out` };
}

const entering = (to: VrrpState): VrrpReport => ({ kind: 'state', instance: 'VI_1', from: 'BACKUP', to, priority: 103, why: 'a test' });
async function written(path: string): Promise<string> {
  await eventually(path, () => existsSync(path));
  return readFileSync(path, 'utf8');
}
const global = (lines: string): string => `global_defs {\n${lines}\n}`;
const asRoot = isRoot ? global('script_user root') : '';

describe('notify scripts', () => {
  it('get their words as they stand, and keepalived\'s four after them, without a shell between', async () => {
    const { script, out } = place();
    const notifier = new Notifier(model(` notify "${script} 'two words' $HOME;id \`id\` >x"`, asRoot), () => { /* nothing to say */ });
    notifier.hear(entering('MASTER'));
    assert.deepEqual((await written(out)).trim().split('\n'), ['two words', '$HOME;id', '`id`', '>x', 'INSTANCE', 'VI_1', 'MASTER', '103']);
    await notifier.close();
  });

  it('notify_master, notify_backup, notify_fault and notify_stop are for their own state only', async () => {
    const { folder } = place();
    const words = ['master', 'backup', 'fault', 'stop'];
    const notifier = new Notifier(model(words.map((word) => ` notify_${word} "/usr/bin/touch ${join(folder, word)}"`).join('\n'), asRoot), () => { /* nothing to say */ });
    notifier.hear(entering('FAULT'));
    await written(join(folder, 'fault'));
    notifier.hear(entering('STOP'));
    await notifier.close();
    assert.deepEqual(words.map((word) => existsSync(join(folder, word))), [false, false, true, true]);
  });

  if (isRoot) it('run as script_user, or as the user of their own line', async () => {
    const { script, out } = place('id -u > "$0.out.new"; mv "$0.out.new" "$0.out"');
    const first = new Notifier(model(` notify "${script}"`, global('script_user nobody')), () => { /* nothing to say */ });
    first.hear(entering('MASTER'));
    assert.equal((await written(out)).trim(), '65534');
    await first.close();
    const other = place('id -u > "$0.out.new"; mv "$0.out.new" "$0.out"');
    const second = new Notifier(model(` notify_master "${other.script}" daemon`, global('script_user nobody')), () => { /* nothing to say */ });
    second.hear(entering('MASTER'));
    assert.equal((await written(other.out)).trim(), '1');
    await second.close();
  });

  it('one that hangs is ended after its time, and the next one runs', async () => {
    const { folder, script } = place('sleep 60');
    const said: string[] = [];
    const notifier = new Notifier(model(` notify "${script}"\n notify_backup "/usr/bin/touch ${join(folder, 'next')}"`, asRoot), (_level, text) => { said.push(text); }, 200);
    notifier.hear(entering('MASTER'));
    notifier.hear(entering('BACKUP'));
    await written(join(folder, 'next'));
    await notifier.close();
    assert.deepEqual(said.map((text) => text.replace(script, 'SCRIPT')), ['script SCRIPT did not end within 0.2 s and was ended', 'script SCRIPT did not end within 0.2 s and was ended']);
  });

  if (isRoot) it('with enable_script_security one that others could change is not run as root', async () => {
    const { script, out } = place();
    const said: string[] = [];
    const notifier = new Notifier(model(` notify "${script}"`, global('script_user root\n enable_script_security')), (_level, text) => { said.push(text); });
    notifier.hear(entering('MASTER'));
    await notifier.close();
    assert.match(said.join('\n'), /is not run: enable_script_security is set, and .* can be changed by others than root/);
    assert.equal(existsSync(out), false);
  });

  it('one that is missing is told and holds nothing up', async () => {
    const { folder } = place();
    const said: string[] = [];
    const notifier = new Notifier(model(` notify_master "/nowhere/script"\n notify_backup "/usr/bin/touch ${join(folder, 'next')}"`, asRoot), (_level, text) => { said.push(text); });
    notifier.hear(entering('MASTER'));
    notifier.hear(entering('BACKUP'));
    await written(join(folder, 'next'));
    await notifier.close();
    assert.match(said.join('\n'), /script \/nowhere\/script cannot be run/);
  });
});

describe('tracked scripts', () => {
  const runners: ScriptRunner[] = [];
  after(() => { for (const runner of runners) runner.stop(); });
  const tracked = (script: string, words: string): KeepalivedModel => model(' track_script { chk }', `${asRoot}\nvrrp_script chk {\n script "${script}"\n ${words}\n}`);
  const run = (made: KeepalivedModel): { results: [boolean, string][]; runner: ScriptRunner } => {
    const results: [boolean, string][] = [];
    const runner = new ScriptRunner(made.scripts, { result: (_script, ok, why) => { results.push([ok, why]); } });
    runners.push(runner);
    return { results, runner };
  };

  it('count rise and fall, and the first result at once', async () => {
    const { script, folder } = place(`echo x >> "$0.runs"; test ! -e "$0.ill"`);
    const { results, runner } = run(tracked(script, 'interval 0.05\n timeout 5\n fall 3\n rise 2'));
    await eventually('the first result', () => results.length === 1);
    const runs = (): number => readFileSync(`${script}.runs`, 'utf8').length / 2;
    const before = runs();
    writeFileSync(join(folder, 'tell.ill'), '');
    await eventually('the second result', () => results.length === 2);
    assert(runs() - before >= 3, 'three failures in a row were needed');
    runner.stop();
    assert.deepEqual(results.map(([ok]) => ok), [true, false]);
    assert.equal(results[1]?.[1], 'exited with 1');
  });

  it('one that hangs fails after its timeout, is ended, and runs again', async () => {
    const { script } = place('echo $$ >> "$0.pids"; exec sleep 60');
    const { results, runner } = run(tracked(script, 'interval 0.1\n timeout 0.3'));
    await eventually('the result', () => results.length === 1);
    assert.deepEqual(results, [[false, 'did not end within 0.3 s']]);
    const pids = await eventually('two runs', () => {
      const found = readFileSync(`${script}.pids`, 'utf8').trim().split('\n').map(Number);
      return found.length > 1 ? found : undefined;
    });
    assert.throws(() => process.kill(pids[0] ?? 0, 0), 'the first one has ended');
    runner.stop();
  });

  it('one that cannot be run fails', async () => {
    const { results, runner } = run(tracked('/nowhere/check', 'interval 0.1'));
    await eventually('the result', () => results.length === 1);
    runner.stop();
    assert.match(results[0]?.[1] ?? '', /cannot be run/);
  });
});
