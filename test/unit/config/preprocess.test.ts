/** Files, folders, conditional blocks, messages, environment, sections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { evaluateCondition } from '../../../src/config/predicate.ts';
import { accounts, base, load, model, told } from './loading.ts';

const environment: Readonly<Record<string, string>> = { A: '1', EMPTY: '' };

/** Results of `haproxy -cc` 2.6; null: it refuses the expression. */
const conditions: readonly (readonly [string, boolean | null])[] = [
  ['', false], ['0', false], ['1', true], ['12', true], ['!0', true], ['!!1', true], ['0||1&&0', false], ['(1||0)&&1', true], ['1 && ( 0 || 1 )', true],
  ['streq(a,a)', true], ['streq(a, a)', false], ['streq(a ,a)', false], [String.raw`streq("a b",a\ b)`, true], ['strneq(a,b)', true], ['defined(A)', true],
  ['defined(EMPTY)', true], ['defined(NOPE)', false], ['feature(OPENSSL)', true], ['feature(NOPE)', false], ['version_atleast(2.4-dev19)', true],
  ['version_atleast(2.6.12)', true], ['version_atleast(2.7)', false], ['version_before(2.6.13)', true], ['version_before(2.6)', false],
  ['ssllib_name_startswith(OpenSSL)', true], ['openssl_version_atleast(1.1.1)', true], ['strstr(haproxy,prox)', true], ['enabled(POLL)', true],
  ['true', null], ['12a', null], ['streq(a)', null], ['1 ||', null], ['foo(1)', null], ['(1', null], ['streq(a,b', null], ['1 1', null], ['enabled(NOPE)', null],
];

for (const [text, expected] of conditions) {
  test(`condition ${JSON.stringify(text)}`, () => assert.equal(evaluateCondition(text, (name) => environment[name]).value, expected));
}

test('a branch is taken once, and skipped text is not read', () => {
  const text = '.if 0\n nonsense "open\n.elif 1\n.notice "second"\n.elif 1\n.notice "third"\n.else\n.notice "else"\n.endif\n.if 0\n.if 1\n.notice "inner"\n.else\n.notice "inner else"\n.endif\n.endif\n';
  assert.deepEqual(told(load(`${text}${base}`), 'notice', 'error'), ['4 second']);
});

test('blocks must match', () => {
  assert.deepEqual(told(load('.if 1\n'), 'error'), ["1 this '.if' block is not closed"]);
  assert.deepEqual(told(load('.else\n'), 'error'), ["1 '.else' has no matching '.if'"]);
  assert.deepEqual(told(load('.if 0\n.else\n.elif 1\n.endif\n'), 'error'), ["3 '.elif' after '.else'"]);
  assert.deepEqual(told(load('.foo\n'), 'error'), ["1 unknown directive '.foo'"]);
});

test('messages have their severity; .diag only with -dD', () => {
  const text = '.notice "n"\n.warning "w"\n.alert "a"\n.diag "d"\n';
  const severities = (diagnostics: boolean): string[] => load(text, {}, { diagnostics }).problems.filter((problem) => problem.place.line > 0).map((problem) => `${problem.severity} ${problem.message}`);
  assert.deepEqual(severities(false), ['notice n', 'warning w', 'error a']);
  assert.deepEqual(severities(true), ['notice n', 'warning w', 'error a', 'notice d']);
  assert.match(told(load('.notice a b\n'), 'error')[0] ?? '', /unexpected word 'b'/);
});

test('setenv acts on the next line, presetenv keeps what is there, the caller\'s environment stays', () => {
  const before = { KEEP: 'old' };
  const loaded = load('global\n setenv NAME one\n presetenv NAME two\n presetenv KEEP new\n setenv GONE x\n unsetenv GONE\n description "$NAME $KEEP ${GONE-none}"\n', {}, { environment: before });
  assert.equal(model(loaded).global.description, 'one old none');
  assert.deepEqual(before, { KEEP: 'old' });
  assert.equal(model(loaded).global.environment['NAME'], 'one');
});

test('pseudo variables tell file, line and section', () => {
  const loaded = load('global\n description "${.FILE}:${.LINE} ${.SECTION}"\n');
  assert.equal(model(loaded).global.description, '/lb.cfg:2 global');
});

test('several files and folders are read in order, *.cfg only', () => {
  const files = memoryFiles({
    ...accounts, '/first.cfg': base, '/d/20-b.cfg': 'frontend two\n bind :2\n', '/d/10-a.cfg': 'frontend one\n bind :1\n', '/d/readme.txt': 'not read', '/d/.hidden.cfg': 'nor this',
  });
  const loaded = loadConfiguration(['/first.cfg', '/d'], { environment: {}, files });
  assert.deepEqual(loaded.model?.proxies.map((proxy) => proxy.name), ['one', 'two']);
  assert.deepEqual(loaded.model?.files, ['/first.cfg', '/d/10-a.cfg', '/d/20-b.cfg']);
  assert.equal(loaded.model?.global.environment['HAPROXY_CFGFILES'], '/first.cfg;/d/10-a.cfg;/d/20-b.cfg');
});

test('problems of all files come in one run, in the order of the files', () => {
  const files = memoryFiles({ ...accounts, '/a.cfg': 'global\n maxcon 5\n', '/b.cfg': 'global\n user nobody-here\n' });
  const loaded = loadConfiguration(['/a.cfg', '/b.cfg', '/missing.cfg'], { environment: {}, files });
  assert.deepEqual(loaded.problems.filter((problem) => problem.severity === 'error').map((problem) => `${problem.place.file}:${problem.place.line}`), ['/a.cfg:2', '/b.cfg:2', '/missing.cfg:0']);
  assert.equal(loaded.model, undefined);
});

test('a mistyped section is told once and its lines are still checked', () => {
  const loaded = load(`${base}fronted www\n bind :80\n bnid :81\n`);
  assert.deepEqual(told(loaded, 'error'), ["6 unknown section or keyword 'fronted'", "8 unknown keyword 'bnid' in a 'frontend' section"]);
  assert.deepEqual(loaded.problems.filter((problem) => problem.severity === 'error').map((problem) => problem.remedy), ["did you mean 'frontend'?", "did you mean 'bind'?"]);
});

test('text in UTF-8 is kept byte for byte and told readably', () => {
  assert.equal(Buffer.from(model(load('global\n description Grüße\n')).global.description, 'latin1').toString('utf8'), 'Grüße');
  assert.match(told(load('global\n grüße x\n'), 'error')[0] ?? '', /'grüße'/);
});

test('a variable that is not set and has no default is told', () => {
  const loaded = load(`global\n description "a$NOPE\${NOT-x}b"\n.if streq("$NOPE",x)\n.endif\n${base}`);
  assert.equal(model(loaded).global.description, 'axb');
  assert.deepEqual(told(loaded, 'warning').filter((each) => each.includes('environment')), ["2 environment variable 'NOPE' is not set"]);
});

test('addresses expand variables without quotes; what is not set is told, and an empty address is refused', () => {
  const loaded = load(`${base}listen l\n bind $HERE:80\n server s $NOPE\n`, {}, { environment: { HERE: '127.0.0.1' } });
  assert.deepEqual(told(loaded, 'error'), ["8 'server': the address is empty"]);
  assert.match(told(loaded, 'warning').join(), /environment variable 'NOPE' is not set/);
});
