/** Actions on requests and responses: what they change, what they answer. Answers are HAProxy's byte for byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Compiler } from '../../../src/rules/compile.ts';
import { FakeHead, FakeScope, fakeProxy, fakeSubject } from './fake-subject.ts';
import { print, readRules, run } from './expression-tools.ts';

function lines(rules: readonly (string | readonly string[])[], request: string, scope?: FakeScope): string[] {
  return (run(rules, request, scope === undefined ? {} : { scope }).subject.request as FakeHead).text();
}

function target(rules: readonly string[], uri: string): string {
  return run(rules, `GET ${uri} HTTP/1.1\nHost: x`).subject.request?.uri ?? '';
}

test('header lines are set, added, removed and rewritten', () => {
  const request = 'GET /a HTTP/1.1\nHost: h\nX-A: one, two\nx-a: three\nX-Ab: four';
  assert.deepEqual(lines(['set-header X-A %[req.hdr(x-a,1)]-%[path]'], request), ['Host: h', 'X-Ab: four', 'X-A: one-/a']);
  assert.deepEqual(lines(['add-header X-A five'], request).slice(-1), ['X-A: five']);
  assert.deepEqual(lines(['del-header X-A'], request), ['Host: h', 'X-Ab: four']);
  assert.deepEqual(lines(['del-header x-a -m beg'], request), ['Host: h']);
  assert.deepEqual(lines(['del-header ^X-.b$ -m reg'], request), ['Host: h', 'X-A: one, two', 'x-a: three']);
  assert.deepEqual(lines(['replace-header X-A (.*)e(.*) <\\1|\\2>'], request), ['Host: h', 'X-A: <on|, two>', 'x-a: <thre|>', 'X-Ab: four']);
  assert.deepEqual(lines(['replace-value X-A ^t(.*)$ T\\1'], request), ['Host: h', 'X-A: one,Two', 'x-a: Three', 'X-Ab: four']);
  assert.deepEqual(lines(['set-header X-B v if { path /b }'], request), lines([], request));
});

test('control characters never leave in a header value', () => {
  const made = lines([['set-header', 'X-B', '%[path,url_dec]']], 'GET /a%0d%0aEvil:%201%00 HTTP/1.1\nHost: h');
  assert.deepEqual(made, ['Host: h', 'X-B: /a%0D%0AEvil: 1%00']);
});

test('a target that names a host takes the Host line with it', () => {
  assert.deepEqual(lines(['set-uri http://other.local%[path]'], 'GET /a HTTP/1.1\nHost: h\nX-A: b'), ['Host: other.local', 'X-A: b']);
  assert.deepEqual(lines(['replace-uri ^/r(.*) http://user@other:81/\\1'], 'GET /r/a HTTP/1.1\nHost: h'), ['Host: other:81']);
  assert.deepEqual(lines(['set-uri /b'], 'GET /a HTTP/1.1\nHost: h'), ['Host: h']);
});

test('targets are rewritten part by part', () => {
  assert.equal(target(['set-path /n%[path]'], '/a/b?c=d'), '/n/a/b?c=d');
  assert.equal(target(['set-path /n'], 'http://h:80/a?c'), 'http://h:80/n?c');
  assert.equal(target(['set-pathq /n'], '/a?c'), '/n');
  assert.equal(target(['set-query x=1'], '/a?c'), '/a?x=1');
  assert.equal(target(['set-query x=1'], '/a'), '/a?x=1');
  assert.equal(target(['set-uri /z?y'], '/a?c'), '/z?y');
  assert.equal(target(['replace-path ^/old/(.*) /new/\\1'], '/old/x?q'), '/new/x?q');
  assert.equal(target(['replace-path ^/none/(.*) /new/\\1'], '/old/x?q'), '/old/x?q');
  assert.equal(target(['replace-pathq ([^?]*)\\?(.*) \\1?foo=1&\\2'], '/old?q'), '/old?foo=1&q');
  assert.equal(target(['replace-uri ^http://dom(.*) https://dom\\1'], 'http://dom/x'), 'https://dom/x');
  assert.equal(run(['set-method PUT'], 'GET / HTTP/1.1').subject.request?.method, 'PUT');
});

test('rules stop at the first final one', () => {
  const { verdict, subject } = run(['set-header A 1', 'allow if { path /a }', 'set-header B 1', 'deny'], 'GET /a HTTP/1.1');
  assert.deepEqual(verdict, { kind: 'allow' });
  assert.deepEqual((subject.request as FakeHead).text(), ['A: 1']);
});

test('deny sends the error page', () => {
  const { answer, verdict } = run(['deny'], 'GET / HTTP/1.1');
  assert.equal(answer, 'HTTP/1.1 403 Forbidden\r\ncontent-length: 93\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n'
    + '<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n');
  assert.ok(verdict?.kind === 'answer' && verdict.cause === 'deny' && verdict.status === 403 && verdict.keepAlive);
  assert.match(run(['deny deny_status 429'], 'GET / HTTP/1.1').answer, /^HTTP\/1.1 429 Too Many Requests\r\ncontent-length: 117\r\n/);
  assert.equal(run(['deny status 405 hdr X-A b'], 'GET / HTTP/1.1').answer, 'HTTP/1.1 405 Method Not Allowed\r\nx-a: b\r\ncontent-length: 0\r\n\r\n');
  assert.match(run(['tarpit'], 'GET / HTTP/1.1').answer, /^HTTP\/1.1 500 Internal Server Error\r\n/);
});

test('return sends what it is told', () => {
  assert.equal(run(['return status 200 content-type text/plain string hi hdr X-A a%[path]'], 'GET /p HTTP/1.1').answer,
    'HTTP/1.1 200 OK\r\nx-a: a/p\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nhi');
  assert.equal(run(['return status 299 content-type text/plain lf-string <%[path]>'], 'GET /p HTTP/1.1').answer,
    'HTTP/1.1 299 Success\r\ncontent-length: 4\r\ncontent-type: text/plain\r\n\r\n</p>');
  assert.equal(run(['return status 204'], 'GET / HTTP/1.1').answer, 'HTTP/1.1 204 No Content\r\n\r\n');
  const scope = new FakeScope();
  scope.files.set('e.http', 'HTTP/1.0 503 Gone Fishing\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n<html>x</html>');
  const { answer, verdict } = run(['return status 503 errorfile e.http'], 'GET / HTTP/1.1', { scope });
  assert.equal(answer, 'HTTP/1.0 503 Gone Fishing\r\ncache-control: no-cache\r\n\r\n<html>x</html>');
  assert.ok(verdict?.kind === 'answer' && !verdict.keepAlive);
});

test('redirects', () => {
  const location = (rule: string, uri = '/a/b?c=d', host = 'h.example:80'): string => /location: (.*)\r\n/.exec(run([rule], `GET ${uri} HTTP/1.1\nHost: ${host}`).answer)?.[1] ?? '';
  assert.equal(run(['redirect scheme https code 301'], 'GET /a?b HTTP/1.1\nHost: h').answer, 'HTTP/1.1 301 Moved Permanently\r\ncontent-length: 0\r\nlocation: https://h/a?b\r\n\r\n');
  assert.equal(run(['redirect location /x'], 'GET / HTTP/1.1').answer, 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /x\r\ncache-control: no-cache\r\n\r\n');
  assert.equal(run(['redirect location /x code 303 set-cookie A=b'], 'GET / HTTP/1.1').answer,
    'HTTP/1.1 303 See Other\r\ncontent-length: 0\r\nlocation: /x\r\ncache-control: no-cache\r\nset-cookie: A=b; path=/;\r\n\r\n');
  assert.match(run(['redirect location /x clear-cookie A='], 'GET / HTTP/1.1').answer, /set-cookie: A=; path=\/; Max-Age=0;\r\n\r\n$/);
  assert.equal(location('redirect scheme https'), 'https://h.example:80/a/b?c=d');
  assert.equal(location('redirect scheme https', 'http://other/x'), 'https://other/x');
  assert.equal(location('redirect prefix http://n'), 'http://n/a/b?c=d');
  assert.equal(location('redirect prefix / drop-query append-slash'), '/a/b/');
  assert.equal(location('redirect prefix /x drop-query'), '/x/a/b');
  assert.equal(location('redirect location /n keep-query'), '/n?c=d');
  assert.equal(run(['redirect location %[req.hdr(none)] ignore-empty'], 'GET / HTTP/1.1').verdict, null);
  const legacy = run(['location http://%[hdr(host)]/x'], 'GET / HTTP/1.1\nHost: h', { ruleset: 'redirect' });
  assert.match(legacy.answer, /location: http:\/\/%\[hdr\(host\)\]\/x\r\n/, 'the stand-alone keyword takes plain text');
});

test('auth asks with 401, or 407 as a proxy', () => {
  const page = '<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access this content.\n</body></html>\n';
  assert.equal(run([['auth', 'realm', 'My Realm']], 'GET / HTTP/1.1').answer,
    `HTTP/1.1 401 Unauthorized\r\ncontent-length: 112\r\ncache-control: no-cache\r\ncontent-type: text/html\r\nwww-authenticate: Basic realm="My Realm"\r\n\r\n${page}`);
  assert.match(run(['auth'], 'GET / HTTP/1.1').answer, /www-authenticate: Basic realm="fe"\r\n/);
  assert.match(run(['auth'], 'GET http://x/ HTTP/1.1\nProxy-Connection: keep-alive').answer, /^HTTP\/1.1 407 .*proxy-authenticate: Basic realm="fe"/s);
});

test('error pages come from the backend, the frontend, then the table', () => {
  const scope = new FakeScope();
  scope.proxies[0] = fakeProxy(0, 'fe', { errors: [{ status: 503, body: { kind: 'text', contentType: 'text/plain', bytes: 'front' }, headers: [] }] });
  scope.proxies[1] = fakeProxy(1, 'be1', { errors: [{ status: 502, body: { kind: 'text', contentType: 'text/plain', bytes: 'back' }, headers: [] }] });
  const compiler = new Compiler(scope.model());
  const page = (backend: number | null, status: number): string => Buffer.from(compiler.errorAnswer(scope.proxies[0]!, backend === null ? null : scope.proxies[backend]!, status)).toString('latin1');
  assert.match(page(1, 503), /front$/);
  assert.match(page(1, 502), /back$/);
  assert.match(page(null, 502), /^HTTP\/1.1 502 Bad Gateway\r\ncontent-length: 107\r\n/);
  assert.match(page(2, 503), /front$/);
});

test('variables live in their scope', () => {
  const { subject } = run(['set-var(txn.a) path,length', 'set-var(sess.b) str(x)', 'set-var-fmt(req.c) %[var(txn.a)]-%[var(sess.b)]', 'set-var(txn.a,ifnotexists) int(9)', 'set-var(txn.d,ifexists) int(9)', 'set-var(txn.a,ifgt) int(1)',
    'set-var(txn.e) str(q)', 'unset-var(txn.e)', 'set-var(txn.f) req.hdr(none)'], 'GET /abc HTTP/1.1');
  assert.deepEqual([...subject.txnVars ?? []], [['a', 1]]);
  assert.deepEqual([...subject.reqVars ?? []], [['c', '4-x']]);
  assert.deepEqual([...subject.session.vars ?? []], [['b', 'x']]);
  assert.equal(subject.resVars, null);
});

test('addresses, timeouts, levels, captures and priorities', () => {
  const scope = new FakeScope();
  scope.proxies[0] = fakeProxy(0, 'fe', { requestCaptures: [{ header: '', lengthMax: 4 }] });
  const { subject } = run(['set-src req.hdr(x-real)', 'set-src-port int(99)', 'set-dst str(nope)', 'set-timeout server 5s', 'set-timeout tunnel int(7)', 'set-log-level silent', 'capture path len 4', 'capture path id 7',
    'set-priority-class int(-9999)', 'set-priority-offset int(5)', 'set-nice 5', 'set-mark 0x10', 'strict-mode off'], 'GET /abcdef HTTP/1.1\nX-Real: 10.1.2.3', { scope });
  assert.deepEqual([subject.session.sourceAddress, subject.session.sourcePort, subject.session.destinationAddress], ['10.1.2.3', 99, '198.51.100.1']);
  assert.deepEqual([subject.serverTimeoutMs, subject.tunnelTimeoutMs, subject.clientTimeoutMs], [5000, 7, null]);
  assert.deepEqual([subject.logLevel, subject.requestCaptures, subject.priorityClass, subject.priorityOffset], ['silent', ['/abc'], -2047, 5]);
});

test('responses are edited by response rules', () => {
  const { subject } = run(['set-header X-A %[status]', 'del-header Server', 'set-status 418', 'replace-header Location ^http:(.*) https:\\1'], 'GET / HTTP/1.1\nHost: h', {
    ruleset: 'http-response', scope: new FakeScope('http-response'), prepare: (s) => { s.response = FakeHead.of('HTTP/1.1 302 Found\nServer: x\nLocation: http://a/'); },
  });
  const head = subject.response as FakeHead;
  assert.deepEqual([head.status, head.reason, head.text()], [418, "I'm a teapot", ['Location: https://a/', 'X-A: 302']]);
  assert.deepEqual((subject.request as FakeHead).text(), ['Host: h'], 'the request is left alone');
});

test('maps and ACLs of a file change at run time', () => {
  const scope = new FakeScope();
  scope.files.set('m', 'a 1\nb 2\n').set('l', '/x\n');
  const changes: unknown[] = [];
  const rules = readRules('http-request', ['set-map(m) %[path] new', 'del-map(m) b', 'add-acl(l) %[path]', 'set-header M %[path,map(m)]', 'set-header B %[str(b),map(m,gone)]', 'set-header L yes if { path -f l }'], scope);
  const model = scope.model();
  const s = fakeSubject(model, 'GET /k HTTP/1.1');
  Object.assign(s.world, { patternsChanged: (...all: unknown[]) => changes.push(all) });
  new Compiler(model).ruleSet(rules).run(s, 0);
  assert.deepEqual((s.request as FakeHead).text(), ['M: new', 'B: gone', 'L: yes']);
  assert.deepEqual(changes.map((change) => (change as unknown[]).slice(1)), [['set', '/k', 'new'], ['del', 'b', ''], ['add', '/k', '']]);
});

test('content rules wait for bytes, then decide', () => {
  const scope = new FakeScope('tcp-request content');
  const rules = readRules('tcp-request content', ['reject if { req.payload(0,1) -m str X }', 'accept if { req.payload(0,4) -m str ABCD }', 'reject if WAIT_END'], scope);
  const model = scope.model();
  const set = new Compiler(model).ruleSet(rules);
  const s = fakeSubject(model, null);
  s.complete = false;
  s.bytes = Buffer.from('AB');
  assert.deepEqual(set.run(s, 0), { kind: 'wait' });
  s.bytes = Buffer.from('ABCD');
  assert.deepEqual(set.run(s, set.resumeAt), { kind: 'allow' });
  const other = fakeSubject(model, null);
  other.complete = false;
  other.bytes = Buffer.from('ABxx');
  assert.deepEqual(set.run(other, 0), { kind: 'wait' }, 'WAIT_END is not reached yet');
  other.final = true;
  assert.deepEqual(set.run(other, set.resumeAt), { kind: 'reject' });
});

test('three-valued conditions: what is decided early is decided', () => {
  const decide = (rule: string): unknown => {
    const scope = new FakeScope('tcp-request content');
    const rules = readRules('tcp-request content', [rule], scope);
    const model = scope.model();
    const s = fakeSubject(model, null);
    s.complete = false;
    return new Compiler(model).ruleSet(rules).run(s, 0)?.kind ?? 'none';
  };
  assert.equal(decide('accept if { req.len gt 5 }'), 'wait');
  assert.equal(decide('accept if { req.len gt 5 } FALSE'), 'none');
  assert.equal(decide('accept if { req.len gt 5 } or TRUE'), 'allow');
  assert.equal(decide('accept unless { req.len gt 5 }'), 'wait');
  assert.equal(decide('accept if !{ req.len gt 5 } !TRUE'), 'none');
});

test('wait-for-body resumes behind its rule', () => {
  const scope = new FakeScope();
  const model = scope.model();
  const set = new Compiler(model).ruleSet(readRules('http-request', ['wait-for-body time 1s at-least 1k', 'deny if { req.body -m sub bad }'], scope));
  const s = fakeSubject(scope.model(), 'POST / HTTP/1.1');
  assert.deepEqual(set.run(s, 0), { kind: 'wait-for-body', timeMs: 1000, atLeastBytes: 1024 });
  s.bytes = Buffer.from('so bad');
  assert.equal(set.run(s, set.resumeAt)?.kind, 'answer');
});

test('log lines: flags, blanks and escaping', () => {
  const log = (text: string, request = 'GET /a?"b HTTP/1.1'): string => print(text, request, undefined, new FakeScope('log-format'));
  assert.equal(log('%ci:%cp [%t] %ft %b/%s %ST %B %tsc %{+Q}r'), '192.0.2.7:50000 [20/Nov/2026:22:59:24.735] fe be1/s1 200 100 ---- "GET /a?#22b HTTP/1.1"');
  assert.equal(log('%sq/%bq %hr %hs %{+Q}r'), '0/0 "GET /a?#22b HTTP/1.1"', 'empty captures take their blank along');
  assert.equal(log('a   b'), 'a b');
  assert.equal(log('%[var(txn.x)]|%{+Q}[var(txn.x)]|%{-M}[var(txn.x)]|%CC|%{+Q}CC|%ID'), '-|""||-|""|-');
  assert.equal(log('%{+X}ci:%{+X}cp %{+X}pid %{+X}Ts'), `C0000207:C350 1092 ${Math.floor(Date.UTC(2026, 10, 20, 22, 59, 24) / 1000).toString(16).toUpperCase()}`);
  assert.equal(log('%HM %HP %HQ %HU %HV'), 'GET /a ?#22b /a?#22b HTTP/1.1');
  assert.equal(print('%{+Q}[path]|%{+E}[path]', 'GET /a]b HTTP/1.1'), '/a]b|/a\\]b', 'samples in messages are not quoted');
  assert.equal(log('%{+Q}o %ci %{-Q}b'), '"192.0.2.7" be1');
  const scope = new FakeScope('log-format');
  scope.proxies[0] = fakeProxy(0, 'fe', { requestCaptures: [{ header: 'a', lengthMax: 9 }, { header: 'b', lengthMax: 9 }] });
  assert.equal(print('%hr|%hrl|%{+Q}hrl|%hs', 'GET / HTTP/1.1', (s) => { s.requestCaptures = ['x|{y}']; }, scope), '{x#7C#7By#7D|}|x#7C#7By#7D -|"x#7C#7By#7D" ""|');
  assert.equal(print('a %hr b', 'GET / HTTP/1.1', (s) => { Object.assign(s.facts, { badRequest: true }); }, scope), 'a b', 'no request, no braces');
});

test('nobody is refused because of what is not built yet', () => {
  const verdict = (rule: string): string => (run([rule], 'GET /a HTTP/1.1\nHost: h').verdict?.kind ?? 'none');
  for (const action of ['deny', 'tarpit', 'reject', 'silent-drop', 'return status 429']) {
    for (const condition of ['if { sc_http_req_rate(0) ge 0 }', 'if !{ src_get_gpc0 gt 0 }', 'unless { sc0_http_req_rate lt 0 }', 'unless !{ sc0_conn_cur eq 0 }', 'if { path /a } !{ sc0_tracked }',
      'unless { fc_rtt gt 1 }', 'if { src,in_table(p/t) } or { path /b }', 'if { path /b } or { path /a } { sc0_conn_rate ge 0 }']) {
      assert.equal(verdict(`${action} ${condition}`), 'none', `${action} ${condition}`);
    }
    // What decides without the counter still decides.
    for (const condition of ['if { sc_http_req_rate(0) gt 9 } or { path /a }', 'unless { path /b } !{ sc0_conn_cur gt 5 }', 'if { path /a }']) assert.notEqual(verdict(`${action} ${condition}`), 'none', `${action} ${condition}`);
  }
});

test('a counter that is not built yet reads as that of a client never seen', () => {
  assert.equal(print('%[sc_http_req_rate(0)] %[src,table_conn_cnt(p/t)] %[src_conn_cur,add(2)]'), '0 0 2');
  assert.deepEqual(lines(['set-header X-Ok 1 if { sc_http_req_rate(0) lt 10 }', 'set-header X-Over 1 if { sc_http_req_rate(0) gt 10 }'], 'GET / HTTP/1.1\nHost: h'), ['Host: h', 'X-Ok: 1']);
});
