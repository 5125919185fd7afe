/** Log targets: who gets which line, with what in front of it. Real UDP and unix sockets, so that the bytes are the ones a daemon gets. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { LogWriter } from '../../../src/control/log-writer.ts';
import type { LogTarget, Model } from '../../../src/model/model.ts';
import { LogRing } from '../../../src/shared/log-ring.ts';

interface Receiver { readonly target: LogTarget['address']; readonly messages: string[]; wait(count: number): Promise<string[]>; close(): void }

function receiver(family: 4 | 6): Promise<Receiver> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  const messages: string[] = [];
  let wake: (() => void) | null = null;
  socket.on('message', (bytes) => {
    messages.push(bytes.toString('latin1'));
    wake?.();
  });
  const wait = async (count: number): Promise<string[]> => {
    while (messages.length < count) await new Promise<void>((resolve) => { wake = resolve; });
    return messages;
  };
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, family === 6 ? '::1' : '127.0.0.1', () => {
      const { address, port } = socket.address();
      resolve({ target: { kind: 'inet', family, host: address, port, portLast: port }, messages, wait, close: () => socket.close() });
    });
  });
}

function target(address: LogTarget['address'], more: Partial<LogTarget> = {}): LogTarget {
  return { address, lengthBytesMax: 1024, format: 'short', facility: 18, levelMax: 7, levelMin: 0, sample: null, ...more };
}

function model(global: readonly LogTarget[], proxies: readonly { targets: readonly LogTarget[]; tag?: string }[], more: object = {}): Model {
  return {
    global: { logTargets: global, logTag: '', logSendHostname: '', ...more },
    proxies: proxies.map(({ targets, tag }) => ({ logTargets: targets, logTag: tag ?? '' })),
  } as unknown as Model;
}

async function writer(from: Model): Promise<{ writer: LogWriter; lost: () => number; warnings: string[] }> {
  let lost = 0;
  const warnings: string[] = [];
  const made = new LogWriter({ pid: 77, hostname: 'vm', nowMs: () => 1_700_000_000_000, dropped: (lines) => { lost += lines; }, warn: (text) => warnings.push(text) });
  await made.open(from, from.proxies.map((_, index) => index));
  return { writer: made, lost: () => lost, warnings };
}

test('a proxy writes to its own targets, everything else to the global ones', async () => {
  const udp = await receiver(4);
  const { writer: logs } = await writer(model([target(udp.target)], [{ targets: [target(udp.target, { format: 'priority' })] }, { targets: [] }]));
  logs.write(-1, 5, 'global');
  logs.write(0, 6, 'one\ntwo');
  logs.write(1, 6, 'nobody');
  logs.write(9, 6, 'no such proxy');
  assert.deepEqual(await udp.wait(3), ['<5>global\n', '<150>one\n', '<150>two\n']);
  await logs.close();
  udp.close();
});

test('levels: less severe lines are left out, too severe ones are lowered', async () => {
  const udp = await receiver(4);
  const { writer: logs } = await writer(model([target(udp.target, { levelMax: 5, levelMin: 3 })], []));
  logs.write(-1, 6, 'info');
  logs.write(-1, 5, 'notice');
  logs.write(-1, 0, 'emerg');
  assert.deepEqual(await udp.wait(2), ['<5>notice\n', '<3>emerg\n']);
  await logs.close();
  udp.close();
});

test('sampling takes the numbered lines of each round, and each proxy counts for itself', async () => {
  const udp = await receiver(4);
  const sampled = target(udp.target, { format: 'raw', sample: { ranges: [[1, 1], [3, 3]], size: 3 } });
  const { writer: logs } = await writer(model([], [{ targets: [sampled] }, { targets: [sampled] }]));
  logs.write(0, 6, 'a1\na2\na3\na4\na5');
  logs.write(1, 6, 'b1');
  logs.write(0, 6, 'a6');
  assert.deepEqual(await udp.wait(5), ['a1\n', 'a3\n', 'a4\n', 'b1\n', 'a6\n']);
  await logs.close();
  udp.close();
});

test('tag, host and structured data', async () => {
  const udp = await receiver(4);
  const { writer: logs } = await writer(model([], [{ targets: [target(udp.target, { format: 'rfc5424' })], tag: 'mine' }, { targets: [target(udp.target, { format: 'rfc5424' })] }], { logSendHostname: null }));
  const ring = new LogRing(LogRing.allocate());
  ring.put(0, 6, 'one', '[a@1]');
  ring.put(0, 6, 'two', '');
  ring.put(1, 6, 'three', '');
  logs.take(ring);
  const lines = (await udp.wait(3)).map((line) => line.replace(/^<150>1 \S+ /, ''));
  assert.deepEqual(lines, ['vm mine 77 - [a@1] one\n', 'vm mine 77 - - two\n', 'vm haproxy 77 - - three\n']);
  await logs.close();
  udp.close();
});

test('a target without format sends the host name only when there is one', async () => {
  const udp = await receiver(4);
  const plain = [target(udp.target, { format: 'unset' })];
  for (const logSendHostname of ['', 'foo']) {
    const { writer: logs } = await writer(model(plain, [], { logSendHostname }));
    logs.write(-1, 6, 'x');
    await logs.close();
  }
  assert.deepEqual((await udp.wait(2)).map((line) => line.replace(/^<150>\w{3} [\d ]\d [\d:]{8} /, '')), ['haproxy[77]: x\n', 'foo haproxy[77]: x\n']);
  udp.close();
});

test('IPv6 targets', async (context) => {
  let udp: Receiver;
  try {
    udp = await receiver(6);
  } catch {
    context.diagnostic('this machine has no IPv6');
    return;
  }
  const { writer: logs } = await writer(model([target(udp.target)], []));
  logs.write(-1, 6, 'six');
  assert.deepEqual(await udp.wait(1), ['<6>six\n']);
  await logs.close();
  udp.close();
});

test('lines for a unix socket without receiver are dropped and counted; other targets still get them', async () => {
  const udp = await receiver(4);
  const nobody = target({ kind: 'unix', path: '/nonexistent/log', abstract: false });
  const { writer: logs, lost, warnings } = await writer(model([nobody, target(udp.target)], []));
  logs.write(-1, 6, 'one\ntwo');
  assert.deepEqual(await udp.wait(2), ['<6>one\n', '<6>two\n']);
  assert.equal(lost(), 2);
  assert.deepEqual(warnings, []);
  await logs.close();
  udp.close();
});

test('a target that cannot be opened is told once and harms nobody', async () => {
  const bad = target({ kind: 'unix', path: 'x'.repeat(200), abstract: false });
  const { writer: logs, warnings } = await writer(model([bad], []));
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /cannot open log target unix:x+: unix socket path/);
  logs.write(-1, 6, 'one');
  await logs.close();
});
