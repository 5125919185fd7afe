/** MAPI's PENDING and ActiveSync's Ping: what is written, and that a client who leaves takes the timer with him. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ComponentStates } from '../../../src/exchange-sim/components.ts';
import type { BodyReader, ExchangeService, SimExchange } from '../../../src/exchange-sim/service.ts';
import { serviceFor } from '../../../src/exchange-sim/service-list.ts';

function begin(method: string, target: string, headers: Record<string, string> = {}) {
  const out: string[] = [];
  const timers = new Set<{ milliseconds: number; call: () => void }>();
  const kept: { reader: BodyReader | null } = { reader: null };
  const clock = { scale: 1, now: () => 0, after: (milliseconds: number, call: () => void) => {
    const timer = { milliseconds, call };
    timers.add(timer);
    return () => void timers.delete(timer);
  } };
  const exchange: SimExchange = {
    request: { method, target, version: 'HTTP/1.1', headers: new Map(Object.entries(headers)), lines: [], bodyBytes: 0 },
    user: 'anna', mailbox: '', connection: { number: 1, clientAddress: '', clientPort: 0, requests: 1 },
    server: { name: 'EX1', fqdn: 'ex1', states: new ComponentStates(), clock },
    read: (reader) => { kept.reader = reader; }, pause() {}, resume() {}, interim() {}, reset() {}, drained() {},
    answer: (status, _reason, lines, body) => void out.push(`${status} ${lines.join('|')} ${body.length}`),
    head: (status) => void out.push(String(status)), write: (bytes) => out.push(bytes.toString()) > 0, end: () => void out.push('end'),
  };
  const service: ExchangeService | undefined = serviceFor(target.split('?')[0] ?? '');
  assert.ok(service);
  service.handle(exchange);
  const fire = () => {
    const [timer] = timers;
    assert.ok(timer);
    timers.delete(timer);
    timer.call();
    return timer.milliseconds;
  };
  return { out, timers, kept, fire };
}

test('NotificationWait says PROCESSING, 19 times PENDING, then DONE after five minutes', () => {
  const { out, kept, fire, timers } = begin('POST', '/mapi/emsmdb/?MailboxId=a@b', { 'x-requesttype': 'NotificationWait' });
  kept.reader?.end();
  let waited = 0;
  while (timers.size > 0) waited += fire();
  assert.equal(waited, 300_000);
  assert.deepEqual(out.slice(0, 3), ['200', 'PROCESSING\r\n', 'PENDING\r\n']);
  assert.equal(out.filter((piece) => piece === 'PENDING\r\n').length, 19);
  assert.equal(out.at(-1), 'end');
});

test('Ping holds for the heartbeat that was asked, and not for a client that left', () => {
  const ping = begin('POST', '/microsoft-server-activesync?Cmd=Ping&User=anna');
  ping.kept.reader?.piece(Buffer.from('\x03\x01\x6a\0\0\x0d\x45\x48\x03900\0\x01\x01', 'latin1'));
  ping.kept.reader?.end();
  assert.deepEqual(ping.out, []);
  assert.equal(ping.fire(), 900_000);
  assert.match(ping.out[0] ?? '', /^200 .*wbxml.* 13$/);
  const left = begin('POST', '/Microsoft-Server-ActiveSync?Cmd=Ping');
  left.kept.reader?.end();
  assert.equal(left.timers.size, 1);
  left.kept.reader?.gone();
  assert.equal(left.timers.size, 0);
});
