/** Syntax of HAProxy 1.x: what it becomes, and the modern line that the warning gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../../../src/model/expression.ts';
import { base, load, model, proxy, told } from './loading.ts';

function translated(line: string): { readonly actions: readonly Action[]; readonly remedy: string } {
  const loaded = load(`${base}listen l\n bind :1\n ${line}\n`);
  const { httpRequest, httpResponse } = proxy(loaded, 'l');
  return { actions: [...httpRequest, ...httpResponse].map((rule) => rule.action), remedy: loaded.problems.find((problem) => problem.severity === 'warning')?.remedy ?? '' };
}

const rewrites: readonly (readonly [line: string, kind: string, remedy: string])[] = [
  [String.raw`reqadd X-Proto:\ https`, 'add-header', "write 'http-request add-header X-Proto https'"],
  [String.raw`rspadd X-Via:\ lb if { src 10.0.0.0/8 }`, 'add-header', "write 'http-response add-header X-Via lb if { src 10.0.0.0/8 }'"],
  [String.raw`reqadd X-Share:\ 100%`, 'add-header', "write 'http-request add-header X-Share 100%%'"],
  ['reqidel ^X-Forwarded-For:.*', 'del-header', "write 'http-request del-header X-Forwarded-For'"],
  ['reqdel ^X-Debug', 'del-header', "write 'http-request del-header X-Debug -m beg'"],
  ['rspidel ^Server:', 'del-header', "write 'http-response del-header Server'"],
  [String.raw`reqrep ^([^\ :]*)\ /a/(.*) \1\ /b/\2`, 'replace-uri', String.raw`write 'http-request replace-uri ^/a/(.*) '/b/\1''`],
  [String.raw`reqirep ^Host:\ a\.b Host:\ c.d`, 'replace-header', String.raw`write 'http-request replace-header Host '(?i)^a\.b' c.d'`],
  [String.raw`rspirep ^Location:\ http://(.*) Location:\ https://\1`, 'replace-header', String.raw`write 'http-response replace-header Location (?i)^http://(.*) 'https://\1''`],
  ['reqideny ^User-Agent:.*bot', 'deny', "write 'http-request deny if { req.fhdr(User-Agent) -m reg -i ^.*bot }'"],
  ['reqdeny ^X-Evil: if { path /a } or { path /b }', 'deny', "write 'http-request deny if { req.fhdr(X-Evil) -m reg ^ } { path /a } or { req.fhdr(X-Evil) -m reg ^ } { path /b }'"],
  ['rspideny ^X-Secret:', 'deny', "write 'http-response deny if { res.fhdr(X-Secret) -m reg -i ^ }'"],
  ['reqitarpit ^X-Scan:', 'tarpit', "write 'http-request tarpit if { req.fhdr(X-Scan) -m reg -i ^ }'"],
  ['reqiallow ^X-Ok:', 'allow', "write 'http-request allow if { req.fhdr(X-Ok) -m reg -i ^ }'"],
  ['block unless { src 10.0.0.0/8 }', 'deny', "write 'http-request deny unless { src 10.0.0.0/8 }'"],
];
for (const [line, kind, remedy] of rewrites) {
  test(line, () => {
    const found = translated(line);
    assert.deepEqual(found.actions.map((action) => action.kind), [kind]);
    assert.equal(found.remedy, remedy);
  });
}

test('the modern line that a warning gives is a line that loads', () => {
  for (const [line] of rewrites) {
    const modern = /^write '(.*)'$/.exec(translated(line).remedy)?.[1] ?? '';
    assert.deepEqual(told(load(`${base}listen l\n bind :1\n ${modern}\n`), 'error', 'unsupported', 'warning'), [], modern);
  }
});

test('what cannot be said today is refused by name, with what to write', () => {
  for (const line of ['reqrep ^GET\\ (.*) GET\\ \\1', 'reqdeny .*root.exe', 'reqidel .*foo.*', 'rsprep ^HTTP/1.1\\ 200 HTTP/1.1\\ 500', 'appsession JSESSIONID len 52 timeout 3h', 'reqsetbe .*x web']) {
    const { problems } = load(`${base}listen l\n bind :1\n ${line}\n`);
    const refused = problems.filter((problem) => problem.severity === 'unsupported');
    assert.equal(refused.length, 1, line);
    assert.notEqual(refused[0]?.remedy, '', line);
  }
});

test('old timeouts, addresses on section lines, nbproc, words without effect', () => {
  const loaded = load('global\n nbproc 3\n debug\n quiet\ndefaults\n mode http\n contimeout 4000\n clitimeout 50s\n srvtimeout 6000\n redispatch\nlisten web 10.0.0.1:80,:81 name old\n option forceclose\n grace 1000\nfrontend api :82\n bind-process 1\n');
  assert.deepEqual(told(loaded, 'error', 'unsupported'), []);
  const { timeouts, binds, connectionMode, redispatch } = proxy(loaded, 'web');
  assert.deepEqual([timeouts.connectMs, timeouts.clientMs, timeouts.serverMs], [4000, 50_000, 6000]);
  assert.deepEqual(binds.map((index) => model(loaded).binds[index]?.text), ['10.0.0.1:80', '0.0.0.0:81']);
  assert.equal(connectionMode, 'close');
  assert.equal(redispatch, -1);
  assert.equal(model(loaded).global.nbthread, 3);
});

test('one name for a frontend and a backend is taken, each for its side', () => {
  const loaded = load(`${base}frontend app\n bind :1\n default_backend app\nbackend app\n server s 127.0.0.1:1\n`);
  assert.equal(proxy(loaded, 'app').defaultBackend, 1);
  assert.match(told(loaded, 'warning')[0] ?? '', /newer versions of HAProxy refuse/);
});

test('expressions over the request line that speak of the target', () => {
  const loaded = load(`${base}listen web\n bind :1\n reqideny ^[^:\\ ]*\\ .*(cmd|root)\\.exe\n reqdeny ^GET\\ /x\n rspidel ^Set-Cookie:\\ IP=\n reqisetbe ^[^\\ ]*\\ /img web\n`);
  assert.deepEqual(told(loaded, 'error', 'unsupported'), []);
  const made = proxy(loaded, 'web');
  assert.deepEqual(made.httpRequest.map((rule) => rule.condition?.text), ['if { url_reg -i ^.*(cmd|root)\\.exe }', 'if { method GET } { url_reg ^/x }']);
  assert.deepEqual(made.httpResponse.map((rule) => rule.action), [{ kind: 'del-header', name: 'Set-Cookie', match: 'str', value: '^IP=', ignoreCase: true }]);
  assert.equal(made.useBackend[0]?.condition?.text, 'if { url_reg -i ^/img }');
});

test('a dispatch address is a server, others beside it only keep their clients', () => {
  const made = load(`${base}listen l\n bind :1\n cookie A insert\n dispatch 10.0.0.9:80\n server s 10.0.0.1:80 cookie s\n`);
  assert.deepEqual(model(made).servers.map((server) => [server.name, server.weight, server.check]), [['dispatch', 1, null], ['s', 0, null]]);
});
