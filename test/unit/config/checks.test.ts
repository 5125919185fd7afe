/** Health check methods. What is inherited was seen with haproxy 2.6 and a server that logs its requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckMethod, CheckStep } from '../../../src/model/model.ts';
import { base, load, proxy, server, told } from './loading.ts';

const text = (format: { readonly kind: string }[] | readonly unknown[] | null): string => (format ?? []).map((item) => (item as { text?: string }).text ?? '?').join('');

function steps(check: CheckMethod): readonly CheckStep[] {
  return 'steps' in check ? check.steps : [];
}

function request(check: CheckMethod): string {
  const step = steps(check).find((each) => each.kind === 'http-send');
  if (step?.kind !== 'http-send') return 'none';
  return [`${step.method} ${text(step.uri)} ${step.version}`, ...step.headers.map((header) => `${header.name}: ${text(header.value)}`), ...(step.body === null ? [] : [`body ${text(step.body)}`])].join('; ');
}

function expectation(check: CheckMethod): string {
  return steps(check).filter((each) => each.kind === 'expect').map((each) => `${each.negate ? '! ' : ''}${each.match} ${each.pattern}`).join(', ');
}

const of = (lines: string, defaults = ''): CheckMethod => proxy(load(`${base}${defaults}backend b\n${lines} server s 127.0.0.1:1 check\n`), 'b').check;

test('option httpchk, old and new forms', () => {
  assert.equal(request(of(' option httpchk\n')), 'OPTIONS / HTTP/1.0');
  assert.equal(request(of(' option httpchk /x\n')), 'OPTIONS /x HTTP/1.0');
  assert.equal(request(of(' option httpchk GET /x HTTP/1.1\n')), 'GET /x HTTP/1.1');
  assert.equal(request(of(' option httpchk GET / HTTP/1.1\\r\\nHost:\\ a.b\\r\\nX-Y:\\ z\n')), 'GET / HTTP/1.1; Host: a.b; X-Y: z');
  assert.equal(request(of(' option httpchk GET / HTTP/1.0\\r\\nContent-Length:\\ 2\\r\\n\\r\\nhi\n')), 'GET / HTTP/1.0; Content-Length: 2; body hi');
  assert.equal(expectation(of(' option httpchk\n')), 'status 200-399');
});

test('http-check send overrides what option httpchk said', () => {
  assert.equal(request(of(' option httpchk GET /o HTTP/1.1\n http-check send uri /s hdr Host h body x\n')), 'GET /s HTTP/1.1; Host: h; body x');
  assert.equal(request(of(' http-check send meth HEAD\n option httpchk GET /o\n')), 'HEAD /o HTTP/1.0');
  assert.equal(expectation(of(' option httpchk\n http-check expect ! rstatus ^5\n')), '! rstatus ^5');
});

test('a scenario with connect steps', () => {
  const check = of(' option httpchk\n http-check connect port 81\n http-check send meth GET uri /a\n http-check expect status 200\n http-check connect port 82 ssl sni x linger\n http-check send meth GET uri /b\n');
  assert.deepEqual(steps(check).map((step) => step.kind), ['connect', 'http-send', 'expect', 'connect', 'http-send', 'expect']);
  assert.match(told(load(`${base}backend b\n option httpchk\n http-check send\n http-check connect\n server s 127.0.0.1:1 check\n`), 'error')[0] ?? '', /first step must be a 'connect'/);
  assert.match(told(load(`${base}backend b\n option httpchk\n http-check send hdr a b\n http-check send meth GET\n server s 127.0.0.1:1 check\n`), 'error')[0] ?? '', /needs 'http-check connect'/);
});

test('inherited: everything, or nothing once the section has its own option httpchk', () => {
  const defaults = ' option httpchk GET /d\n http-check expect status 404\n';
  assert.equal(request(of('', defaults)), 'GET /d HTTP/1.0');
  assert.equal(expectation(of('', defaults)), 'status 404');
  assert.equal(`${request(of(' option httpchk GET /b\n', defaults))} ${expectation(of(' option httpchk GET /b\n', defaults))}`, 'GET /b HTTP/1.0 status 200-399');
  assert.equal(request(of(' option httpchk\n', defaults)), 'OPTIONS / HTTP/1.0');
  assert.equal(request(of(' http-check send hdr x y\n', defaults)), 'OPTIONS / HTTP/1.0; x: y');
  assert.equal(expectation(of(' http-check expect status 404\n option httpchk HEAD /late\n', defaults)), 'status 404');
});

test('tcp-check: bytes, hexadecimal, expectations', () => {
  const check = of(' option tcp-check\n tcp-check send PING\\r\\n comment ping\n tcp-check expect string +PONG\n tcp-check send-binary 0a0B\n tcp-check expect min-recv 4 rbinary ^ff\n');
  assert.deepEqual(steps(check).map((step) => (step.kind === 'send' ? step.bytes : step.kind)), ['connect', 'PING\r\n', 'expect', '\n\v', 'expect']);
  for (const wrong of ['send-binary 0a0', 'send-binary zz', 'foo', 'expect string a b', 'expect', 'expect status 200', 'connect port 0', 'expect rstring (', 'expect tout-status L7STS string x']) {
    assert.equal(told(load(`${base}backend b\n option tcp-check\n tcp-check ${wrong}\n server s 127.0.0.1:1 check\n`), 'error').length > 0, true, wrong);
  }
});

test('other methods', () => {
  assert.deepEqual(of(' option mysql-check user probe\n'), { kind: 'mysql', user: 'probe', post41: true });
  assert.deepEqual(of(' option mysql-check user probe pre-41\n'), { kind: 'mysql', user: 'probe', post41: false });
  assert.deepEqual(of(' option smtpchk EHLO me\n'), { kind: 'smtp', hello: 'EHLO me' });
  assert.deepEqual(of(' option ssl-hello-chk\n'), { kind: 'ssl-hello' });
  assert.deepEqual(of(' option httpchk\n option redis-check\n'), { kind: 'redis' });
  assert.deepEqual(of(''), { kind: 'tcp' });
});

test('rules without their option are told and ignored', () => {
  assert.match(told(load(`${base}backend b\n http-check expect status 200\n server s 127.0.0.1:1 check\n`), 'warning').join(), /without 'option httpchk'/);
  assert.match(told(load(`${base}backend b\n tcp-check connect\n server s 127.0.0.1:1 check\n`), 'warning').join(), /without 'option tcp-check'/);
});

test('TLS of checks follows the server line, unless the check goes elsewhere', () => {
  const tls = (words: string): boolean | undefined => server(load(`${base}backend b\n server s 127.0.0.1:443 check ${words}\n`), 's').check?.tls;
  assert.equal(tls(''), false);
  assert.equal(tls('ssl verify none'), true);
  assert.equal(tls('ssl verify none port 80'), false);
  assert.equal(tls('ssl verify none port 444 check-ssl'), true);
  assert.equal(tls('ssl verify none no-check-ssl'), false);
});
