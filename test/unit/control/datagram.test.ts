/** Many datagrams by one call: order, bytes, sizes beyond a batch, receivers that are not there. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { DatagramSender } from '../../../src/control/datagram.ts';

/** Sends all of them; gives how many were lost. */
function sendAll(sender: DatagramSender, messages: readonly string[]): number {
  for (const message of messages) {
    const at = sender.room(message.length);
    if (at >= 0) sender.added(sender.bytes.write(message, at, 'latin1'));
  }
  return sender.flush();
}

async function received(messages: readonly string[]): Promise<{ lost: number; texts: string[] }> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
  const texts: string[] = [];
  socket.on('message', (bytes) => { texts.push(bytes.toString('latin1')); });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const sender = DatagramSender.toInet('127.0.0.1', socket.address().port);
  const lost = sendAll(sender, messages);
  for (let turn = 0; turn < 200 && texts.length < messages.length - lost; turn += 1) await new Promise((resolve) => { setTimeout(resolve, 5); });
  sender.close();
  socket.close();
  return { lost, texts };
}

test('every message arrives as it was, in order, however many and however long', async () => {
  const few = ['a', 'caf\u00e9 \u00ff', ''];
  assert.deepEqual(await received(few), { lost: 0, texts: few });
  const many = Array.from({ length: 150 }, (_, n) => `line ${n} ${'x'.repeat(n)}`);
  assert.deepEqual(await received(many), { lost: 0, texts: many });
  const long = [`1${'a'.repeat(40_000)}`, `2${'b'.repeat(40_000)}`, '3', `4${'c'.repeat(65_000)}`];
  assert.deepEqual(await received(long), { lost: 0, texts: long });
});

test('a message that no datagram can hold is lost alone', async () => {
  const messages = ['before', 'x'.repeat(65_520), 'y'.repeat(70_000), 'after'];
  assert.deepEqual(await received(messages), { lost: 2, texts: ['before', 'after'] });
});

test('without a receiver everything is lost, and told', () => {
  const sender = DatagramSender.toUnix('/nonexistent/log', false);
  assert.equal(sendAll(sender, Array.from({ length: 100 }, () => 'x')), 100);
  sender.close();
  assert.equal(sendAll(sender, ['x']), 1);
});
