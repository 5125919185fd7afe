/** Chunked bodies: the end is found over every split, bytes pass as they came, doubtful framing is spelled anew or refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkedReader } from '../../../src/wire/http1/chunked.ts';

interface Outcome { sent: string; done: boolean; bad: boolean; rest: string; data: string }

function run(text: string, cuts: number[] = []): Outcome {
  const whole = Buffer.from(text, 'latin1');
  const reader = new ChunkedReader();
  reader.data = [];
  const sent: Uint8Array[] = [];
  let from = 0;
  let rest = '';
  for (const to of [...cuts, whole.length]) {
    const part = Buffer.from(whole.subarray(from, to));
    if (reader.done || reader.bad) rest += part.toString('latin1');
    else {
      const end = reader.read(part, 0, part.length);
      if (!reader.bad) {
        if (reader.pieces === null) sent.push(part.subarray(0, reader.rawEnd));
        else sent.push(...reader.pieces);
      }
      if (reader.done) rest += part.subarray(end).toString('latin1');
    }
    from = to;
  }
  return { sent: Buffer.concat(sent).toString('latin1'), done: reader.done, bad: reader.bad, rest: reader.bad ? '' : rest, data: Buffer.concat(reader.data ?? []).toString('latin1') };
}

const bodies = [
  '2\r\nab\r\n0\r\n\r\nGET /', 'A\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\n\r\n', '2;x=y\r\nab\r\n0;z\r\n\r\n', '2 \t\r\nab\r\n00\r\n\r\n', '2\nab\n0\n\nX',
  '1\r\na\r\n0\r\nT: 1\r\nU:  2\r\n\r\nX', '0000000000000000000002\r\nab\r\n0\r\n\r\n',
];

test('every split finds the same end, data and meaning', () => {
  for (const text of bodies) {
    const whole = run(text);
    assert.ok(whole.done, text);
    for (let cut = 1; cut < text.length; cut += 1) {
      const part = run(text, [cut]);
      assert.deepEqual([part.done, part.rest, part.data], [true, whole.rest, whole.data], `${JSON.stringify(text)} cut at ${cut}`);
      assert.equal(run(part.sent).data, whole.data, `${JSON.stringify(text)} cut at ${cut} sent ${JSON.stringify(part.sent)}`);
    }
    const each = run(text, Array.from({ length: text.length - 1 }, (_, index) => index + 1));
    assert.deepEqual([each.done, each.rest, each.data], [true, whole.rest, whole.data], `${JSON.stringify(text)} byte by byte`);
    assert.equal(run(each.sent).data, whole.data);
  }
});

test('plain framing passes as it came', () => {
  for (const text of ['2\r\nab\r\n0\r\n\r\n', 'A\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\n\r\n', '02\r\nab\r\n0\r\n\r\n']) assert.equal(run(text).sent, text);
});

test('framing that could be read two ways is spelled anew', () => {
  assert.equal(run('2;x=y\r\nab\r\n0;z\r\n\r\n').sent, '2\r\nab\r\n0\r\n\r\n');
  assert.equal(run('2\nab\n0\n\n').sent, '2\r\nab\r\n0\r\n\r\n');
  assert.equal(run('0000000000000000000002\r\nab\r\n0\r\n\r\n').sent, '2\r\nab\r\n0\r\n\r\n');
  assert.equal(run('1\r\na\r\n0\r\nT: 1\r\nU:  2\r\n w\r\n\r\n').sent, '1\r\na\r\n0\r\nT: 1\r\nU: 2   w\r\n\r\n');
});

test('bad framing is refused', () => {
  for (const text of [' 2\r\nab', '\r\nab', '0x2\r\nab', '-2\r\nab', 'FFFFFFFFFFFFFFFF\r\nab', '2\r\nabX0', '2x\r\nab', '2;a\rb\r\n', '2\r\nab\r\n0\r\nX T: 1\r\n\r\n', '2\r\nab\r\n0\r\nXT\r\n\r\n']) {
    assert.ok(run(text).bad, JSON.stringify(text));
  }
  assert.ok(run(`2;${'x'.repeat(5000)}\r\nab`).bad);
  assert.ok(run(`0\r\n${'A: b\r\n'.repeat(5000)}`).bad);
});

test('mutated bodies: any cuts agree on the end and the data, and what is sent on is strict', () => {
  let seed = 5;
  const random = (limit: number): number => {
    // mulberry32
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
  const strict = /^(?:[0-9a-f]{1,15}\r\n[^]*?\r\n)*0{1,15}\r\n(?:[^\r\n]+\r\n)*\r\n$/i;
  const pieces = ['\r', '\n', '\r\n', ' ', ';', '0', 'f', '\0', ':', 'T: v\r\n'];
  for (let round = 0; round < 5000; round += 1) {
    let text = bodies[random(bodies.length)]!;
    for (let edits = random(3); edits > 0; edits -= 1) {
      const at = random(text.length);
      text = text.slice(0, at) + (random(2) === 0 ? pieces[random(pieces.length)] : '') + text.slice(at + random(2));
    }
    const whole = run(text);
    const cuts = Array.from({ length: 1 + random(5) }, () => 1 + random(Math.max(text.length - 1, 1))).sort((a, b) => a - b).filter((cut, index, all) => cut < text.length && cut !== all[index - 1]);
    const parts = run(text, cuts);
    assert.deepEqual([parts.done, parts.bad], [whole.done, whole.bad], JSON.stringify([text, cuts]));
    if (!whole.done) continue;
    assert.deepEqual([parts.rest, parts.data], [whole.rest, whole.data], JSON.stringify([text, cuts]));
    for (const sent of [whole.sent, parts.sent]) {
      assert.match(sent, strict, JSON.stringify([text, cuts]));
      const again = run(sent);
      assert.deepEqual([again.done, again.rest, again.data, again.sent], [true, '', whole.data, sent], JSON.stringify([text, cuts]));
    }
  }
});
