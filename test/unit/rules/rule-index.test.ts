/** Rule sets behind an index: what a run does is what running the rules one after the other does, also where actions change what was looked up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAcl } from '../../../src/config/expression/acl.ts';
import { parseUseBackend } from '../../../src/config/expression/switch.ts';
import type { Rule } from '../../../src/model/expression.ts';
import type { Model } from '../../../src/model/model.ts';
import { Compiler } from '../../../src/rules/compile.ts';
import { ConditionCompiler } from '../../../src/rules/compile-condition.ts';
import { PatternIndex } from '../../../src/rules/pattern-index.ts';
import { RuleIndex } from '../../../src/rules/rule-index.ts';
import { Switching } from '../../../src/rules/switching.ts';
import type { Subject } from '../../../src/rules/subject.ts';
import { cut, readRules } from './expression-tools.ts';
import { FakeScope, fakeSubject } from './fake-subject.ts';

/** Repeatable numbers (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

/** A rule set of one rule has no look-up: each rule on its own, until one has a verdict. */
function oneByOne(rules: readonly Rule[], compiler: Compiler): (s: Subject) => unknown {
  const sets = rules.map((rule) => compiler.ruleSet([rule]));
  return (s) => {
    for (const set of sets) {
      const verdict = set.run(s, 0);
      if (verdict !== null) return verdict;
    }
    return null;
  };
}

function outcome(s: ReturnType<typeof fakeSubject>, verdict: unknown): unknown {
  const head = s.request as unknown as { method: string; uri: string; text(): string[] };
  return { verdict, method: head.method, uri: head.uri, lines: head.text(), vars: [...(s.txnVars ?? [])] };
}

test('random http-request rules do what they do one by one', () => {
  const next = numbers(11);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const path = (): string => pick(['/a', '/b', '/c', '/a/b', '/A', '/list']);
  const condition = (): string => pick([
    () => `{ path_beg ${pick(['-i ', ''])}${path()} }`, () => `{ path ${path()} }`, () => `{ hdr(x-mark) ${pick(['-i ', ''])}${pick(['one', 'two', 'ONE'])} }`, () => `{ req.fhdr(host) -m dom ${pick(['a', 'b'])} }`,
    () => `{ base_beg h${pick(['/a', '/b'])} }`, () => `{ src ${pick(['10.0.0.0/8', '127.0.0.0/8', '192.0.2.0/24'])} }`, () => `{ method ${pick(['GET', 'POST'])} }`, () => `{ url_param(q) -m str ${pick(['1', '2'])} }`,
    () => '{ path -f list }', () => `{ cook(c) ${pick(['1', '2'])} }`, () => `{ var(txn.v) -m beg ${pick(['/a', '/b'])} }`, () => `!{ path_beg ${path()} }`, () => `{ path,set-var(txn.v) -m sub ${pick(['a', 'b'])} }`,
  ])();
  const action = (): string => pick([
    () => `set-path ${path()}`, () => `set-header x-mark ${pick(['one', 'two', 'one,two'])}`, () => 'add-header x-mark two', () => 'del-header x-mark', () => 'del-header x- -m beg', () => `set-header Host ${pick(['a', 'h'])}`,
    () => `set-query q=${pick(['1', '2'])}`, () => `set-method ${pick(['GET', 'POST', 'PURGE'])}`, () => `set-src hdr(x-from)`, () => `set-var(txn.v) path`, () => `add-acl(list) ${path()}`, () => `del-acl(list) ${path()}`,
    () => 'replace-value x-mark one two', () => 'set-uri http://b/c', () => 'set-header cookie c=2', () => `deny deny_status 40${pick(['3', '0'])}`, () => 'set-log-level silent', () => `add-header x-seen %[path]`,
  ])();
  for (let round = 0; round < 250; round++) {
    const scope = new FakeScope();
    scope.files.set('list', '/list\n/a\n');
    const rules = readRules('http-request', Array.from({ length: 4 + next(12) }, () => `${action()} ${pick(['if', 'if', 'if', 'unless'])} ${Array.from({ length: 1 + next(2) }, condition).join(pick([' ', ' or ']))}`), scope);
    const model: Model = scope.model();
    const slowCompiler = new Compiler(model);
    const fast = new Compiler(model).ruleSet(rules);
    const slow = oneByOne(rules, slowCompiler);
    for (let i = 0; i < 8; i++) {
      const request = `${pick(['GET', 'POST'])} ${path()}${pick(['', '?q=1'])} HTTP/1.1\nHost: ${pick(['h', 'a.b'])}\nX-From: ${pick(['10.1.1.1', 'no'])}${pick(['', '\nX-Mark: one', '\nX-Mark: two, one'])}${pick(['', '\nCookie: c=1'])}`;
      const one = fakeSubject(model, request);
      const other = fakeSubject(model, request);
      assert.deepEqual(outcome(one, fast.run(one as Subject, 0)), outcome(other, slow(other as Subject)), `${rules.map((rule) => rule.text).join(' | ')} // ${request}`);
    }
  }
});

function tested(acls: readonly string[], lines: readonly string[], request: string): { target: number; tests: number } {
  const scope = new FakeScope('use_backend');
  for (const acl of acls) parseAcl(cut(acl), scope);
  const rules = lines.map((line) => parseUseBackend(cut(line), scope)).filter((rule) => rule !== undefined);
  assert.deepEqual(scope.errors(), []);
  const model = scope.model();
  const compiler = new Compiler(model);
  const index = new RuleIndex(rules.map((rule) => rule.condition), compiler);
  const switching = new Switching(rules, -1, { conditions: new ConditionCompiler(compiler), index, target: (rule) => () => rule.target });
  return { target: switching.choose(fakeSubject(model, request)), tests: switching.tests };
}

const many = Array.from({ length: 300 }, (_, i) => i);
const request = 'GET /dir9/page299.html HTTP/1.1\nHost: www.host299.example.com';

for (const form of ['path_end page#.html', 'hdr_dom(host) -i HOST#', 'hdr_beg(host) www.host#.', 'hdr_end(host) host#.example.com', 'path_sub page#.', 'path_reg never#|x']) {
  test(`conditions tested for 300 rules: ${form.split(' ')[0]}`, () => {
    const { target, tests } = tested([], many.map((i) => `be${1 + (i % 3)} if { ${form.replace('#', String(i))} }`), request);
    if (form.startsWith('path_reg')) assert.deepEqual({ target, tests }, { target: -1, tests: 300 }, 'regular expressions are tested one by one');
    else assert.deepEqual({ target, tests }, { target: 1 + (299 % 3), tests: 0 });
  });
}

test('of two tests, the one that tells the rules apart is looked up', () => {
  const { target, tests } = tested(['same path_beg /dir9/', 'shut path_sub forbidden'], many.map((i) => `be${1 + (i % 3)} if same !shut { hdr(host) www.host${i}.example.com }`), request);
  assert.equal(target, 1 + (299 % 3));
  assert.equal(tests, 1);
});

test('without case, only letters of ASCII are equal', () => {
  for (const method of ['str', 'beg', 'end', 'sub', 'dir'] as const) {
    const set = new PatternIndex(0, method, true, [{ key: 'Stra\u00dfe\u00c4', value: '' }]);
    assert.equal(set.matches('sTRA\u00dfE\u00c4'), true, method);
    assert.equal(set.matches('stra\u00dfe\u00e4'), false, method);
  }
});
