/** Addresses and networks as values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp, ipEquals, isV4Mapped, networkContains, NetworkMap, parseIp, parseMask, parseNetwork, toIpv6 } from '../../../src/base/ip.ts';

test('addresses are read and printed', () => {
  for (const [text, printed] of [['1.2.3.4', '1.2.3.4'], ['255.255.255.255', '255.255.255.255'], ['::', '::'], ['::1', '::1'], ['2001:DB8::1', '2001:db8::1'], ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'], ['::ffff:1.2.3.4', '::ffff:1.2.3.4'], ['fe80::', 'fe80::'], ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'], ['64:ff9b::1.2.3.4', '64:ff9b::102:304']] as const) {
    const ip = parseIp(text);
    assert.ok(ip !== undefined, text);
    assert.equal(formatIp(ip), printed);
  }
  for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1..2.3', 'a.b.c.d', ':', ':::', '1:2', '1::2::3', '12345::', '1:2:3:4:5:6:7:8:9', '::1.2.3', '1.2.3.4:80', ' 1.2.3.4', '[::1]', '1:2:3:4:5:6:7::8:9']) {
    assert.equal(parseIp(text), undefined, text);
  }
});

test('networks', () => {
  const inside = (network: string, ip: string): boolean => networkContains(parseNetwork(network)!, parseIp(ip)!);
  assert.ok(inside('10.0.0.0/8', '10.255.1.1') && !inside('10.0.0.0/8', '11.0.0.0'));
  assert.ok(inside('10/8', '10.1.1.1') && inside('192.168/16', '192.168.3.4'));
  assert.ok(inside('10.1.2.3/255.255.0.0', '10.1.9.9') && inside('0.0.0.0/0', '8.8.8.8') && inside('10.1.1.1', '10.1.1.1'));
  assert.ok(inside('10.1.2.128/25', '10.1.2.200') && !inside('10.1.2.128/25', '10.1.2.100'));
  assert.ok(inside('2001:db8::/33', '2001:db8:7fff::') && !inside('2001:db8::/33', '2001:db8:8000::'));
  assert.ok(inside('10.0.0.0/8', '::ffff:10.1.1.1') && inside('::ffff:10.0.0.0/104', '10.1.1.1') && !inside('10.0.0.0/8', '2001::'));
  for (const text of ['10.0.0.0/33', '10.0.0.0/x', '2001::/129', '10.0.0.0/255.0.255.0', 'x/8', '10', '10.0.0.0/']) assert.equal(parseNetwork(text), undefined, text);
  assert.deepEqual([parseMask('24', 4), parseMask('255.255.240.0', 4), parseMask('64', 6), parseMask('33', 4)], [24, 20, 64, -1]);
});

test('the longest prefix is found', () => {
  const map = new NetworkMap<string>();
  for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.1.0.0/16', '2001:db8::/32', '::/0']) map.add(parseNetwork(text)!, text);
  assert.equal(map.get(parseIp('10.1.1.1')!), '10.1.0.0/16');
  assert.equal(map.get(parseIp('10.2.1.1')!), '10.0.0.0/8');
  assert.equal(map.get(parseIp('2001:db8::1')!), '2001:db8::/32');
  assert.equal(map.get(parseIp('9.9.9.9')!), '::/0', 'an IPv4 address is looked up as mapped when only IPv6 networks are left');
});

test('families', () => {
  assert.ok(ipEquals(toIpv6(parseIp('1.2.3.4')!), parseIp('::ffff:1.2.3.4')!));
  assert.ok(isV4Mapped(parseIp('::ffff:1.2.3.4')!) && !isV4Mapped(parseIp('::1')!));
});
