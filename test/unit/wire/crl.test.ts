/** Revocation lists: what stands in them, and rubbish in every place. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { revocationLists } from '../../../src/wire/crl.ts';
import { revocationList } from '../../harness/certificates.ts';

const pem = (der: Uint8Array): string => `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString('base64')}\n-----END X509 CRL-----\n`;
const derOf = (text: string): Buffer => Buffer.from(text.replace(/-----[^-]*-----/g, ''), 'base64');

test('version, algorithm, issuer, dates and what is revoked', () => {
  const text = readFileSync(revocationList('crl-unit', ['gone.example']), 'latin1');
  const [list, ...more] = revocationLists(`${text}${text}`) ?? [];
  assert.equal(more.length, 1);
  assert.equal(list?.version, 2);
  assert.equal(list?.signatureAlgorithm, 'ecdsa-with-SHA256');
  assert.equal(list?.issuer, '/O=Poise tests/CN=crl-unit');
  assert.match(`${list?.lastUpdate}, ${list?.nextUpdate}`, /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d 20\d\d GMT, [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d 20\d\d GMT$/);
  assert.equal(list?.revoked.length, 1);
  assert.match(list?.revoked[0]?.serial ?? '', /^[0-9A-F]{38,40}$/);
  assert.deepEqual(revocationLists('nothing'), []);
});

test('a list that is cut off anywhere, or changed in any byte, is read or refused, never more', () => {
  const der = derOf(readFileSync(revocationList('crl-unit', ['gone.example']), 'latin1'));
  for (let length = 0; length < der.length; length += 1) assert.equal(revocationLists(pem(der.subarray(0, length))), null);
  for (let at = 0; at < der.length; at += 1) {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      const changed = Buffer.from(der);
      changed[at] = byte;
      assert.ok((revocationLists(pem(changed))?.length ?? 1) === 1);
    }
  }
});
