/** The server's side of NTLM: published digests, an answer made by hand with and without a channel binding, and malformed messages. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { md4 } from '../../../src/exchange-sim/md4.ts';
import { answerIsRight, challengeMessage, channelBindingsOf, negotiateReply, ntlmStart, ntlmType, readAnswer } from '../../../src/exchange-sim/ntlm.ts';
import { typeThree } from '../../harness/ntlm-answer.ts';

test('MD4 gives the digests of RFC 1320', () => {
  assert.equal(md4(Buffer.from('')).toString('hex'), '31d6cfe0d16ae931b73c59d7e0c089c0');
  assert.equal(md4(Buffer.from('message digest')).toString('hex'), 'd9130a8164549fe818874806e1c7014b');
  assert.equal(md4(Buffer.from('1234567890'.repeat(8))).toString('hex'), 'e33b4ddc9c38f2199c3e7b164fcc0536');
});

test('the hash of MS-NLMP 4.2.4.1 comes out', () => {
  const hash = createHmac('md5', md4(Buffer.from('Password', 'utf16le'))).update(Buffer.from('USERDomain', 'utf16le')).digest('hex');
  assert.equal(hash, '0c868a403bfd7a93a3001ef22ef02e3f');
});

test('an answer is right for its password, challenge and user only', () => {
  const challenge = Buffer.from('0123456789abcdef', 'hex');
  const answer = readAnswer(typeThree('alice', 'LAB', 'secret', challenge, null));
  assert.ok(answer !== null);
  assert.deepEqual([answer.user, answer.domain, answer.channelBindings], ['alice', 'LAB', null]);
  assert.equal(answerIsRight(answer, challenge, 'secret'), true);
  assert.equal(answerIsRight(answer, challenge, 'Secret'), false);
  assert.equal(answerIsRight(answer, Buffer.alloc(8), 'secret'), false);
});

test('the channel binding is found', () => {
  const bindings = channelBindingsOf(Buffer.from('certificate'));
  const answer = readAnswer(typeThree('alice', 'LAB', 'secret', Buffer.alloc(8), bindings));
  assert.deepEqual(answer?.channelBindings, bindings);
  assert.notDeepEqual(channelBindingsOf(Buffer.from('other')), bindings);
});

test('an answer cut anywhere is refused and never throws', () => {
  const whole = typeThree('alice', 'LAB', 'secret', Buffer.alloc(8), null);
  for (let length = 0; length < whole.length; length += 1) assert.equal(readAnswer(whole.subarray(0, length)), null, `cut at ${length}`);
});

test('a challenge is found in what SPNEGO wraps it into', () => {
  const message = challengeMessage(Buffer.alloc(8, 7), 0, 'LAB-EX01', 'lab.local', 0);
  assert.equal(ntlmType(message), 2);
  const token = negotiateReply(message);
  assert.ok(token.subarray(ntlmStart(token)).equals(message));
  assert.equal(ntlmStart(Buffer.from('nothing')), -1);
});
