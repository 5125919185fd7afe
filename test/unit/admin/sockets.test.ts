/** Runtime sockets and the internal HTTP server over real sockets. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runLine } from '../../../src/admin/commands.ts';
import { InternalServer } from '../../../src/admin/internal-server.ts';
import { RuntimeSockets } from '../../../src/admin/socket.ts';
import { ReceivedListeners } from '../../../src/control/take-over/received.ts';
import type { Global } from '../../../src/model/model.ts';
import { makeFixture, makeModel } from '../report/fixture.ts';
import type { Fixture } from '../report/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'admin-'));
const path = join(folder, 'admin.sock');
const internalPath = join(folder, 'internal');
const model = makeModel();
const statsSockets: Global['statsSockets'] = [
  { address: { kind: 'unix', path, abstract: false }, level: 'admin', mode: 0o600, uid: -1, gid: -1, exposeFdListeners: false, place: { file: 'lb.cfg', line: 3 } },
];
Object.assign(model.global, { statsSockets, statsTimeoutMs: 400, statsMaxconn: 2 });
const fixture = makeFixture(model);
/** As admin.ts makes them. */
function socketsOf({ context }: Fixture): RuntimeSockets {
  return new RuntimeSockets(() => context.model.global, (handOut) => ({ run: (session, line, payload) => runLine(context, session, line, payload), stays: false, handOut }));
}
const sockets = socketsOf(fixture);
const internal = new InternalServer(fixture.context, 'secret');

before(async () => {
  assert.equal(await sockets.listen(new ReceivedListeners(), () => {}), '');
  assert.equal(await internal.listen(internalPath), '');
});
after(() => {
  sockets.close();
  internal.close();
  assert.ok(!existsSync(path));
  rmSync(folder, { recursive: true, force: true });
});

/** Collects what comes until the other side closes. */
function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

function talk(text: string, half = false): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  const answer = readAll(socket);
  socket.on('end', () => socket.end());
  if (half) socket.end(text);
  else socket.write(text);
  return answer;
}

test('the socket has the mode of the configuration', () => {
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('one line is answered and the connection closed', async () => {
  assert.equal(await talk('get weight app/s1\n'), '10 (initial 10)\n\n');
});

test('a client that half-closes before it reads gets its answer', async () => {
  assert.equal(await talk('get weight app/s1\n', true), '10 (initial 10)\n\n');
});

test('joined commands and CRLF make two blocks', async () => {
  const blocks = (await talk('show info;show stat\r\n', true)).trimEnd().split('\n\n');
  assert.equal(blocks.length, 2);
  assert.ok(blocks[0]?.startsWith('Name: HAProxy') && blocks[1]?.startsWith('# pxname'));
});

test('an incomplete line is never run', async () => {
  assert.equal(await talk('disable server app/s1', true), '');
  assert.deepEqual(fixture.states.calls, []);
});

test('interactive use: prompt, several lines, payload, quit', async () => {
  const answer = await talk('prompt\nget weight app/s1\n\nset timeout cli 5\nadd acl #9 <<\nx\n\nquit\nget weight app/s1\n');
  assert.equal(answer, '\n> 10 (initial 10)\n\n> \n> \n> + + Unknown ACL identifier. Please use #<id> or <file>.\n\n> ');
});

test('a payload may have an ending of its own; what stands before its command is answered at once', async () => {
  assert.equal(await talk('show cli level;add map /nope <<END\na b\n\nc d\nEND\n', true), 'admin\n\nUnknown map identifier. Please use #<id> or <file>.\n\n');
  // Eight characters are no ending, nor is a word that stands apart.
  assert.ok((await talk('show cli level <<12345678\n', true)).startsWith('admin'));
});

test('lines may arrive in any pieces', async () => {
  const line = 'get weight app/s1\n';
  const socket = connect({ path });
  const answer = readAll(socket);
  for (const char of line) {
    socket.write(char);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  assert.equal(await answer, '10 (initial 10)\n\n');
});

test('an idle connection is closed', async () => {
  const started = Date.now();
  assert.equal(await talk(''), '');
  assert.ok(Date.now() - started >= 300);
});

test('a command without end is cut off at the limit', async () => {
  const socket = connect({ path });
  const answer = readAll(socket);
  socket.write('x'.repeat(1_200_000));
  assert.equal(await answer, '');
});

test('more connections than stats maxconn wait for their turn', async () => {
  const idle = [connect({ path }), connect({ path })];
  await Promise.all(idle.map(socket => new Promise((resolve) => { socket.once('connect', resolve); })));
  const waiting = talk('get weight app/s1\n');
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  for (const socket of idle) socket.destroy();
  assert.equal(await waiting, '10 (initial 10)\n\n');
});

test('a connection that ends while it waits takes no place', async () => {
  const held = [connect({ path }), connect({ path })];
  await Promise.all(held.map((socket) => new Promise((resolve) => { socket.on('connect', resolve); })));
  let heldClosed = 0;
  for (const socket of held) socket.on('close', () => { heldClosed += 1; });
  await Promise.all([talk('', true), talk('', true), talk('', true)]);
  assert.equal(heldClosed, 0, 'the waiting ones are gone before a place is free');
  const next = talk('get weight app/s1\n');
  for (const socket of held) socket.destroy();
  assert.equal(await next, '10 (initial 10)\n\n');
});

test('a path that is not a socket is left alone', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  const other = makeModel();
  Object.assign(other.global, { statsSockets: [{ ...statsSockets[0], address: { kind: 'unix', path: file, abstract: false } }] });
  const refused = await socketsOf(makeFixture(other)).listen(new ReceivedListeners(), () => {});
  assert.match(refused, /^\[lb\.cfg:3\] stats socket: /);
  assert.ok(existsSync(file));
});

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(target: string, headers: Record<string, string> = {}, body: string | null = null, method = body === null ? 'GET' : 'POST'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: internalPath, path: target, method, headers: { 'x-poise-key': 'secret', 'x-poise-proxy': '0', 'x-poise-admin': '1', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => { text += chunk; });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body ?? undefined);
  });
}

test('only those who know the key are served', async () => {
  assert.equal((await ask('/stats', { 'x-poise-key': 'wrong' })).status, 403);
  assert.equal((await ask('/stats', { 'x-poise-proxy': '1' })).status, 404);
});

test('the page, its exports and their content types', async () => {
  const page = await ask('/stats');
  assert.equal(page.headers['content-type'], 'text/html');
  assert.equal(page.headers['cache-control'], 'no-cache');
  for (const target of ['/stats;csv', '/stats;csv;norefresh', '/stats/;csv', '/stats?stats;csv']) {
    const { headers, body } = await ask(target);
    assert.equal(headers['content-type'], 'text/plain');
    assert.ok(body.startsWith('# pxname') && body.endsWith(',\n') && !body.endsWith('\n\n'), target);
  }
  assert.equal((await ask('/stats;json')).headers['content-type'], 'application/json');
  assert.ok((await ask('/stats;typed')).body.startsWith('F.2.0.0.pxname.1:KNSV:str:stats\n'));
  assert.ok(!(await ask('/stats;csv?scope=bt')).body.includes('\napp,'));
  assert.equal((await ask('/stats', {}, null, 'DELETE')).status, 405);
  const head = await ask('/stats', {}, null, 'HEAD');
  assert.equal(head.body, '');
  assert.ok(Number(head.headers['content-length']) > 1000);
});

test('stats refresh and stats scope', async () => {
  const page = model.proxies[0]?.stats ?? {};
  Object.assign(page, { refreshSeconds: 7, scopes: ['.', 'bt'] });
  assert.equal((await ask('/stats;csv')).headers['refresh'], '7');
  const { headers, body } = await ask('/stats;csv;norefresh');
  assert.equal(headers['refresh'], undefined);
  assert.deepEqual([...new Set(body.trimEnd().split('\n').slice(1).map(line => line.split(',')[0]))], ['stats', 'bt']);
  Object.assign(page, { refreshSeconds: 0, scopes: [] });
});

test('forms: the action is done, the browser sent back with the result', async () => {
  fixture.states.calls.length = 0;
  const post = async (body: string, target = '/stats', headers: Record<string, string> = {}): Promise<unknown> => {
    const { status, headers: answered } = await ask(target, headers, body);
    assert.equal(status, 303);
    return answered['location'];
  };
  assert.equal(await post('s=s1&s=s2&action=drain&b=%234'), '/stats;st=DONE');
  assert.equal(await post('s=s1&action=hdown&b=app', '/stats;up;norefresh?scope=a'), '/stats;st=DONE;up;norefresh?scope=a');
  assert.equal(await post('s=s1&s=zz&action=ready&b=app'), '/stats;st=PART');
  assert.equal(await post('s=zz&action=ready&b=app'), '/stats;st=ERRP');
  assert.equal(await post('s=s1&action=toString&b=app'), '/stats;st=ERRP');
  assert.equal(await post('action=ready&b=app'), '/stats;st=NONE');
  assert.equal(await post('s=s1&action=maint&b=app', '/stats', { 'x-poise-admin': '0' }), '/stats;st=DENY');
  assert.equal(await post('s=s1&action=maint&b=app', '/stats', { 'sec-fetch-site': 'cross-site' }), '/stats;st=DENY');
  assert.equal(await post(`s=s1&action=maint&b=app&x=${'y'.repeat(70_000)}`), '/stats;st=EXCD');
  assert.deepEqual(fixture.states.calls, ['admin 0 drain', 'admin 1 drain', 'health 0 down', 'admin 0 ready']);
});

test('the exporter', async () => {
  const metrics = await ask('/metrics?scope=server&metrics=haproxy_server_weight', { 'x-poise-service': 'prometheus' });
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4');
  assert.ok(metrics.body.includes('haproxy_server_weight{proxy="app",server="s1"} 10\n'));
  assert.equal((await ask('/metrics?scope=nothing', { 'x-poise-service': 'prometheus' })).status, 400);
});
