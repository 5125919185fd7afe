/** Pattern indexes: each method against a plain walk over the list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MatchMethod } from '../../../src/model/expression.ts';
import { PatternIndex } from '../../../src/rules/pattern-index.ts';
import { parseIp } from '../../../src/base/ip.ts';
import type { SampleValue } from '../../../src/rules/subject.ts';

function index(method: MatchMethod, keys: readonly string[], ignoreCase = false): PatternIndex {
  return new PatternIndex(0, method, ignoreCase, keys.map((key) => ({ key, value: key })));
}

function found(method: MatchMethod, keys: readonly string[], value: SampleValue, ignoreCase = false): string | undefined {
  return index(method, keys, ignoreCase).find(value)?.key;
}

test('prefixes: the longest wins', () => {
  assert.equal(found('beg', ['/a', '/a/b', '/'], '/a/b/c'), '/a/b');
  assert.equal(found('beg', ['/a', '/a/b'], '/x'), undefined);
  assert.equal(found('beg', ['/A', '/q'], '/a/b', true), '/A');
  assert.equal(found('beg', ['/Owa', '/oWa/x'], '/OWA/X/1', true), '/oWa/x');
  assert.equal(found('beg', [''], 'anything'), '');
});

test('words between delimiters', () => {
  assert.equal(found('dir', ['b'], '/a/b/c'), 'b');
  assert.equal(found('dir', ['/b/'], '/a/b?c'), '/b/');
  assert.equal(found('dir', ['b/c'], '/a/b/c'), 'b/c');
  assert.equal(found('dir', ['b/c'], '/a/b/cd'), undefined);
  assert.equal(found('dom', ['example'], 'www.example.com:80'), 'example');
  assert.equal(found('dom', ['example.com'], 'www.example.com'), 'example.com');
  assert.equal(found('dom', ['xample'], 'www.example.com'), undefined);
  assert.equal(found('dom', ['EXAMPLE'], 'www.example.com', true), 'EXAMPLE');
});

test('suffixes, substrings, exact texts and bytes', () => {
  assert.equal(found('end', ['.php', 'x.php'], '/x.php'), '.php', 'the first of the list');
  assert.equal(found('end', ['.PHP'], '/x.php', true), '.PHP');
  assert.equal(found('sub', ['zz', 'b'], 'abc'), 'b');
  assert.equal(found('str', ['a', 'b'], 'b'), 'b');
  assert.equal(found('str', ['A', 'c'], 'a', true), 'A');
  assert.equal(found('bin', ['616263', 'ff'], Buffer.from('abc')), '616263');
  assert.equal(found('reg', ['^x', 'b.$'], 'abc'), 'b.$');
});

test('integers and lengths', () => {
  assert.equal(found('int', ['1', '5:9', 'gt 100', ':-5'], 7), '5:9');
  assert.equal(found('int', ['1', '5:9', 'gt 100', ':-5'], 101), 'gt 100');
  assert.equal(found('int', ['1', '5:9', 'gt 100', ':-5'], 100), undefined);
  assert.equal(found('int', ['1', '5:9', 'gt 100', ':-5'], -6), ':-5');
  assert.equal(found('int', ['5:9', '7'], 7), '5:9', 'the first of the list');
  assert.equal(found('len', ['3'], 'abc'), '3');
  assert.equal(found('int', ['1'], 'x'), undefined);
});

test('networks: the longest prefix wins; families meet where HAProxy lets them', () => {
  const keys = ['10.0.0.0/8', '10.1.0.0/16', '0.0.0.0/0', '2001:db8::/32', '::ffff:9.9.9.9'];
  const at = (text: string): string | undefined => found('ip', keys, parseIp(text)!);
  assert.equal(at('10.1.2.3'), '10.1.0.0/16');
  assert.equal(at('10.2.2.3'), '10.0.0.0/8');
  assert.equal(at('8.8.8.8'), '0.0.0.0/0');
  assert.equal(at('2001:db8::5'), '2001:db8::/32');
  assert.equal(at('::ffff:10.1.1.1'), '10.1.0.0/16');
  assert.equal(at('2002:0a01::'), '10.1.0.0/16', '6to4');
  assert.equal(at('2001:dead::'), undefined);
  assert.equal(found('ip', ['::ffff:9.9.9.9', '9.9.0.0/24'], parseIp('9.9.9.9')!), '::ffff:9.9.9.9');
});

test('replacing entries', () => {
  const set = index('beg', ['/a']);
  set.replace([{ key: '/b', value: '' }]);
  assert.deepEqual([set.matches('/a'), set.matches('/b'), set.version], [false, true, 1]);
});

for (const method of ['str', 'beg', 'end', 'dom', 'dir', 'reg', 'ip', 'int'] as const) {
  test(`${method}: a large set is made in steps; a look-up or a change in between is right at once`, () => {
    const key = (number: number): string => (method === 'ip' ? `10.${number >> 8}.${number & 255}.0/24` : method === 'int' ? `${number}` : method === 'dom' ? `h${number}.lab.test` : `/p${number}/`);
    const sample = (number: number): SampleValue => (method === 'ip' ? parseIp(`10.${number >> 8}.${number & 255}.7`) ?? '' : method === 'int' ? number : key(number));
    const set = new PatternIndex(0, method, false, Array.from({ length: 1000 }, (_, number) => ({ key: key(number), value: '' })));
    const steps = set.build();
    assert.equal(steps.next().done, false, 'there is more than one step');
    assert.equal(set.find(sample(999))?.key, key(999));
    set.replace([{ key: key(5), value: '' }]);
    while (steps.next().done !== true);
    assert.equal(set.matches(sample(999)), false, 'what was begun before the change is not used');
    assert.equal(set.matches(sample(5)), true);
  });
}
