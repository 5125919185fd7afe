/** jwt_verify: good tokens pass, changed ones do not, and an algorithm cannot be exchanged for another. */
import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { verifyToken } from '../../../src/rules/convert/jwt.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (alg: string): string => `${part({ alg, typ: 'JWT' })}.${part({ sub: 'u1', admin: true })}`;

test('a shared secret', () => {
  const text = unsigned('HS256');
  const token = `${text}.${createHmac('sha256', 'secret').update(text).digest('base64url')}`;
  assert.equal(verifyToken(token, 'HS256', 'secret'), 1);
  assert.equal(verifyToken(token, 'HS256', 'other'), 0);
  assert.equal(verifyToken(`${token}A`, 'HS256', 'secret'), 0);
  assert.equal(verifyToken(text, 'HS256', 'secret'), -3);
  assert.equal(verifyToken(`${token}.x`, 'HS256', 'secret'), -3);
  assert.equal(verifyToken(token, 'none', 'secret'), -2);
  assert.equal(verifyToken(token, 'XX256', 'secret'), -1);
});

test('public keys', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const text = unsigned('RS256');
  const token = `${text}.${createSign('sha256').update(text).sign(rsa.privateKey, 'base64url')}`;
  assert.equal(verifyToken(token, 'RS256', pem), 1);
  assert.equal(verifyToken(token, 'PS256', pem), 0);
  // The public key as if it were a shared secret: the old trick.
  const forged = unsigned('HS256');
  assert.equal(verifyToken(`${forged}.${createHmac('sha256', pem).update(forged).digest('base64url')}`, 'RS256', pem), 0);
  assert.equal(verifyToken(token, 'RS256', 'not a key'), -5);
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = sign('sha256', Buffer.from(text), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  assert.equal(verifyToken(`${text}.${signature}`, 'ES256', ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()), 1);
  assert.equal(verifyToken(`${text}.${signature}`, 'RS256', ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()), 0);
});
