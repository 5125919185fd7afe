/** Files with server states and counters: those of HAProxy, those of this program, and each read by the other. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ProgramName } from '../harness/program.ts';
import { Site } from '../harness/site.ts';

const configuration = `global
    nbthread 1
    stats socket {admin} mode 600 level admin
    server-state-base {dir}
    server-state-file states
    {stats}
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    load-server-state-from-file global
frontend fe
    bind {fe}
    default_backend be
backend be
    server s1 127.49.9.1:81 weight 10 check inter 60s
    server s2 127.49.9.2:82 weight 10
    server s3 127.49.9.3:83 weight 10 check inter 60s
    server s4 127.49.9.4:84 weight 10 disabled
    server s5 127.49.9.5:85 weight 10 check inter 60s
    server s6 127.49.9.6:86 weight 10 track s1
    server s7 127.49.9.7:87 weight 10 check inter 60s rise 3 fall 4
    server s8 127.49.9.8:88 weight 10 check inter 60s
    server s9 127.49.9.9:89 weight 10
`;
const changes = [
  'set server be/s1 state drain', 'set server be/s2 weight 5', 'set server be/s2 addr 127.49.9.22 port 822', 'set server be/s3 health down', 'set server be/s4 state ready',
  'disable health be/s5', 'set server be/s7 health stopping', 'set server be/s8 state maint', 'set server be/s2 health down',
];
const first = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";

/** A site whose files are there before it starts. */
async function started(program: ProgramName, files: Readonly<Record<string, string>>, text = configuration): Promise<Site> {
  return Site.start(program, { configuration: text, files, values: () => ({ stats: '' }) });
}

/** Some at a time: much of a start is waiting. */
async function inTurns<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await work(one);
  }));
}

/** Name, operating and administrative state, weights, port of each server of `show servers state`; then the words of `show stat`. */
async function states(site: Site): Promise<string[]> {
  const lines = (await site.command('show servers state')).split('\n').filter((line) => /^\d+ /.test(line));
  const found = lines.map((line) => {
    const word = line.split(' ');
    return [word[3], word[5], word[6], word[7], word[8], (Number(word[13]) & 4) !== 0 ? 'checked' : 'unchecked', word[18]].join(' ');
  });
  const status = (await site.command('show stat')).split('\n').filter((line) => line.startsWith('be,')).map((line) => line.split(',')).map((fields) => `${fields[1] ?? ''} ${(fields[17] ?? '').replace(/ \d+\/\d+/, '')}`);
  return [...found, ...status];
}

/** What a site shows of the states that `from` has written. */
async function carried(from: ProgramName, to: ProgramName): Promise<{ written: string; before: string[]; after: string[]; told: string }> {
  const one = await started(from, {});
  // Its own checks meet nobody there: what they say comes before what is set by hand.
  const deadline = Date.now() + 5000;
  while (!/^be,s8,.*L4CON/m.test(await one.command('show stat')) && Date.now() < deadline) await new Promise((resolve) => { setTimeout(resolve, 50); });
  for (const command of changes) await one.command(command);
  const written = await one.command('show servers state');
  const before = await states(one);
  await one.stop();
  const two = await started(to, { states: written });
  const after = await states(two);
  const told = two.process?.stderr ?? '';
  await two.stop();
  return { written, before, after, told };
}

describe('server states in a file', () => {
  it('of each program are what the other one begins with', async () => {
    const pairs = [['haproxy', 'haproxy'], ['poise', 'haproxy'], ['haproxy', 'poise'], ['poise', 'poise']] as const;
    const [reference, ...others] = await Promise.all(pairs.map(async ([from, to]) => ({ from, to, ...await carried(from, to) })));
    for (const { from, to, after, told } of others) {
      assert.deepEqual(after, reference?.after, `${from} → ${to}`);
      assert.doesNotMatch(told, /application failed|corrupted|Can't/, `${from} → ${to}`);
    }
  });

  it('that cannot be used are told as HAProxy tells it, and change nothing', async () => {
    const line = '3 be 2 s2 127.49.9.2 0 0 5 10 3 1 0 0 0 0 0 0 - 822 - 0 0 - - 0\n';
    const told = async (program: ProgramName, states: string | null, text = configuration): Promise<string[]> => {
      const site = await started(program, states === null ? {} : { states }, text);
      const found = site.anonymous(site.process?.stderr ?? '').split('\n').filter((one) => /state/.test(one)).map((one) => one.replace(/^.*config : /, '').replace(/^\[WARNING\]\s*\(\d+\) : /, ''));
      const stat = (await site.command('show stat')).split('\n').find((one) => one.startsWith('be,s2,'))?.split(',');
      await site.stop();
      return [...found.filter((one) => !one.startsWith('Server ')), stat?.[17] ?? '', stat?.[18] ?? ''];
    };
    const compared = async (bad: string | null): Promise<void> => {
      const [own, reference] = await Promise.all([told('poise', bad), told('haproxy', bad)]);
      assert.deepEqual(own, reference, JSON.stringify(bad));
    };
    await inTurns([null, '', '2\n', first.slice(2), `${first}${line}garbage\n`, `${first}${line.replace(' 0 0 5 10', ' 9 0 5 10')}`, `${first}${line.replace(' s2 ', ' zz ')}`, first + line], compared);
    // Truncated at every kind of place.
    await inTurns([1, 2, 50, first.length + 3, first.length + 30, first.length + line.length - 5], async (length) => {
      const site = await started('poise', { states: (first + line).slice(0, length) });
      assert.match((await site.command('show stat')).split('\n').find((one) => one.startsWith('be,s2,')) ?? '', /,(?:no check|DOWN),/);
      await site.stop();
    });
  });

  it('of one backend', async () => {
    const text = configuration.replace('load-server-state-from-file global', 'load-server-state-from-file local');
    const line = '3 be 2 s2 127.49.9.2 2 0 5 10 3 1 0 0 0 0 0 0 - 82 - 0 0 - - 0\n';
    for (const [name, more] of [['be', ''], ['be', '    server-state-file-name use-backend-name\n'], ['other', '    server-state-file-name other\n']] as const) {
      const weights: string[] = [];
      for (const program of ['haproxy', 'poise'] as const) {
        const site = await started(program, { [name]: first + line }, `${text}${more}`);
        weights.push((await site.command('get weight be/s2')).trim());
        await site.stop();
      }
      assert.deepEqual(weights, ['5 (initial 10)', '5 (initial 10)'], name);
    }
  });
});

describe('counters in a stats-file', () => {
  it('are what a process begins with, and what it has counted stands beside', async () => {
    const text = `${configuration.replace('frontend fe\n', 'frontend fe\n    guid the-frontend\n').replace('{stats}', 'stats-file {dir}/stats')}`;
    const site = await Site.prepare('poise', { configuration: text });
    writeFileSync(join(site.place.folder, 'stats'), '#fe guid,stot,bin,later,hrsp_2xx\nthe-frontend,7,1000,5,6\nnobody,1,2,3,4\n\n#be guid,stot\nsrv/be/s2,12\nsrv/be/s3,no number\n#what guid,stot\nthe-frontend,99\n');
    await site.startProgram();
    const [head = '', ...rows] = (await site.command('show stat')).split('\n');
    const column = (row: string, name: string): string => rows.find((one) => one.startsWith(row))?.split(',')[head.replace('# ', '').split(',').indexOf(name)] ?? '';
    assert.deepEqual(['stot', 'bin', 'hrsp_2xx', 'stot_since_restart'].map((name) => column('fe,FRONTEND', name)), ['7', '1000', '6', '0']);
    assert.deepEqual([column('be,s2', 'stot'), column('be,s3', 'stot')], ['12', '0']);
    assert.match(site.process?.stderr ?? '', /stats-file '.*stats': line 7 is left out, not every value is a number/);
    const dumped = await site.command('dump stats-file');
    assert.match(dumped, /^#fe guid,stot,.*\nthe-frontend,7,1000,/);
    assert.match(dumped, /\n#be guid,stot,.*\nbe\/be,0,(?:.*\n)+srv\/be\/s2,12,/);
    await site.stop();
    const next = await Site.prepare('poise', { configuration: text });
    writeFileSync(join(next.place.folder, 'stats'), dumped);
    await next.startProgram();
    assert.equal(await next.command('dump stats-file'), dumped);
    await next.stop();
  });
});
