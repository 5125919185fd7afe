/** The command line of the master's socket, with processes that only exist here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandSession, Level } from '../../../src/admin/command.ts';
import { masterRunner } from '../../../src/admin/master-commands.ts';
import type { MasterView } from '../../../src/admin/master-commands.ts';

function sessionOf(level: Level = 'admin'): CommandSession {
  return { level, peer: 'uid 0 pid 1', interrupted: () => false, interactive: false, closing: false, idleTimeoutMs: 0, experimental: false, expert: false };
}

/** A master with the worker 71 and the old worker 70, who repeat what they are asked. */
function viewOf(asked: string[] = []): MasterView & { hasFailed: boolean } {
  return {
    hasFailed: false,
    list: () => ({
      master: { pid: 7, reloads: 2, uptimeSeconds: 90_061 }, failedReloads: 1,
      workers: [{ pid: 71, reloads: 0, uptimeSeconds: 5 }], oldWorkers: [{ pid: 70, reloads: 1, uptimeSeconds: 3600 }],
    }),
    failed() { return this.hasFailed; },
    async* reload({ level }) { yield `Success=1 as ${level}\n`; },
    ask(pid, { level }, line, payload) {
      if (pid !== 71 && pid !== 70) return undefined;
      asked.push(`${pid} ${level} ${line}${payload === null ? '' : ` <<${payload}`}`);
      return (async function* answer() {
        yield `${pid}: `;
        yield `${line}\n\n`;
      })();
    },
  };
}

async function said(view: MasterView, session: CommandSession, line: string, payload: string | null = null): Promise<string> {
  return saidBy(masterRunner(view), session, line, payload);
}

async function saidBy(runner: ReturnType<typeof masterRunner>, session: CommandSession, line: string, payload: string | null = null): Promise<string> {
  let text = '';
  for await (const piece of runner.run(session, line, payload)) text += piece;
  return text;
}

test('show proc lists the processes in columns', async () => {
  assert.equal(await said(viewOf(), sessionOf(), 'show proc'), [
    '#<PID>          <type>          <reloads>       <uptime>        <version>      ',
    '7               master          2 [failed: 1]   1d01h01m01s     2.6.12-poise0.1.0', '# workers', '71              worker          0               0d00h00m05s     2.6.12-poise0.1.0',
    '# old workers', '70              worker          1               0d01h00m00s     2.6.12-poise0.1.0', '# programs', '', '',
  ].join('\n'));
});

test('a prefix sends one command, or all that follow', async () => {
  const asked: string[] = [];
  const view = viewOf(asked);
  assert.equal(await said(view, sessionOf(), '@1 show info; show version;@!70 get weight a/b'), '71: show info\n\n2.6.12-poise0.1.0\n\n70: get weight a/b\n\n');
  const runner = masterRunner(view);
  const session = sessionOf('operator');
  assert.equal(await saidBy(runner, session, '@1'), '');
  assert.equal(await saidBy(runner, session, 'add map #0', 'k v\n'), '71: add map #0\n\n');
  assert.equal(await saidBy(runner, session, '@;show cli level'), 'operator\n\n');
  assert.deepEqual(asked, ['71 admin show info', '70 admin get weight a/b', '71 operator add map #0 <<k v\n']);
});

test('backslashes and blanks reach the process as they were written', async () => {
  const asked: string[] = [];
  await said(viewOf(asked), sessionOf(), '@1 add map #0 a\\;b  c;@1 show\\ info');
  assert.deepEqual(asked, ['71 admin add map #0 a\\;b  c', '71 admin show\\ info']);
});

test('no such process ends the connection', async () => {
  for (const prefix of ['@2', '@!99', '@x', '@!', '@-1']) {
    const session = sessionOf();
    assert.equal(await said(viewOf(), session, `${prefix} show info; show proc`), `Can't find the target PID matching the prefix '${prefix}'\n`);
    assert.ok(session.closing);
  }
});

test('reload needs an operator, answers and ends the connection', async () => {
  assert.equal(await said(viewOf(), sessionOf('user'), 'reload'), 'Permission denied\n\n');
  const session = sessionOf('operator');
  assert.equal(await said(viewOf(), session, 'reload;show proc'), 'Success=1 as admin\n');
  assert.ok(session.closing);
});

test('the prompt tells who is spoken to, modes and a failed reload', async () => {
  const view = viewOf();
  const runner = masterRunner(view);
  const session = sessionOf();
  assert.equal(await saidBy(runner, session, 'prompt'), 'master> ');
  assert.equal(await saidBy(runner, session, 'expert-mode on'), 'master(e)> ');
  view.hasFailed = true;
  assert.equal(await saidBy(runner, session, ''), 'master[ReloadFailed](e)> ');
  assert.equal(await saidBy(runner, session, '@1'), '71(e)> ');
  assert.equal(await saidBy(runner, session, 'quit'), '71(e)> ');
  assert.ok(session.closing);
});

test('unknown words are answered with the master\'s own commands', async () => {
  const answer = await said(viewOf(), sessionOf(), 'show stat');
  assert.ok(answer.startsWith('Unknown command, but maybe one of the following ones is a better match:\n') && answer.includes('show proc') && !answer.includes('set server'));
});
