/** use_backend rules: the shared look-up chooses what testing every rule in order would choose, and tests far fewer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAcl } from '../../../src/config/expression/acl.ts';
import { parseUseBackend } from '../../../src/config/expression/switch.ts';
import type { SwitchRule } from '../../../src/model/expression.ts';
import { Compiler } from '../../../src/rules/compile.ts';
import { ConditionCompiler } from '../../../src/rules/compile-condition.ts';
import { RuleIndex } from '../../../src/rules/rule-index.ts';
import { Switching } from '../../../src/rules/switching.ts';
import { FakeScope, fakeProxy, fakeSubject } from './fake-subject.ts';
import { cut } from './expression-tools.ts';

function read(acls: readonly string[], rules: readonly string[], scope = new FakeScope('use_backend')): { scope: FakeScope; rules: SwitchRule[] } {
  for (const acl of acls) parseAcl(cut(acl), scope);
  const out = rules.map((rule) => parseUseBackend(cut(rule), scope));
  assert.deepEqual(scope.errors(), []);
  return { scope, rules: out.filter((rule) => rule !== undefined) };
}

/** Tests every rule in order. */
function naive(rules: readonly SwitchRule[], scope: FakeScope): (s: ReturnType<typeof fakeSubject>) => number {
  const conditions = new ConditionCompiler(new Compiler(scope.model()));
  const tests = rules.map((rule) => conditions.condition(rule.condition));
  return (s) => rules[tests.findIndex((each) => each(s))]?.target ?? -1;
}

/** Repeatable numbers (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

const paths = ['/', '/owa', '/OWA', '/owa/auth', '/ews', '/ews/exchange.asmx', '/mapi', '/api/v1/x', '/api/v2', '/apiary', ''];
const hosts = ['a.example.com', 'A.example.com', 'b.example.com', 'b.example.com, a.example.com', ''];

test('random rules choose what testing them in order chooses', () => {
  const next = numbers(7);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const criterion = (): string => pick([
    () => `path_beg ${pick(['-i ', ''])}${pick(paths.slice(1, 10))} ${pick(paths.slice(1, 10))}`, () => `path ${pick(['-i ', ''])}${pick(paths.slice(0, 10))}`, () => `hdr(host) ${pick(['-i ', ''])}${pick(hosts.slice(0, 3))}`,
    () => `hdr_beg(host) ${pick(['a.', 'b.', 'A'])}`, () => `hdr_end(host) ${pick(['-i ', ''])}${pick(['.com', 'B.example.com', 'x'])}`, () => `hdr_dom(host) ${pick(['-i ', ''])}${pick(['example', 'A', 'example.com', '.b.'])}`,
    () => `path_dir ${pick(['-i ', ''])}${pick(['owa', 'API/v1', 'v2', 'ews/', '/'])}`, () => `path_end ${pick(['-i ', ''])}${pick(['.asmx', 'X', '2', '/'])}`, () => `src ${pick(['127.0.0.0/8', '10.0.0.0/8 ::1', '127.0.0.1', '192.0.2.0/24', '0.0.0.0/0'])}`,
    () => `path_sub ${pick(['-i ', ''])}${pick(['W', 'api/', '/'])}`, () => `path_reg ${pick(['^/o', 's$'])}`,
    () => `rand(1) -m str 0`, () => `path,set-var(txn.seen) -m beg /api`, () => `var(txn.seen) -m beg /api/v`, () => `path_sub ${pick(['w', 'e', 'x'])}`, () => `path,lower -m str ${pick(['/owa', '/ews'])}`, () => 'method POST', () => `url_beg ${pick(['/o', '/e', '/'])}`,
  ])();
  for (let round = 0; round < 300; round++) {
    const acls = Array.from({ length: 1 + next(8) }, (_, i) => `n${i % 6} ${criterion()}`);
    const term = (): string => `${pick(['', '', '!'])}${pick(acls).split(' ')[0]}`;
    const rules = Array.from({ length: 1 + next(12) }, () => `be${1 + next(3)} ${pick(['if', 'if', 'if', 'unless'])} ${Array.from({ length: 1 + next(3) }, term).join(pick([' ', ' or ']))}`);
    const made = read(acls, rules);
    const model = made.scope.model();
    const fast = new Compiler(model).switching(made.rules, -1);
    const slow = naive(made.rules, made.scope);
    for (let i = 0; i < 12; i++) {
      const request = `${pick(['GET', 'POST'])} ${pick(paths) || '*'} HTTP/1.1\nHost: ${pick(hosts)}${pick(['', '\nHost: a.example.com'])}`;
      assert.equal(fast(fakeSubject(model, request)), slow(fakeSubject(model, request)), `${acls.join(' | ')} // ${rules.join(' | ')} // ${request}`);
    }
  }
});

function counting(count: number): { choose: (uri: string) => number; tests: () => number } {
  const scope = new FakeScope('use_backend');
  const acls = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? `p${i} path_beg -i /service${i}/` : `p${i} hdr(host) host${i}.example.com`));
  const rules = Array.from({ length: count }, (_, i) => `be${1 + (i % 3)} if p${i}`);
  const made = read(acls, rules, scope);
  const model = scope.model();
  const compiler = new Compiler(model);
  const switching = new Switching(made.rules, -1, { conditions: new ConditionCompiler(compiler), index: new RuleIndex(made.rules.map((rule) => rule.condition), compiler), target: (rule) => () => rule.target });
  return { choose: (uri) => switching.choose(fakeSubject(model, `GET ${uri} HTTP/1.1\nHost: host${count - 1}.example.com`)), tests: () => switching.tests };
}

test('a thousand rules cost about as many tests as one', () => {
  const large = counting(1000);
  assert.equal(large.choose('/none'), 1 + (999 % 3), 'the last rule, by host');
  assert.equal(large.choose('/SERVICE500/x'), 1 + (500 % 3), 'a rule in the middle, by path');
  assert.ok(large.tests() <= 4, `${large.tests()} conditions were tested`);
});

test('names made at run time', () => {
  const { scope, rules } = read([], ['%[req.hdr(host),lower] if { path /dynamic }', 'be2 if { path /dynamic }', 'be3 if TRUE']);
  const model = scope.model();
  const choose = new Compiler(model).switching(rules, -1);
  const of = (uri: string, host: string): number => choose(fakeSubject(model, `GET ${uri} HTTP/1.1\nHost: ${host}`));
  assert.equal(of('/dynamic', 'BE1'), 1);
  assert.equal(of('/dynamic', 'nobody'), 2, 'an unknown name goes on with the next rule');
  assert.equal(of('/x', 'BE1'), 3);
});

test('patterns of files change the choice at run time', () => {
  const scope = new FakeScope('use_backend');
  scope.files.set('list', '/a\n');
  const { rules } = read(['one path_beg -f list', 'two path /q', 'three path /r', 'four path /s'], ['be1 if one', 'be2 if two', 'be2 if three', 'be3 if four'], scope);
  const model = scope.model();
  const compiler = new Compiler(model);
  const choose = compiler.switching(rules, -1);
  assert.equal(choose(fakeSubject(model, 'GET /new HTTP/1.1')), -1);
  compiler.updatePatterns(0, [{ key: '/new', value: '' }]);
  assert.equal(choose(fakeSubject(model, 'GET /new HTTP/1.1')), 1);
  assert.equal(choose(fakeSubject(model, 'GET /a HTTP/1.1')), -1);
});

test('the configuration of the article', () => {
  const services = ['autodiscover', 'mapi', 'rpc', 'owa', 'eas', 'ecp', 'ews', 'oab'];
  const scope = new FakeScope('use_backend');
  for (const [i, name] of services.entries()) scope.proxies[i + 1] = fakeProxy(i + 1, name);
  const { rules } = read(['autodiscover url_beg /Autodiscover', 'mapi url_beg /mapi', 'rpc url_beg /rpc', 'owa url_beg /owa', 'eas url_beg /Microsoft-Server-Activesync', 'ecp url_beg /ecp', 'ews url_beg /ews', 'ews url_beg /EWS',
    'oab url_beg /OAB', 'repaired url_reg (?i)\\/owa'], [...services.map((name) => `${name} if ${name}`), 'owa if repaired'], scope);
  const model = scope.model();
  const choose = new Compiler(model).switching(rules, 99);
  const of = (uri: string): string => services[choose(fakeSubject(model, `GET ${uri} HTTP/1.1`)) - 1] ?? 'catch-all';
  assert.deepEqual(['/mapi/emsmdb', '/EWS/exchange.asmx', '/ews', '/autodiscover/x', '/Autodiscover/x', '/Microsoft-Server-ActiveSync', '/OWA', '/owa/'].map(of),
    ['mapi', 'ews', 'ews', 'catch-all', 'autodiscover', 'catch-all', 'owa', 'owa']);
});
