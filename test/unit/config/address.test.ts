/** Address forms. Accepted and refused ones are those of haproxy 2.6. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressText, parseAddress } from '../../../src/config/address.ts';
import type { AddressRules } from '../../../src/config/address.ts';
import { durationFault, parseDuration } from '../../../src/base/duration.ts';
import { parseSize } from '../../../src/base/size.ts';

const bind: AddressRules = { port: 'required', range: true, offset: false, fd: true, datagram: false, stream: true, names: false, lookup: (name) => (name === 'localhost' ? '127.0.0.1' : undefined) };
const server: AddressRules = { port: 'optional', range: false, offset: true, fd: false, datagram: false, stream: true, names: true };

const short = (text: string, rules: AddressRules): string => {
  const parsed = parseAddress(text, rules);
  if (parsed.address === null) return 'refused';
  const mode = parsed.portMode === 'fixed' ? '' : ` ${parsed.portMode}${parsed.portMode === 'offset' ? parsed.portOffset : ''}`;
  return `${parsed.address.kind} ${addressText(parsed.address)}${mode}`;
};

const binds: readonly (readonly [string, string])[] = [
  ['*:80', 'inet 0.0.0.0:80'], [':80', 'inet 0.0.0.0:80'], ['10.0.0.1:80', 'inet 10.0.0.1:80'], ['::1:80', 'inet [::1]:80'], ['[::1]:80', 'inet [::1]:80'], [':::80', 'inet [::]:80'],
  ['10.0.0.1:80-82', 'inet 10.0.0.1:80-82'], ['1.2.3:80', 'inet 1.2.0.3:80'], ['ipv6@:80', 'inet [::]:80'], ['ipv6@*:80', 'inet [::]:80'], ['ipv4@:80', 'inet 0.0.0.0:80'],
  ['tcp4@:80', 'inet 0.0.0.0:80'], ['unix@/run/x', 'unix unix@/run/x'], ['/run/x', 'unix unix@/run/x'], ['abns@x', 'unix abns@x'], ['fd@9', 'fd fd@9'], ['localhost:80', 'inet 127.0.0.1:80'],
  ['::1', 'refused'], ['80', 'refused'], ['*', 'refused'], ['1.2.3.4:82-80', 'refused'], ['1.2.3.4:+80', 'refused'], ['1.2.3.4:0', 'refused'], ['1.2.3.4:70000', 'refused'],
  ['1.2.3.4:http', 'refused'], ['ipv4@[::1]:80', 'refused'], ['nosuch.invalid:80', 'refused'], ['udp@:80', 'refused'], ['fd@x', 'refused'], [':80:81', 'refused'], ['@1.2.3.4:80', 'refused'],
  ['foo@:80', 'refused'], ['sockpair@3', 'refused'], ['quic4@:80', 'refused'], ['unix@', 'refused'], ['', 'refused'],
];
for (const [text, expected] of binds) test(`bind ${text}`, () => assert.equal(short(text, bind), expected));

const servers: readonly (readonly [string, string])[] = [
  ['1.2.3.4', 'inet 1.2.3.4:0 client'], ['1.2.3.4:80', 'inet 1.2.3.4:80'], ['1.2.3.4:', 'inet 1.2.3.4:0 client'], ['1.2.3.4:+80', 'inet 1.2.3.4:0 offset80'], ['1.2.3.4:-80', 'inet 1.2.3.4:0 offset-80'],
  ['1.2.3.4:0', 'inet 1.2.3.4:0 client'], ['app.test:8080', 'name app.test:8080'], ['app.test', 'name app.test:0 client'], ['[2001:db8::1]:443', 'inet [2001:db8::1]:443'], ['*:80', 'inet 0.0.0.0:80'],
  ['/run/app', 'unix unix@/run/app'], ['1.2.3.4:80-90', 'refused'], ['fd@3', 'refused'], ['udp@1.2.3.4:5', 'refused'], ['+1.2.3.4:80', 'refused'], ['1.2.3.4:http', 'refused'],
];
for (const [text, expected] of servers) test(`server ${text}`, () => assert.equal(short(text, server), expected));

test('durations', () => {
  assert.equal(parseDuration('10s'), 10_000);
  assert.equal(parseDuration('10'), 10);
  assert.equal(parseDuration('10', 's'), 10);
  assert.equal(parseDuration('1us'), 1);
  assert.equal(parseDuration('2m', 's'), 120);
  assert.equal(parseDuration('1d'), 86_400_000);
  assert.equal(parseDuration('24d'), 2_073_600_000);
  for (const wrong of ['', '5x', '5.5s', '-1', 's', '25d', '5 s']) assert.equal(parseDuration(wrong), undefined, wrong);
  assert.match(durationFault('25d'), /too long/);
  assert.match(durationFault('5x'), /not a duration/);
});

test('sizes', () => {
  assert.deepEqual(['1', '2k', '3M', '1g'].map(parseSize), [1, 2048, 3_145_728, 1_073_741_824]);
  for (const wrong of ['', '20kB', '-1', '1.5k', '4g', 'k']) assert.equal(parseSize(wrong), undefined, wrong);
});
