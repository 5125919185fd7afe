/** The same key goes to the same server as in HAProxy: many keys over every hash type, function and algorithm, against the real one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendBalancer } from '../../src/balance/balancer.ts';
import { S, op } from '../../src/model/server-state.ts';
import { bringUp, changed, headerCompiler, makeModel, makeSubject } from '../unit/balance/fixture.ts';
import type { BackendParts } from '../unit/balance/fixture.ts';

const front = '127.15.8.1';
const serverWeights = [10, 20, 5, 10, 7];
const servers = serverWeights.map((weight) => ({ weight }));
/** Number of the server that is down in half of the cases. */
const downServer = 2;

interface Case {
  readonly lines: string;
  readonly parts: BackendParts;
  readonly down: boolean;
}

const functions = ['sdbm', 'djb2', 'wt6', 'crc32'] as const;
const algorithms: [string, BackendParts['balance']][] = [
  ['balance uri', { algorithm: 'uri' }],
  ['balance uri len 9 depth 2', { algorithm: 'uri', uriLen: 9, uriDepth: 2 }],
  ['balance uri whole', { algorithm: 'uri', uriWhole: true }],
  ['balance uri path-only', { algorithm: 'uri', uriPathOnly: true }],
  ['balance url_param id', { algorithm: 'url_param', name: 'id' }],
  ['balance hdr(X-Key)', { algorithm: 'hdr', name: 'X-Key' }],
  ['balance hdr(Host) use_domain_only', { algorithm: 'hdr', name: 'Host', hdrUseDomainOnly: true }],
  ['balance source', { algorithm: 'source' }],
];

function cases(): Case[] {
  const made: Case[] = [];
  for (const method of ['map-based', 'consistent'] as const) {
    for (const name of functions) {
      for (const avalanche of [false, true]) {
        made.push({ lines: `balance uri\n    hash-type ${method} ${name}${avalanche ? ' avalanche' : ''}`, parts: { balance: { algorithm: 'uri' }, hashType: { method, function: name, avalanche } }, down: avalanche });
      }
    }
    for (const [line, balance] of algorithms) {
      made.push({ lines: `${line}\n    hash-type ${method}`, parts: { balance: balance ?? {}, hashType: { method, avalanche: method === 'consistent' } }, down: false });
    }
  }
  return made;
}

const all = cases();

function configuration(): string {
  const lines = ['global', '    nbthread 1', 'defaults', '    mode http', '    timeout connect 1s', '    timeout client 9s', '    timeout server 9s'];
  for (const [index] of servers.entries()) {
    lines.push(`frontend s${index}`, `    bind abns@poise-placement-${process.pid}-${index}`, `    http-request return status 200 hdr x-server ${index}`);
  }
  for (const [number, one] of all.entries()) {
    lines.push(`listen case${number}`, `    bind ${front}:${9000 + number} accept-proxy`, ...one.lines.split('\n').map((line) => `    ${line.trim()}`));
    for (const [index, { weight }] of servers.entries()) {
      lines.push(`    server s${index + 1} abns@poise-placement-${process.pid}-${index} weight ${weight}${one.down && index === downServer ? ' disabled' : ''}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Requests over one connection, one after the other; gives the number of the server that answered each. */
async function ask(port: number, source: string, requests: readonly string[]): Promise<number[]> {
  const socket: Socket = connect({ host: front, port });
  await once(socket, 'connect');
  socket.setNoDelay(true);
  socket.write(`PROXY TCP4 ${source} 10.0.0.1 1000 80\r\n`);
  let text = '';
  const answers: number[] = [];
  socket.setEncoding('latin1');
  const waiting: (() => void)[] = [];
  socket.on('data', (chunk: string) => {
    text += chunk;
    waiting.shift()?.();
  });
  for (const request of requests) {
    socket.write(`${request}\r\n\r\n`, 'latin1');
    while (!text.includes('\r\n\r\n')) await new Promise<void>((resolve) => { waiting.push(resolve); });
    const match = /x-server: (\d+)/i.exec(text);
    assert(match !== null, text);
    answers.push(Number(match[1]));
    text = '';
  }
  socket.destroy();
  return answers;
}

function requestsFor(): string[] {
  const requests: string[] = [];
  for (let key = 0; key < 60; key += 1) {
    requests.push(`GET /p${key * 7}/sub${key % 5}/x?a=${key}&id=user-${key}&b=2 HTTP/1.1\r\nHost: www.site${key}.example\r\nX-Key: ${'k'.repeat(key % 9)}${key}`);
  }
  requests.push('GET http://absolute.example/p7/x?id=5 HTTP/1.1\r\nHost: absolute.example\r\nX-Key: one, two', 'GET / HTTP/1.1\r\nHost: a.b.c.d.e\r\nX-Key: "a,b",c', 'GET /z?id=9 HTTP/1.1\r\nHost: nodots\r\nX-Key: \xe9\xff', 'GET /z?id=9 HTTP/1.1\r\nHost: .dot\r\nX-Key: 1', 'GET /z?id=9 HTTP/1.1\r\nHost: dot.\r\nX-Key: 1', 'GET /z?id=9 HTTP/1.1\r\nHost: one.two\r\nX-Key: 1',
    'GET /z?id=9 HTTP/1.1\r\nHost: 10.1.2.3:80\r\nX-Key: 1');
  return requests;
}

describe('placement', () => {
  let haproxy: ChildProcess | undefined;
  let folder = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'placement-'));
    writeFileSync(join(folder, 'haproxy.cfg'), configuration());
    haproxy = spawn('haproxy', ['-f', join(folder, 'haproxy.cfg'), '-db'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    haproxy.stderr?.on('data', (chunk: Buffer) => { errors += chunk.toString(); });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const socket = connect({ host: front, port: 9000 });
      const up = await Promise.race([once(socket, 'connect').then(() => true, () => false), sleep(200).then(() => false)]);
      socket.destroy();
      if (up) return;
      assert(haproxy.exitCode === null, errors);
      await sleep(50);
    }
    assert.fail(`HAProxy did not start: ${errors}`);
  });
  after(() => {
    haproxy?.kill('SIGKILL');
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  for (const [number, one] of all.entries()) {
    it(`${one.lines.replace(/\s*\n\s*/, ', ')}${one.down ? ', one server down' : ''}`, { timeout: 20_000 }, async () => {
      const model = makeModel([{ servers, ...one.parts }]);
      const segments = bringUp(model);
      const [proxy] = model.proxies;
      assert(proxy !== undefined);
      const balancer = new BackendBalancer(proxy, model, segments, headerCompiler);
      if (one.down) {
        segments.serverState(downServer)[S.op] = op.stopped;
        changed(segments, 0);
      }
      const requests = requestsFor();
      const bySource = one.parts.balance?.algorithm === 'source';
      const sources = bySource ? Array.from({ length: 40 }, (_, index) => `${10 + index}.${(index * 37) % 256}.${(index * 11) % 256}.${index}`) : ['10.9.8.7'];
      for (const source of sources) {
        const asked = bySource ? requests.slice(0, 1) : requests;
        const theirs = await ask(9000 + number, source, asked);
        const ours = asked.map((request) => balancer.pick(makeSubject({ request: `${request}\r\n\r\n`, source }), -1));
        for (const [index, request] of asked.entries()) assert.equal(ours[index], theirs[index], `${source} ${request}`);
      }
    });
  }
});
