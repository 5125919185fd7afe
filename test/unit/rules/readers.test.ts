/** What the readers say about words that cannot be used: word, severity and remedy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAcl } from '../../../src/config/expression/acl.ts';
import { parseCondition } from '../../../src/config/expression/condition.ts';
import { parseFormat } from '../../../src/config/expression/format.ts';
import { parseRule, type RulesetName } from '../../../src/config/expression/rule.ts';
import { parseSample } from '../../../src/config/expression/sample.ts';
import { parseStickRule, parseUseBackend } from '../../../src/config/expression/switch.ts';
import { cutArguments } from '../../../src/config/expression/arguments.ts';
import { cut } from './expression-tools.ts';
import { FakeScope } from './fake-subject.ts';

/** The only problem that `read` reports. */
function problem(read: (scope: FakeScope) => unknown, scope = new FakeScope()) {
  const result = read(scope);
  assert.ok(scope.problems.length > 0, 'a problem is reported');
  return { ...scope.problems[0]!, result };
}

function rule(ruleset: RulesetName, text: string, scope?: FakeScope) {
  return problem((each) => parseRule(ruleset, cut(text), each), scope);
}

test('unknown words come with a suggestion', () => {
  assert.deepEqual([problem((s) => parseSample('req.hrd(host)', s))].map((p) => [p.severity, p.word, p.remedy]), [['error', 'req.hrd', "did you mean 'req.hdr'?"]]);
  assert.equal(problem((s) => parseSample('path,lowr', s)).remedy, "did you mean 'lower'?");
  assert.equal(problem((s) => parseAcl(cut('x path_bg /a'), s)).remedy, "did you mean 'path_beg'?");
  assert.equal(problem((s) => parseAcl(cut('x path -m pre /a'), s)).word, 'pre');
  assert.equal(rule('http-request', 'dny if TRUE').remedy, "did you mean 'deny'?");
  assert.equal(problem((s) => parseCondition(['if', 'METH_GTE'], s)).remedy, "did you mean 'METH_GET'?");
  assert.equal(problem((s) => parseFormat('%cii', s)).word, 'cii');
  assert.equal(rule('http-request', 'set-log-level slient').remedy, "did you mean 'silent'?");
});

test('what HAProxy knows and Poise does not is told apart', () => {
  assert.equal(problem((s) => parseSample('ssl_c_chain_der', s)).severity, 'unsupported');
  assert.equal(problem((s) => parseSample('path,xxh3', s)).severity, 'unsupported');
  assert.equal(rule('http-request', 'do-resolve(txn.ip,dns) hdr(host)').severity, 'unsupported');
  assert.equal(rule('http-request', 'lua.check').severity, 'unsupported');
});

test('stick counters are accepted with a warning', () => {
  const made = problem((s) => parseAcl(cut('busy sc0_conn_cur gt 10'), s));
  assert.equal(made.severity, 'warning');
  assert.notEqual(made.result, undefined);
  const track = rule('http-request', 'track-sc0 src');
  assert.equal(track.severity, 'warning');
  assert.notEqual(track.result, undefined);
});

test('fetches are refused where their data is not there', () => {
  assert.match(problem((s) => parseSample('status', s)).message, /needs the response/);
  assert.match(problem((s) => parseSample('path', s), new FakeScope('http-response')).message, /needs the request/);
  assert.match(problem((s) => parseSample('ssl_fc_sni', s), new FakeScope('tcp-request connection')).message, /TLS session/);
  const warned = problem((s) => parseCondition(cut('if { path /x }'), s), new FakeScope('http-response'));
  assert.equal(warned.severity, 'warning');
});

test('arguments are checked', () => {
  for (const text of ['path,field(a,b)', 'path,field(1)', 'path,lower(2)', 'path,regsub((,x)', 'nbsrv(none)', 'var(foo)', 'bin(abc)', 'bool(maybe)', 'path,sha2(1)', 'path,digest(md99)', 'src,ipmask(40)', 'srv_is_up(nobody)', 'http_auth(none)', 'path lower x', 'path,', 'str(a']) {
    const scope = new FakeScope();
    const made = parseSample(text, scope);
    if (text === 'path,') assert.ok(made !== undefined, 'a trailing comma is let pass, as in HAProxy');
    else assert.ok(made === undefined && scope.errors().length > 0, text);
  }
});

test('arguments are cut as the manual says', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['(a,b)', ['a', 'b']], ['("a,b",c)', ['a,b', 'c']], ["('a)b')", ['a)b']], ['(a\\ b)', ['a b']], ['(\\d+,x)', ['\\d+', 'x']], ['(a\\nb)', ['a\nb']], ['()', ['']], ['(,x)', ['', 'x']],
    ['("a"b)', ['ab']], ["('\\d')", ['\\d']], ['("\\"")', ['"']],
  ];
  for (const [text, args] of cases) assert.deepEqual(cutArguments(text, 0), { args, end: text.length }, text);
  assert.equal(typeof cutArguments('(a', 0), 'string');
  assert.equal(typeof cutArguments('("a)', 0), 'string');
});

test('ACL patterns are checked by match method', () => {
  for (const text of ['x src nowhere', 'x src 1.2.3.4/40', 'x dst_port abc', 'x path_reg (a', 'x req.payload(0,4) abc', 'x req.payload(0,4) -m bin abc', 'x path -f /none', '1x! path a', 'x', 'or path /a', 'x var(txn.a) b']) {
    const scope = new FakeScope();
    assert.equal(parseAcl(cut(text), scope), undefined, text);
    assert.ok(scope.errors().length > 0, text);
  }
  assert.equal(problem((s) => parseAcl(cut('x path_beg'), s)).severity, 'warning');
  assert.equal(problem((s) => parseAcl(cut('x ssl_fc 0'), s)).severity, 'warning');
  const quiet = new FakeScope();
  assert.notEqual(parseAcl(cut('x path_beg --'), quiet), undefined);
  assert.deepEqual(quiet.problems, []);
});

test('conditions report every fault at once', () => {
  const scope = new FakeScope();
  assert.equal(parseCondition(cut('if one two or { pth /x } { path /y }'), scope), undefined);
  assert.deepEqual(scope.problems.map((each) => each.word), ['one', 'two', 'pth']);
  assert.match(problem((s) => parseCondition(cut('if { path /x'), s)).message, /closing/);
  assert.match(problem((s) => parseCondition(cut('fi x'), s)).remedy, /'if'/);
  assert.equal(parseCondition([], new FakeScope()), null);
});

test('rules report what is missing', () => {
  for (const text of ['set-header x', 'set-header', 'set-header x a b', 'set-var(foo) src', 'set-var(txn.a)', 'redirect location', 'redirect code 301', 'redirect scheme https code 999', 'redirect /x',
    'deny deny_status 418', 'deny deny_status 999', 'return status 100', 'return status 200 string abc', 'return string a string b', 'auth realm', 'auth foo', 'capture src', 'capture src len', 'del-header x -m foo',
    'del-header ( -m reg', 'replace-header x (a b', 'replace-value x a', 'set-timeout foo 1s', 'set-timeout server 0', 'use-service foo', 'wait-for-body', 'set-src foo', 'set-nice 99999', 'set-status 200', 'deny if',
    'set-header a:b c', 'strict-mode maybe', 'set-map k v']) {
    const scope = new FakeScope();
    const made = parseRule('http-request', cut(text), scope);
    if (text === 'deny if') assert.ok(made !== undefined);
    else assert.ok(made === undefined && scope.errors().length === 1, `${text}: ${scope.errors().join('; ')}`);
  }
});

test('actions stay in their rulesets', () => {
  assert.match(rule('tcp-request connection', 'deny').remedy, /http-request/);
  assert.match(rule('http-response', 'set-path /x').remedy, /http-request/);
  assert.equal(rule('tcp-request content', 'acept').remedy, "did you mean 'accept'?");
});

test('the lone percent sign and unclosed brackets are explained', () => {
  assert.match(problem((s) => parseFormat('100%', s)).remedy, /%%/);
  assert.match(problem((s) => parseFormat('a % b', s)).remedy, /%%/);
  assert.match(problem((s) => parseFormat('%[src', s)).message, /closing \]/);
  assert.match(problem((s) => parseFormat('%{+Q[src]', s)).message, /closing \}/);
  assert.deepEqual(parseFormat('50%%', new FakeScope()), [{ kind: 'text', text: '50%' }]);
});

test('targets of use_backend and stick rules', () => {
  const scope = new FakeScope('use_backend');
  assert.equal(parseUseBackend(cut('be1 if TRUE'), scope)?.target, 1);
  assert.equal(parseUseBackend(cut('%[req.hdr(host),lower]'), scope)?.target, -1);
  assert.deepEqual(scope.problems, []);
  assert.match(problem((s) => parseUseBackend(cut('nope if TRUE'), s)).message, /no backend 'nope'/);
  assert.match(problem((s) => parseUseBackend(cut('be1 TRUE'), s)).message, /'if' or 'unless'/);
  const stick = parseStickRule(cut('on src,ipmask(24) table be2 if TRUE'), new FakeScope('stick'));
  assert.deepEqual([stick?.kind, stick?.table, stick?.expr.text], ['on', 2, 'src,ipmask(24)']);
  assert.equal(parseStickRule(cut('store-request src lower table be2'), new FakeScope('stick'))?.expr.converters[0]?.name, 'lower');
});

test('files of patterns are shared by name, method and case', () => {
  const scope = new FakeScope();
  scope.files.set('list', '# c\n/a\r\n  /b c\n\n');
  parseAcl(cut('one path_beg -f list'), scope);
  parseAcl(cut('two path_beg -f list /d'), scope);
  parseAcl(cut('three path_beg -i -f list'), scope);
  assert.deepEqual(scope.sets.map((set) => [set.file, set.ignoreCase, set.entries.map((entry) => entry.key)]), [
    ['list', false, ['/a', '/b c']], ['', false, ['/d']], ['list', true, ['/a', '/b c']],
  ]);
});

test('integer operators are carried along the list', () => {
  const scope = new FakeScope();
  parseAcl(cut('x dst_port 1:2 ge 5 7 lt 3'), scope);
  assert.deepEqual(scope.sets[0]?.entries.map((entry) => entry.key), ['1:2', 'ge 5', 'ge 7', 'lt 3']);
});
