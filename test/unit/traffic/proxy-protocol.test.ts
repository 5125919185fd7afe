/** PROXY protocol headers at every split, and what is none. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeProxyV1, makeProxyV2, readProxyHeader, type ProxyExtras } from '../../../src/wire/proxy-protocol.ts';

const facts = { sourceAddress: '192.0.2.1', sourcePort: 1111, destinationAddress: '198.51.100.2', destinationPort: 443 };
const facts6 = { sourceAddress: '2001:db8::1', sourcePort: 1, destinationAddress: '2001:db8::2', destinationPort: 65535 };
const plain: ProxyExtras = { tls: null, alpn: '', authority: '', uniqueId: '', checksum: false };

/** Every shorter prefix must ask for more; the whole must give the header and leave what follows. */
function readsAtEverySplit(bytes: Buffer): ReturnType<typeof readProxyHeader> {
  for (let length = 0; length < bytes.length; length += 1) assert.equal(readProxyHeader(bytes.subarray(0, length)).kind, 'more', `after ${length} bytes`);
  const result = readProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')]));
  assert.equal(result.kind === 'header' ? result.length : -1, bytes.length);
  return result;
}

describe('PROXY protocol', () => {
  test('version 1, both families', () => {
    assert.equal(makeProxyV1(facts).toString(), 'PROXY TCP4 192.0.2.1 198.51.100.2 1111 443\r\n');
    for (const one of [facts, facts6]) {
      const result = readsAtEverySplit(makeProxyV1(one));
      assert.ok(result.kind === 'header' && result.header.proxied);
      assert.deepEqual({ ...result.header, authority: undefined, uniqueId: undefined, proxied: undefined }, { ...one, authority: undefined, uniqueId: undefined, proxied: undefined });
    }
  });

  test('version 1 UNKNOWN keeps the own addresses', () => {
    const result = readsAtEverySplit(Buffer.from('PROXY UNKNOWN ffff:f...f 1 2\r\n'));
    assert.ok(result.kind === 'header' && !result.header.proxied);
    assert.equal(makeProxyV1({ ...facts, sourceAddress: '' }).toString(), 'PROXY UNKNOWN\r\n');
  });

  test('version 2 with TLVs and checksum', () => {
    for (const one of [facts, facts6]) {
      const bytes = makeProxyV2(one, {
        tls: { version: 'TLSv1.3', certificatePresented: true, verifyResult: 0, commonName: 'me', cipher: 'X', signatureAlgorithm: '', keyAlgorithm: '' },
        alpn: 'http/1.1', authority: 'a.test', uniqueId: 'id-1', checksum: true,
      });
      const result = readsAtEverySplit(bytes);
      assert.ok(result.kind === 'header');
      assert.deepEqual(result.header, { proxied: true, ...one, authority: 'a.test', uniqueId: 'id-1' });
      const broken = Buffer.from(bytes);
      broken.writeUInt8(broken.readUInt8(17) ^ 1, 17);
      assert.equal(readProxyHeader(broken).kind, 'bad');
    }
  });

  test('version 2 LOCAL, and IPv4 beside IPv6', () => {
    const local = readsAtEverySplit(makeProxyV2(null, plain));
    assert.ok(local.kind === 'header' && !local.header.proxied);
    const mixed = readsAtEverySplit(makeProxyV2({ ...facts6, sourceAddress: '192.0.2.1' }, plain));
    assert.equal(mixed.kind === 'header' ? mixed.header.sourceAddress : '', '::ffff:192.0.2.1');
  });

  test('what is no header or a wrong one', () => {
    const cases: [string, string][] = [
      ['GET / HTTP/1.1\r\n', 'not-header'], ['PROXX', 'not-header'], ['\r\n\r\nx', 'not-header'],
      ['PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', 'bad'], ['PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n', 'bad'], ['PROXY TCP4 1.2.3.4 ::1 1 2\r\n', 'bad'],
      ['PROXY TCP4 1.2.3.400 1.2.3.4 1 2\r\n', 'bad'], ['PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n', 'bad'], ['PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n', 'protocol'],
      [`PROXY TCP4 ${'1'.repeat(120)}`, 'bad'],
    ];
    for (const [text, kind] of cases) assert.equal(readProxyHeader(Buffer.from(text, 'latin1')).kind, kind, text);
    const wrongVersion = makeProxyV2(facts, plain);
    wrongVersion.writeUInt8(0x11, 12);
    assert.equal(readProxyHeader(wrongVersion).kind, 'bad');
    const unixFamily = makeProxyV2(facts, plain);
    unixFamily.writeUInt8(0x31, 13);
    assert.equal(readProxyHeader(unixFamily).kind, 'protocol');
    const tlvTooLong = Buffer.concat([makeProxyV2(facts, plain), Buffer.from([2, 0, 9, 1])]);
    tlvTooLong.writeUInt16BE(16, 14);
    assert.equal(readProxyHeader(tlvTooLong).kind, 'bad');
  });
});
