/** HAProxy's command line: flags, values, what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommandLine, withoutPredecessors } from '../../../src/cli/command-line.ts';
import type { CommandLine } from '../../../src/cli/command-line.ts';

function read(text: string): CommandLine {
  const { line, fault } = readCommandLine(text.split(' '));
  assert.equal(fault, '');
  assert.ok(line !== null);
  return line;
}

function fault(text: string): string {
  return readCommandLine(text.split(' ')).fault;
}

test('the command line of Debian unit files', () => {
  const line = read('-Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid -S /run/haproxy-master.sock');
  assert.deepEqual([line.masterWorker, line.notify, line.daemon, line.files, line.pidfile, line.action], [true, true, false, ['/etc/haproxy/haproxy.cfg'], '/run/haproxy.pid', 'run']);
  assert.equal(line.masterSocket, '/run/haproxy-master.sock');
  assert.deepEqual(line.remarks, []);
});

test('check mode, several files, folders and what follows --', () => {
  const line = read('-c -q -f a.cfg -f conf.d -- b.cfg -x.cfg');
  assert.deepEqual([line.action, line.quiet, line.files], ['check', true, ['a.cfg', 'conf.d', 'b.cfg', '-x.cfg']]);
});

test('-c and -cc are different things', () => {
  assert.equal(read('-cc version_atleast(2.4)').action, 'condition');
  assert.equal(read('-cc version_atleast(2.4)').condition, 'version_atleast(2.4)');
});

test('foreground, daemon, limits', () => {
  const line = read('-db -D -n 2000 -L node1 -C /etc -dW -dD -V -f x');
  assert.deepEqual([line.foreground, line.daemon, line.maxconn, line.localPeer, line.directory, line.strict, line.diagnostics, line.verbose], [true, true, 2000, 'node1', '/etc', true, true, true]);
});

test('-sf and -st take the pids that follow', () => {
  const line = read('-f x -sf 12 13 -D');
  assert.equal(line.daemon, true);
  assert.deepEqual(line.predecessors, { pids: [12, 13], signal: 'SIGUSR1' });
  assert.deepEqual(read('-f x -st 7').predecessors, { pids: [7], signal: 'SIGTERM' });
  assert.deepEqual(read('-f x -sf').predecessors.pids, []);
});

test('-x names the socket of the process before', () => {
  assert.equal(read('-f x -x /run/haproxy.sock -sf 12').socketsFrom, '/run/haproxy.sock');
  assert.equal(read('-f x').socketsFrom, '');
  assert.equal(fault('-f x -x'), '-x wants a value');
});

test('a balancer that is started again by its master replaces nobody', () => {
  const again = (words: string): string => withoutPredecessors(words.split(' ')).join(' ');
  assert.equal(again('-W -f lb.cfg -x admin.sock -p lb.pid -sf 12 13 -q'), '-W -f lb.cfg -p lb.pid -q');
  assert.equal(again('-f lb.cfg -st 12'), '-f lb.cfg');
  assert.equal(again('-f -x -D'), '-f -x -D');
  assert.equal(again('--keepalived -sf -D -- -x -sf'), '--keepalived -sf -D -- -x -sf');
});

test('debugging switches are accepted with a remark each', () => {
  assert.equal(read('-f x -dM -dMbyte -de -dp -dS -dG -dR -dr -dV -dKall -m 100 -N 5').remarks.length, 12);
});

test('what is refused', () => {
  assert.equal(fault('-zz'), "'-zz' is not known");
  assert.equal(fault('--nonsense'), "'--nonsense' is not known");
  assert.equal(fault('lb.cfg'), "'lb.cfg' is not known");
  assert.equal(fault('-f'), '-f wants a value');
  assert.equal(fault('-n many -f x'), "-n wants a number of connections, not 'many'");
});
