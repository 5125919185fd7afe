/** The runtime commands: answers, levels, what they change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandSession, Level } from '../../../src/admin/command.ts';
import { splitLine } from '../../../src/admin/command.ts';
import { commands, runLine } from '../../../src/admin/commands.ts';
import type { PatternSet } from '../../../src/model/expression.ts';
import { S } from '../../../src/model/server-state.ts';
import { makeFixture, makeModel } from '../report/fixture.ts';
import type { Fixture } from '../report/fixture.ts';

function session(level: Level = 'admin'): CommandSession {
  return { level, peer: 'uid 0 pid 1', interrupted: () => false, interactive: false, closing: false, idleTimeoutMs: 1000, experimental: false, expert: false };
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

function run(fixture: Fixture, line: string, payload: string | null = null, level: Level = 'admin'): Promise<string> {
  return whole(runLine(fixture.context, session(level), line, payload));
}

const place = { file: 'lb.cfg', line: 12 };
const map: PatternSet = { id: 3, kind: 'map', file: '/etc/hosts.map', method: 'str', ignoreCase: false, place, entries: [{ key: 'a.example', value: 'app' }] };
const words: PatternSet = { id: 0, kind: 'acl', file: '', method: 'beg', ignoreCase: true, place, entries: [{ key: '/owa', value: '' }] };

test('lines are split at blanks and semicolons, a backslash protects', async () => {
  assert.deepEqual(splitLine(' show info;show  stat\\ x\t1;'), [['show', 'info'], ['show', 'stat x', '1'], []]);
  assert.deepEqual(splitLine('a\\;b c\\\\'), [['a;b', 'c\\']]);
});

test('answers are HAProxy\'s, each ended by an empty line', async () => {
  const fixture = makeFixture();
  const expected: readonly (readonly [string, string])[] = [
    ['set server', "Require 'backend/server'.\n\n"],
    ['set server app', "Require 'backend/server'.\n\n"],
    ['set server nope/s1 state ready', 'No such backend.\n\n'],
    ['set server app/nope state ready', 'No such server.\n\n'],
    ['set server app/s1 state', "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n"],
    ['set server app/s1 health', "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n\n"],
    ['set server app/s1 weight', 'Require <weight> or <weight%>.\n\n'],
    ['set server app/s1 addr', 'set server <b>/<s> addr requires an address and optionally a port.\n\n'],
    ['set server app/s1 addr x', "Invalid addr 'x' by 'stats socket command'\n\n"],
    ['set server app/s1 agent up', 'agent checks are not enabled on this server.\n\n'],
    ['get weight app/s1', '10 (initial 10)\n\n'],
    ['enable agent app/s1', 'Agent was not configured on this server, cannot enable.\n\n'],
    ['set maxconn server app/s1', 'Require <maxconn>.\n\n'],
    ['set maxconn frontend', 'A frontend name is expected.\n\n'],
    ['set maxconn frontend fe', 'Integer value expected.\n\n'],
    ['set maxconn frontend app 5', 'No such frontend.\n\n'],
    ['set maxconn global 100000', 'Value out of range.\n\n'],
    ['set timeout cli x', 'Invalid timeout value.\n\n'],
    ['set timeout', "'set timeout' only supports 'cli'.\n\n"],
    ['show servers state nope', "Can't find backend.\n\n"],
    ['show errors nope', 'No such proxy.\n\n'],
    ['show table nope', 'No such table\n\n'],
    ['show cli level', 'admin\n\n'],
    ['show env HOME', 'HOME=/root\n\n'],
    ['show startup-logs', '[NOTICE] started\n\n'],
    ['experimental-mode', 'experimental-mode is OFF\n\n'],
    ['set rate-limit connections global', 'Expects an integer value.\n\n'],
    ['get acl #0', 'Missing ACL identifier and/or key.\n\n'],
    ['show map nope', 'Unknown map identifier. Please use #<id> or <file>.\n\n'],
    ['shutdown sessions server app/s9', 'No such server.\n\n'],
  ];
  for (const [line, answer] of expected) assert.equal(await run(fixture, line), answer, line);
});

test('changes of servers go through the door', async () => {
  const fixture = makeFixture();
  const lines = ['set server app/s1 state drain', 'disable server app/s2', 'enable server #4/s2', 'set weight app/s1 50%', 'set server app/s1 weight 7', 'set server app/s1 health down',
    'disable health app/s1', 'set server app/s1 addr 10.1.1.1 port 81', 'set server app/s1 addr 10.1.1.2', 'set maxconn server app/s1 20'];
  for (const line of lines) assert.equal(await run(fixture, line), '\n', line);
  assert.deepEqual(fixture.states.calls, ['admin 0 drain', 'admin 1 maint', 'admin 1 ready', 'weight 0 50%', 'weight 0 7', 'health 0 down', 'checks 0 false', 'address 0 10.1.1.1 81',
    'address 0 10.1.1.2 null', 'maxconn 0 20']);
});

test('what the door refuses is answered', async () => {
  const fixture = makeFixture();
  fixture.states.answer = 'Absolute weight can only be between 0 and 256 inclusive.';
  assert.equal(await run(fixture, 'set weight app/s1 300'), 'Absolute weight can only be between 0 and 256 inclusive.\n\n');
});

test('several commands in one line answer one after the other', async () => {
  const fixture = makeFixture();
  const answer = await run(fixture, 'get weight app/s1; enable agent app/s1; show cli level');
  assert.equal(answer, '10 (initial 10)\n\nAgent was not configured on this server, cannot enable.\n\nadmin\n\n');
});

test('levels: a lower one may not change anything, and can only be lowered', async () => {
  const fixture = makeFixture();
  assert.equal(await run(fixture, 'set server app/s1 state maint', null, 'operator'), 'Permission denied\n\n');
  assert.equal(await run(fixture, 'show errors', null, 'user'), 'Permission denied\n\n');
  assert.equal(await run(fixture, 'show env', null, 'user'), 'Permission denied\n\n');
  assert.equal(await run(fixture, 'add map /x a b', null, 'user'), 'Permission denied\n\n');
  assert.equal(await run(fixture, 'user;operator;show cli level;clear counters all'), '\nPermission denied\n\nuser\n\nPermission denied\n\n');
  assert.deepEqual(fixture.states.calls, []);
  assert.deepEqual(fixture.sent, []);
});

test('three words of show stat are a proxy, kinds and a server', async () => {
  const fixture = makeFixture();
  assert.equal(await run(fixture, 'show stat a b c'), 'No such proxy.\n\n');
  assert.equal(await run(fixture, 'show stat typed json up'), 'No such proxy.\n\n');
  assert.equal((await run(fixture, 'show stat 3 x y')).trimEnd().split('\n').length, 1, 'the header only');
});

test('a user sees no addresses in show stat', async () => {
  const fixture = makeFixture();
  assert.ok(!(await run(fixture, 'show stat', null, 'user')).includes('10.0.0.1:80'));
  assert.ok((await run(fixture, 'show stat', null, 'operator')).includes('10.0.0.1:80'));
});

test('unknown commands are answered with the nearest ones', async () => {
  const fixture = makeFixture();
  const near = await run(fixture, 'show stats');
  assert.ok(near.startsWith('Unknown command, but maybe one of the following ones is a better match:\n  show '));
  assert.ok(near.includes('show stat ') && near.includes('\n  quit ') && !near.includes('set weight'));
  assert.ok((await run(fixture, 'xyzzy')).startsWith('Unknown command. Please enter one of the following commands only:\n'));
  assert.ok((await run(fixture, 'help')).startsWith('The following commands are valid at this level:\n'));
});

test('every command has its usage and help in the list', async () => {
  const help = await run(makeFixture(), 'help');
  for (const { usage, help: text } of commands) assert.ok(help.includes(`  ${usage.padEnd(40)}: ${text}\n`), usage);
});

test('frontends: disable, enable, shutdown', async () => {
  const fixture = makeFixture();
  const status = async (): Promise<string> => (await run(fixture, 'show stat 3 1 -1')).split('\n')[1]?.split(',')[17] ?? '';
  assert.equal(await run(fixture, 'disable frontend fe'), '\n');
  assert.equal(await status(), 'PAUSED');
  assert.equal(await run(fixture, 'disable frontend fe'), 'All sockets are already disabled.\n\n');
  assert.equal(await run(fixture, 'enable frontend fe'), '\n');
  assert.equal(await status(), 'OPEN');
  assert.equal(await run(fixture, 'shutdown frontend fe'), '\n');
  assert.equal(await status(), 'STOP');
  assert.equal(await run(fixture, 'enable frontend fe'), 'Frontend was previously shut down, cannot enable.\n\n');
  assert.equal(await run(fixture, 'shutdown frontend fe'), 'Frontend was already shut down.\n\n');
  assert.deepEqual(fixture.sent.map(message => message.type), ['set-frontend', 'set-frontend', 'shutdown-frontend']);
});

test('limits of the process', async () => {
  const fixture = makeFixture();
  assert.equal(await run(fixture, 'set maxconn global 100; set rate-limit sessions global 50; set maxconn frontend fe 10'), '\n\n\n');
  assert.deepEqual(fixture.sent, [
    { type: 'set-maxconn', proxy: -1, maxconn: 100 }, { type: 'set-rate-limit', which: 'sessions', perSecond: 50 }, { type: 'set-maxconn', proxy: 1, maxconn: 10 },
  ]);
  assert.match(await run(fixture, 'show info'), /\nMaxconn: 100\nHard_maxconn: 2000\n/);
});

test('maps: show, get, add, set, del, and one message per command line', async () => {
  const fixture = makeFixture(makeModel({ patterns: [words, map] }));
  assert.match(await run(fixture, 'show map'), /^# id \(file\) description\n0 \(\/etc\/hosts\.map\) pattern loaded from file '\/etc\/hosts\.map' used by map at file 'lb\.cfg' line 12\. curr_ver=0 next_ver=0 entry_cnt=1\n\n$/);
  assert.equal(await run(fixture, 'get map #0 a.example'), 'type=str, case=sensitive, found=yes, idx=tree, key="a.example", value="app", type="str"\n\n');
  assert.equal(await run(fixture, 'add map #0 b x; add map #0 c y;set map #0 b z;del map #0 a.example'), '\n\n\n\n');
  assert.deepEqual(fixture.sent, [{ type: 'patterns', id: 3, entries: [{ key: 'b', value: 'z' }, { key: 'c', value: 'y' }] }]);
  assert.equal(await run(fixture, 'set map #0 nope v'), 'entry not found.\n\n');
  assert.equal(await run(fixture, 'del map #0 nope'), 'Key not found.\n\n');
  const ref = /^(0x\w+) b z$/m.exec(await run(fixture, 'show map #0'))?.[1] ?? '';
  assert.equal(await run(fixture, `del map #0 #${ref}`), '\n');
  assert.equal(await run(fixture, 'add map #0', 'k1 v1\nk2 two words\n'), '\n');
  assert.match(await run(fixture, 'show map #0'), / k2 two words\n/);
  assert.equal(await run(fixture, 'add map #0', 'lonely\n'), "Missing value for key 'lonely'.\n\n");
});

test('maps: versions are prepared apart and committed at once', async () => {
  const fixture = makeFixture(makeModel({ patterns: [words, map] }));
  assert.equal(await run(fixture, 'prepare map #0'), 'New version created: 1\n\n');
  assert.equal(await run(fixture, 'add map @1 #0 new v'), '\n');
  assert.equal(fixture.sent.length, 0);
  assert.equal(await run(fixture, 'add map @9 #0 new v'), "Version number in the future, please use 'prepare map' before.\n\n");
  assert.equal(await run(fixture, 'commit map @1 #0'), '\n');
  assert.deepEqual(fixture.sent, [{ type: 'patterns', id: 3, entries: [{ key: 'new', value: 'v' }] }]);
  assert.equal(await run(fixture, 'commit map @1 #0'), 'Version number out of range.\n\n');
  assert.equal(await run(fixture, 'commit map #0'), 'Missing version number.\n\n');
});

test('ACLs: get tells the matching pattern, sets of one file change together', async () => {
  const file = { ...words, file: '/etc/paths.lst' };
  const fixture = makeFixture(makeModel({ patterns: [{ ...file, id: 0 }, { ...file, id: 1, method: 'end' }] }));
  assert.equal(await run(fixture, 'get acl /etc/paths.lst /OWA/x'),
    'type=beg, case=insensitive, match=yes, idx=list, pattern="/owa"\ntype=end, case=insensitive, match=no\n\n');
  assert.equal(await run(fixture, 'add acl /etc/paths.lst /ews'), '\n');
  assert.deepEqual(fixture.sent.map(message => (message.type === 'patterns' ? [message.id, message.entries.length] : [])), [[0, 2], [1, 2]]);
});

test('a change made by a rule reaches all threads', async () => {
  const fixture = makeFixture(makeModel({ patterns: [words, map] }));
  fixture.context.receive({ type: 'patterns-changed', id: 3, op: 'set', key: 'n', value: 'v' });
  assert.deepEqual(fixture.sent.at(-1), { type: 'patterns', id: 3, entries: [{ key: 'a.example', value: 'app' }, { key: 'n', value: 'v' }] });
});

test('show errors dumps what was captured, escaped', async () => {
  const fixture = makeFixture();
  fixture.context.receive({ type: 'captured-error', proxy: 1, side: 'request', server: -1, client: '192.0.2.7:4711', why: 'bad method', position: 2, bytes: Buffer.from('GE\u0001T / HTTP/1.1\r\n\r\n'), atMs: fixture.nowMs });
  const text = await run(fixture, 'show errors');
  assert.match(text, /^Total events captured on \[[^\]]+\] : 1\n \n\[[^\]]+\] frontend fe \(#3\): invalid request\n/);
  assert.match(text, / {2}00000 {2}GE\\x01T \/ HTTP\/1\.1\\r\\n\n {2}00017 {2}\\r\\n\n\n$/);
  assert.ok(!(await run(fixture, 'show errors fe response')).includes('invalid'));
});

test('show servers state lists what other tools read back', async () => {
  const text = await run(makeFixture(), 'show servers state app');
  assert.match(text, /^1\n# be_id be_name srv_id srv_name srv_addr srv_op_state /);
  assert.match(text, /\n4 app 1 s1 10\.0\.0\.1 2 0 10 10 6 15 3 4 6 0 0 0 - 80 - 0 0 - - 0\n/);
  const [, header = '', first = ''] = text.split('\n');
  assert.equal(header.split(' ').length - 1, first.split(' ').length);
});

test('show events repeats what happened', async () => {
  const fixture = makeFixture();
  fixture.events.emit({ kind: 'server-state', atMs: fixture.nowMs, proxy: 2, server: 0, level: 1, text: 'Server app/s1 is DOWN' });
  assert.match(await run(fixture, 'show events buf0'), /^<1>.* Server app\/s1 is DOWN\n\n$/);
  assert.equal(await run(fixture, 'show events nope'), 'No such event sink\n');
});

test('clear counters reaches the threads', async () => {
  const fixture = makeFixture();
  await run(fixture, 'clear counters;clear counters all');
  assert.deepEqual(fixture.sent, [{ type: 'clear-counters', all: false }, { type: 'clear-counters', all: true }]);
});

test('addresses of checks and TLS of a server go through the door', async () => {
  const fixture = makeFixture();
  const lines = [['set server app/s1 check-port 81', '\n'], ['set server app/s1 check-addr 10.1.1.1', '\n'], ['set server app/s1 check-addr 10.1.1.2 port 82', '\n'], ['set server app/s1 check-port 70000', 'provided port is invalid\n'],
    ['set server app/s1 check-addr x', "invalid addr 'x'\n"], ['set server app/s2 check-port 81', 'health checks are not enabled on this server\n']] as const;
  for (const [line, answer] of lines) assert.equal(await run(fixture, line), answer, line);
  assert.deepEqual(fixture.states.calls, ['check 0 null 81', 'check 0 10.1.1.1 null', 'check 0 10.1.1.2 82']);
  const server = fixture.model.servers[0] as { tls: unknown };
  server.tls = {};
  assert.equal(await run(fixture, 'set server app/s1 ssl off'), 'server ssl setting updated.\n\n');
  assert.equal(await run(fixture, 'set server app/s1 ssl x'), "'set server <srv> ssl' expects 'on' or 'off'.\n\n");
  assert.equal(fixture.states.calls.at(-1), 'tls 0 false');
});

test('what changes something is kept with who said it, what only looks is not', async () => {
  const fixture = makeFixture();
  await run(fixture, 'show stat;get weight app/s1;set timeout cli 5;prompt;disable server app/s1;set server nope/x state maint');
  await run(fixture, 'set weight app/s1 3', null, 'user');
  await run(fixture, 'set ssl cert x', 'secret key\n');
  assert.deepEqual((await run(fixture, 'show events buf0')).trimEnd().split('\n').map((line) => line.replace(/^.*?Command/, 'Command')), [
    'Command from uid 0 pid 1 (level admin): disable server app/s1', 'Command from uid 0 pid 1 (level admin): set server nope/x state maint', 'Command from uid 0 pid 1 (level admin): set ssl cert x <<(11 characters)',
  ]);
});

test('patterns that cannot match are refused, what stood before stays', async () => {
  const nets: PatternSet = { ...words, id: 0, file: '/etc/nets', method: 'ip' };
  const fixture = makeFixture(makeModel({ patterns: [nets] }));
  assert.equal(await run(fixture, 'add acl /etc/nets x'), "'x' is not a valid IPv4 or IPv6 address.\n\n");
  assert.equal(await run(fixture, 'add acl /etc/nets', '10.0.0.0/8\nnonsense\n10.1.0.0/16\n'), "'nonsense' is not a valid IPv4 or IPv6 address.\n\n");
  assert.match(await run(fixture, 'show acl /etc/nets'), /^0x\S+ \/owa\n0x\S+ 10\.0\.0\.0\/8\n\n$/);
});

test('wait ends with its time, with its condition, or when the client says something', async () => {
  const fixture = makeFixture();
  const clock = setInterval(() => { fixture.nowMs += 20; }, 5);
  try {
    assert.equal(await run(fixture, 'wait 30ms'), '\n');
    assert.equal(await run(fixture, 'wait 60ms srv-removable app/s1'), 'Wait delay expired.\n\n');
    assert.equal(await run(fixture, 'wait 5s srv-removable app/nope'), 'No such server.\n\n');
    const state = fixture.segments.serverState(0);
    state[S.admin] = 1;
    assert.equal(await run(fixture, 'wait 10m srv-removable app/s1'), 'Done.\n\n');
    assert.match(await run(fixture, 'wait soon'), /^Usage: wait /);
    assert.equal(await whole(runLine(fixture.context, { ...session(), interrupted: () => true }, 'wait 10m', null)), '\n');
  } finally {
    clearInterval(clock);
  }
});
