/** The results that the unit tests of health checks expect are HAProxy's: the same cases, run with HAProxy. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { backendsOf, caseName, cases, startServers } from '../unit/health/check-cases.ts';
import type { CheckServers } from '../unit/health/check-cases.ts';

function command(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.end(`${text}\n`));
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => { answer += chunk; });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

/** CSV columns of a server's row by the names in the head line; quoted fields may hold commas. */
function rows(csv: string): Record<string, string>[] {
  const split = (line: string): string[] => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
  const [head = '', ...rest] = csv.replace(/^# /, '').split('\n');
  const names = split(head);
  return rest.map((line) => Object.fromEntries(split(line).map((cell, index) => [names[index] ?? '', cell])));
}

describe('check results of HAProxy', () => {
  let haproxy: ChildProcess | undefined;
  let servers: CheckServers | undefined;
  let folder = '';
  let found = new Map<string, Record<string, string>>();
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'check-results-'));
    servers = await startServers();
    const socket = join(folder, 'socket');
    writeFileSync(join(folder, 'haproxy.cfg'), `global\n  stats socket ${socket}\n  max-spread-checks 100ms\ndefaults\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\nfrontend f\n  bind unix@${folder}/front\n${backendsOf(servers.ports)}`);
    haproxy = spawn('haproxy', ['-f', join(folder, 'haproxy.cfg'), '-db'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    haproxy.stderr?.on('data', (chunk: Buffer) => { errors += chunk.toString(); });
    for (let attempt = 0; attempt < 60; attempt += 1) {
      await sleep(100);
      assert(haproxy.exitCode === null, errors);
      const csv = await command(socket, 'show stat').catch(() => '');
      found = new Map(rows(csv).filter((row) => row['svname'] === 's').map((row) => [row['pxname'] ?? '', row]));
      if (found.size === cases.length && [...found.values()].every((row) => row['check_status'] !== '' && !(row['check_status'] ?? '').startsWith('* ') && row['check_status'] !== 'INI')) return;
    }
    assert.fail('HAProxy did not finish its checks');
  });
  after(() => {
    haproxy?.kill('SIGKILL');
    servers?.close();
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  for (const [index, one] of cases.entries()) {
    it(caseName(one), () => {
      const row = found.get(`b${index}`) ?? {};
      assert.equal(`${row['status']} ${row['check_status']} ${row['check_code']} [${row['last_chk']}]`, one[3] ?? one[2]);
    });
  }
});
