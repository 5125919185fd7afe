/** crypt(3) compared with openssl, and hashes of the published test vectors. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { crypt, cryptMatches, cryptScheme } from '../../../src/base/crypt.ts';
import { crc32c, xxh32, xxh64 } from '../../../src/base/xxhash.ts';

for (const [scheme, flag] of [['md5', '-1'], ['sha256', '-5'], ['sha512', '-6']] as const) {
  test(`${scheme} as openssl passwd ${flag}`, () => {
    for (const [password, salt] of [['secret', 'abcdefgh'], ['x', 'a'], ['a password that is longer than one block of any of these hashes, by far', 'Zz./0123'], ['b\u00e4r', 'saltsalt']] as const) {
      const hash = execFileSync('openssl', ['passwd', flag, '-salt', salt, password], { encoding: 'utf8' }).trim();
      assert.equal(cryptScheme(hash), scheme);
      assert.equal(crypt(Buffer.from(password), hash), hash);
      assert.ok(cryptMatches(Buffer.from(password), hash));
      assert.ok(!cryptMatches(Buffer.from(`${password}.`), hash));
    }
  });
}

test('rounds and unknown schemes', () => {
  const hash = crypt(Buffer.from('Hello world!'), '$5$rounds=10000$saltstringsaltstring') ?? '';
  assert.ok(hash.startsWith('$5$rounds=10000$saltstringsaltst$'), 'salts are cut at 16 characters');
  assert.ok(cryptMatches(Buffer.from('Hello world!'), hash));
  assert.ok((crypt(Buffer.from('x'), '$6$rounds=10$salt') ?? '').startsWith('$6$rounds=1000$salt$'), 'too few rounds become the least');
  assert.equal(crypt(Buffer.from('x'), 'ab1234567890.'), undefined);
  assert.equal(cryptScheme('$2y$10$abc'), '');
  assert.equal(cryptMatches(Buffer.from('x'), '$2y$10$abc'), false);
});

test('hashes of converters', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(xxh32(Buffer.from(''), 0), 0x02cc5d05);
  assert.equal(xxh32(Buffer.from('abc'), 0), 852579327);
  assert.equal(xxh64(Buffer.from(''), 0n), 0xef46db3751d8e999n);
  assert.equal(xxh64(Buffer.from('abc'), 0n), 4952883123889572249n);
});
