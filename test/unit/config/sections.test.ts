/** Sections: inheritance, negation, placement, rule order, numbering. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, load, model, proxy, server, told } from './loading.ts';

test('a proxy copies the defaults section before it, or the one it names', () => {
  const loaded = load(`defaults one\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\ndefaults two from one\n timeout client 2s\n mode tcp\nfrontend a\n bind :1\nfrontend b from one\n bind :2\n`);
  assert.equal(proxy(loaded, 'a').timeouts.clientMs, 2000);
  assert.equal(proxy(loaded, 'a').timeouts.connectMs, 1000);
  assert.equal(proxy(loaded, 'a').mode, 'tcp');
  assert.equal(proxy(loaded, 'b').timeouts.clientMs, 1000);
  assert.equal(proxy(loaded, 'b').mode, 'http');
});

test('an anonymous defaults section starts from nothing', () => {
  const loaded = load('defaults\n mode http\n timeout client 1s\ndefaults\n timeout connect 3s\nfrontend a\n bind :1\n');
  assert.equal(proxy(loaded, 'a').timeouts.clientMs, null);
  assert.equal(proxy(loaded, 'a').mode, 'tcp');
});

test('from must name one defaults section that stands before', () => {
  assert.match(told(load('frontend a from nope\n bind :1\n'), 'error')[0] ?? '', /no defaults section 'nope'/);
  const late = load('frontend a from web\n bind :1\ndefaults web\n mode http\n');
  assert.equal(late.problems.find((problem) => problem.severity === 'error')?.remedy, 'move it in front of this section');
  assert.match(told(load('defaults x\ndefaults x\nfrontend a from x\n bind :1\n'), 'error')[0] ?? '', /several defaults sections/);
  assert.match(told(load('defaults x\nfrontend a from x\n bind :1\nfrontend b\n bind :2\n'), 'warning').join(), /only because it is the last one/);
});

test('no and default switch options back', () => {
  const loaded = load(`${base} option dontlognull\n option redispatch 2\n option httpclose\n log 127.0.0.1 local0\n option tcpka\nfrontend a\n bind :1\n no option dontlognull\n no log\n no option tcpka\n no option http-server-close\nbackend b\n no option redispatch\n no option httpclose\n`);
  assert.equal(proxy(loaded, 'a').switches.dontlognull, false);
  assert.equal(proxy(loaded, 'a').switches.clitcpka, false);
  assert.equal(proxy(loaded, 'a').logTargets.length, 0);
  // `no` of another mode than the one in force changes nothing.
  assert.equal(proxy(loaded, 'a').connectionMode, 'close');
  assert.equal(proxy(loaded, 'b').connectionMode, 'keep-alive');
  assert.equal(proxy(loaded, 'b').redispatch, 0);
  assert.equal(proxy(loaded, 'b').switches.srvtcpka, true);
});

test('log global takes the targets that the global section has so far', () => {
  const loaded = load(`global\n log 127.0.0.1 local0\n${base} log global\nglobal\n log 127.0.0.2 local1 notice err\nfrontend a\n bind :1\nfrontend b\n bind :2\n log global\n log global\n log stdout format raw daemon\n`);
  assert.equal(proxy(loaded, 'a').logTargets.length, 1);
  assert.deepEqual(proxy(loaded, 'b').logTargets.map((target) => `${target.address.kind} ${target.facility} ${target.levelMax} ${target.levelMin} ${target.format}`), [
    'inet 16 7 0 unset', 'inet 17 5 3 unset', 'stdout 3 7 0 raw',
  ]);
});

test('server lines start from default-server as it was', () => {
  const loaded = load(`${base}backend b\n default-server inter 3s weight 7 check\n server s1 127.0.0.1:1 inter 1s\n default-server weight 9\n server s2 127.0.0.1:2 no-check\n server-template t 2 127.0.0.1:3\n`);
  assert.equal(server(loaded, 's1').weight, 7);
  assert.equal(server(loaded, 's1').check?.interMs, 1000);
  assert.equal(server(loaded, 's2').weight, 9);
  assert.equal(server(loaded, 's2').check, null);
  assert.deepEqual(model(loaded).servers.map((each) => `${each.name}#${each.sid}`), ['s1#1', 's2#2', 't1#3', 't2#4']);
});

test('ids given by hand are kept and skipped by the others', () => {
  const loaded = load(`${base}frontend a\n bind :1-3\n bind :9\n bind :10 id 2\nbackend b\n id 2\n server s 127.0.0.1:1 id 1\n server t 127.0.0.1:2\nbackend c\n`);
  assert.deepEqual(model(loaded).proxies.map((each) => each.iid), [3, 2, 4]);
  assert.deepEqual(model(loaded).servers.map((each) => each.sid), [1, 2]);
  assert.equal(model(loaded).binds[2]?.luid, 2);
});

test('rules run family by family: block, http-request, reqXXX; redirect lines are a list of their own', () => {
  const loaded = load(`${base}frontend a\n bind :1\n redirect location /last if { path /r }\n reqadd X-A:\\ 1\n http-request set-header X-B 2\n block if { path /b }\n`);
  assert.deepEqual(proxy(loaded, 'a').httpRequest.map((rule) => rule.action.kind), ['deny', 'set-header', 'add-header']);
  assert.deepEqual(proxy(loaded, 'a').redirects.map((rule) => rule.text.includes('/last')), [true]);
  assert.match(told(loaded, 'warning').join(), /'http-request' rule stands after a 'redirect' rule but runs before it/);
});

test('rules of a named defaults section come first; anonymous ones may have none', () => {
  const loaded = load(`defaults d\n mode http\n timeout client 1s\n http-request set-header X-A 1\nfrontend a from d\n bind :1\n http-request set-header X-B 2\n`);
  assert.deepEqual(proxy(loaded, 'a').httpRequest.map((rule) => ('name' in rule.action ? rule.action.name : '')), ['X-A', 'X-B']);
  assert.match(told(load(`${base} http-request deny\n`), 'error')[0] ?? '', /anonymous defaults/);
  assert.match(told(load('defaults d\n mode http\n http-request deny\nlisten l from d\n bind :1\n'), 'error')[0] ?? '', /listen section cannot inherit rules/);
});

/** Answers of haproxy 2.6 by section: `.` read, `w` ignored with a warning, `E` refused. */
const placements: readonly (readonly [string, string])[] = [
  ['acl a path /', 'E....'], ['balance roundrobin', '..w..'], ['bind :80', 'EE..w'], ['cookie a insert', '..w..'], ['default_backend b', '....w'], ['description x', 'EE...'],
  ['fullconn 10', '..w..'], ['id 50', 'EE...'], ['maxconn 5', '....w'], ['monitor-uri /x', '....w'], ['option abortonclose', '..w..'], ['option dontlognull', '....w'],
  ['option forwardfor', '.....'], ['option httpchk', '..w..'], ['redirect prefix /x', 'EE...'], ['retry-on conn-failure', '..E..'], ['server x 127.0.0.1:1', 'EEE..'],
  ['stats admin if TRUE', 'EE...'], ['stats enable', '.....'], ['tcp-request connection reject', 'EE..E'], ['timeout client 1s', '....w'], ['timeout server 1s', '..w..'],
  ['use_backend b if TRUE', 'EE..w'], ['rate-limit sessions 5', '....w'], ['declare capture request len 5', 'EE..E'], ['stick-table type ip size 1k', 'EE...'],
];
for (const [line, expected] of placements) {
  test(`placement of ${line}`, () => {
    const opening = [`${base} ${line}\n`, `${base.replace('defaults', 'defaults d')} ${line}\n`, `${base}frontend f\n bind :1\n ${line}\n`, `${base}listen l\n bind :1\n ${line}\n`, `${base}backend g\n ${line}\n`];
    const found = opening.map((text) => {
      const problems = load(`${text}backend b\nfrontend z\n bind :9\n`).problems.map((problem) => problem.severity);
      return problems.includes('error') ? 'E' : problems.includes('warning') ? 'w' : '.';
    });
    // tcp-request connection in a named defaults section is refused because a backend inherits it here.
    assert.equal(found.join(''), expected);
  });
}

test('what has no effect is told once per word; unknown words get a suggestion; known but missing ones are their own kind', () => {
  const loaded = load(`global\n tune.maxaccept 5\n tune.maxaccept 6\n nosplice\n maxcon 5\n lua-load x\n${base} compression algo gzip\n`);
  assert.deepEqual(loaded.problems.map((problem) => `${problem.severity} ${problem.place.line} ${problem.word}`).filter((each) => !each.startsWith('warning 0')), [
    'notice 2 tune.maxaccept', 'notice 4 nosplice', 'error 5 maxcon', 'unsupported 6 lua-load', 'warning 12 compression',
  ]);
  assert.equal(loaded.problems.find((problem) => problem.word === 'maxcon')?.remedy, "did you mean 'maxconn'?");
  assert.equal(loaded.model, undefined);
});

test('sections that come later are read, checked and told', () => {
  const loaded = load(`${base}peers p\n peer a 127.0.0.1:1024\nresolvers r\n nameserver a 127.0.0.1:53\ncache c\n max-age 5\nring x\n size 32768\nprogram p\n command true\n`);
  assert.deepEqual(model(loaded).inactive.map((each) => `${each.kind} ${each.name}`), ['peers p', 'resolvers r', 'cache c', 'ring x', 'program p']);
  assert.equal(told(loaded, 'notice').filter((each) => each.includes('not active yet')).length, 5);
  assert.match(told(load('cache c\n max-agee 5\n'), 'error')[0] ?? '', /unknown keyword 'max-agee'/);
  assert.match(told(load('log-profile p\n log-tag x\n'), 'notice')[0] ?? '', /not active yet/);
});

test('user lists join users and groups', () => {
  const loaded = load('userlist u\n group g users a,b\n group h\n user a insecure-password x groups h\n user b password $6$s$h\n');
  assert.deepEqual(model(loaded).userlists[0]?.users, [
    { name: 'a', password: 'x', insecure: true, groups: ['h', 'g'] }, { name: 'b', password: '$6$s$h', insecure: false, groups: ['g'] },
  ]);
  assert.match(told(load('userlist u\n group g users nope\n'), 'error')[0] ?? '', /no user 'nope'/);
  // A password that can never match would lock its user out in silence.
  for (const password of ['ab01FAX.bQRSU', '$y$j9T$salt$hash']) assert.match(told(load(`userlist u\n user a password ${password}\n`), 'unsupported')[0] ?? '', /password of user 'a'/);
});

test('error answers: files, redirections, sections, later ones win', () => {
  const files = { '/e503': 'HTTP/1.0 503 Away\r\n\r\nx', '/e404': 'HTTP/1.0 404 No\r\n\r\n', '/bad': 'hello', '/empty': '' };
  const loaded = load(`http-errors h\n errorfile 404 /e404\n errorfile 503 /e404\n${base} errorfiles h 404\n errorfile 503 /e503\n errorfile 408 /empty\nfrontend a\n bind :1\n errorloc303 500 http://x/\n errorfile 503 /e404\n`, files);
  const answers = proxy(loaded, 'a').errors.map((answer) => `${answer.status} ${answer.body.kind === 'raw' ? answer.body.bytes.split('\r\n')[0] ?? '' : answer.body.kind}`);
  assert.deepEqual(answers, ['404 HTTP/1.0 404 No', '408 ', '500 HTTP/1.1 303 See Other', '503 HTTP/1.0 404 No']);
  assert.match(told(load(`${base} errorfile 503 /bad\n`, files), 'error')[0] ?? '', /not an HTTP answer/);
  assert.match(told(load(`${base} errorfile 777 /e503\n`, files), 'error')[0] ?? '', /cannot replace status/);
});

test('the -n option wins over maxconn, -W sets HAPROXY_MWORKER', () => {
  const loaded = load('global\n maxconn 5\n.if defined(HAPROXY_MWORKER)\n description master\n.endif\n', {}, { maxconn: 9, masterWorker: true });
  assert.equal(model(loaded).global.maxconn, 9);
  assert.equal(model(loaded).global.description, 'master');
  assert.equal(model(loaded).global.masterWorker, true);
});

test('rules answer with pages of http-errors sections', () => {
  const loaded = load(`${base}http-errors h\n errorfile 403 /e403\nfrontend a\n bind :1\n http-request deny deny_status 403 errorfiles h\n`, { '/e403': 'HTTP/1.0 403 No\r\n\r\nno' });
  const [rule] = proxy(loaded, 'a').httpRequest;
  assert.equal(rule?.action.kind === 'deny' && rule.action.answer.body.kind === 'raw' && rule.action.answer.body.bytes, 'HTTP/1.0 403 No\r\n\r\nno');
});
