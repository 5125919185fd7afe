/** The words about listening sockets that are passed on, as HAProxy writes and reads them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenerWordBytesMax, readListenerWords, writeListenerWord } from '../../../src/wire/listener-list.ts';

/** Three sockets, the second bound with `interface lo`: bytes that haproxy 2.6.12 sent. */
const fromHaproxy = Buffer.from('00000000000000026c6f00000000000000000000', 'hex');

test('what HAProxy sends is read', () => {
  assert.deepEqual(readListenerWords(fromHaproxy, 3), [
    { namespace: '', interface: '' }, { namespace: '', interface: 'lo' }, { namespace: '', interface: '' },
  ]);
});

test('what is written is what HAProxy sends', () => {
  const bytes = Buffer.alloc(3 * listenerWordBytesMax);
  let length = 0;
  for (const name of ['', 'lo', '']) length = writeListenerWord(bytes, length, { namespace: '', interface: name });
  assert.equal(bytes.subarray(0, length).toString('hex'), fromHaproxy.toString('hex'));
});

test('the longest names fit', () => {
  const bytes = Buffer.alloc(listenerWordBytesMax);
  const word = { namespace: 'n'.repeat(255), interface: 'i'.repeat(255) };
  assert.equal(writeListenerWord(bytes, 0, word), listenerWordBytesMax);
  assert.deepEqual(readListenerWords(bytes, 1), [word]);
});

test('bytes that are cut anywhere, or too many, are refused', () => {
  for (let length = 0; length < fromHaproxy.length; length += 1) assert.equal(readListenerWords(fromHaproxy.subarray(0, length), 3), null);
  assert.equal(readListenerWords(fromHaproxy, 2), null);
  assert.equal(readListenerWords(Buffer.concat([fromHaproxy, Buffer.alloc(1)]), 3), null);
});
