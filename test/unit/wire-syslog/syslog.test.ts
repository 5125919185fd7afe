/** Syslog formats, byte for byte as haproxy 2.6 sends them (received on a UDP socket beside it). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyslogTime, messageExtraBytes, syslogHead, writeMessage } from '../../../src/wire/syslog.ts';
import type { SyslogFormat } from '../../../src/wire/syslog.ts';

/** Local time, as HAProxy prints it, whatever the machine's zone is. */
const at = new Date(2026, 10, 3, 9, 5, 7, 123).getTime();
const origin = { hostname: '', tag: 'haproxy', pid: 7808 };
const named = { hostname: 'foo', tag: 'other', pid: 8332 };

function message(format: SyslogFormat, who = origin, sd = '', max = 1024): string {
  const head = Buffer.from(syslogHead(format, 18, 6, who, new SyslogTime(), at), 'latin1');
  const line = 'text of the line';
  const to = Buffer.alloc(10 + Math.min(head.length + sd.length + line.length + messageExtraBytes, max + 1) + 1, '.');
  const end = 10 + writeMessage(to, 10, format, head, Buffer.from(`__${line}${sd}`, 'latin1'), 2, line.length, sd.length, max);
  assert.match(to.toString('latin1', end), /^\.+$/, 'nothing behind the message is touched');
  return to.toString('latin1', 10, end);
}

function offset(): string {
  const minutes = -new Date(at).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
}

test('every format', () => {
  const iso = `2026-11-03T09:05:07.123000${offset()}`;
  assert.equal(message('rfc3164'), '<150>Nov  3 09:05:07 localhost haproxy[7808]: text of the line\n');
  assert.equal(message('rfc3164', named), '<150>Nov  3 09:05:07 foo other[8332]: text of the line\n');
  assert.equal(message('local', named), '<150>Nov  3 09:05:07 other[8332]: text of the line\n');
  assert.equal(message('rfc5424'), `<150>1 ${iso} - haproxy 7808 - - text of the line\n`);
  assert.equal(message('rfc5424', named, '[x@1 a="b"]'), `<150>1 ${iso} foo other 8332 - [x@1 a="b"] text of the line\n`);
  assert.equal(message('priority'), '<150>text of the line\n');
  assert.equal(message('short'), '<6>text of the line\n');
  assert.equal(message('timed'), `<6>${iso} text of the line\n`);
  assert.equal(message('iso'), `${iso} text of the line\n`);
  assert.equal(message('raw'), 'text of the line\n');
});

test('the length limit counts everything but the newline', () => {
  assert.equal(message('raw', origin, '', 4), 'text\n');
  assert.equal(message('short', origin, '', 7), '<6>text\n');
  assert.equal(message('raw', origin, '', 16), 'text of the line\n');
  assert.equal(message('rfc5424', origin, '[sd]', 20).length, 21);
  const whole = message('rfc5424', origin, '[sd]');
  for (let max = 1; max < whole.length; max += 1) assert.equal(message('rfc5424', origin, '[sd]', max), `${whole.slice(0, max)}\n`);
});

test('the time stamp follows the clock within and across seconds', () => {
  const time = new SyslogTime();
  const first = time.rfc3164(at);
  assert.equal(time.rfc3164(at + 800), first);
  assert.notEqual(time.rfc3164(at + 900), first);
  assert.match(time.iso(at + 900), /T09:05:08\.023000/);
  assert.match(time.iso(at + 901), /T09:05:08\.024000/);
});
