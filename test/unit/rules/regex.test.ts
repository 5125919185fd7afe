/** PCRE as people write it, on JavaScript's engine: what must match, what must not, what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileRegex } from '../../../src/config/expression/regex.ts';

const cases: readonly (readonly [source: string, matching: readonly string[], other: readonly string[], ignoreCase?: boolean])[] = [
  ['(?i)\\/owa', ['/OWA', '/x/owa/'], ['/ow']],
  ['^/(?i)abc|def', ['/ABC', '/abc', 'DEF'], ['/xab']],
  ['a(?i)b|c', ['ab', 'aB', 'C'], ['Ab', 'A']],
  ['(?i)a(?-i)b', ['Ab', 'ab'], ['AB']],
  ['(?i:AB)c', ['abc', 'ABc'], ['abC']],
  ['((?i)a)b', ['Ab', 'ab'], ['aB']],
  ['(?i)[a-c]x', ['BX', 'cx'], ['dx']],
  ['x(?i)[a-c]', ['xB', 'xb'], ['XB']],
  ['[[:alpha:]]+\\h\\d{2}$', ['ab 12', 'x\t99'], ['1 12', 'ab12']],
  ['^[[:alnum:]_]+$', ['a_9'], ['a-9', '']],
  ['(?P<x>a.)(?P=x)', ['abab'], ['abac']],
  ['(?<y>a.)\\k<y>', ['abab'], ['abac']],
  ['(a)(b)\\g{-1}', ['abb'], ['aba']],
  ['(a)\\1+b', ['aab', 'aaab'], ['ab']],
  ['\\Qa.b|\\E', ['a.b|'], ['axb', 'a']],
  ['^a++b$', ['aaab'], ['a']],
  ['^(?>a|ab)c$', ['ac'], ['xc']],
  ['[]a]x', [']x', 'ax'], ['bx']],
  ['[^]a]x', ['bx'], [']x']],
  ['(?x) a b # comment\n c', ['abc'], ['a b']],
  ['\\Aa.\\z', ['ab'], ['abc', 'xab']],
  ['\\.(gif|png)$', ['/x.png'], ['/xpng', '/x.png?']],
  ['^[^/:]*://', ['http://', '://'], ['/a://x/']],
  ['x{', ['x{'], ['x']],
  ['a{2,3}?b', ['aab'], ['ab']],
  ['\\x41\\x{42}\\103', ['ABC'], ['abc']],
  ['[\\x41-\\x43]', ['B'], ['D']],
  ['^\\s$', [' ', '\t'], ['\xa0', 'x']],
  ['a.b', ['axb', 'a\rb'], ['a\nb']],
  ['(?s)a.b', ['a\nb'], ['ab']],
  ['(?m)^b$', ['a\nb\nc'], ['a b']],
  ['owa', ['OWA'], ['ow'], true],
  ['(?#note)a', ['a'], ['b']],
  ['(*UTF8)a', ['a'], ['b']],
  ['\\/', ['/'], ['x']],
  ['(?!foo)b', ['b'], ['a']],
  ['(?<=a)b', ['ab'], ['b']],
];

for (const [source, matching, other, ignoreCase] of cases) {
  test(`/${source.replace('\n', '\\n')}/`, () => {
    const regex = compileRegex(source, ignoreCase ?? false);
    assert.ok(regex instanceof RegExp, String(regex));
    for (const text of matching) assert.ok(regex.test(text), `matches ${JSON.stringify(text)} as ${regex.source}`);
    for (const text of other) assert.ok(!regex.test(text), `does not match ${JSON.stringify(text)} as ${regex.source}`);
  });
}

test('what has no equal is refused with a reason', () => {
  for (const source of ['(', 'a)', '(?R)', '(?1)', '(?(1)a|b)', 'a(*SKIP)b', '[a', '\\p{L}', 'a\\', '(a)\\9(b)\\g{5}', '[z-a]', '*a', '(?|a|b)', '[[:foo:]]', '\\x{100}']) {
    const made = compileRegex(source, false);
    assert.equal(typeof made, 'string', source);
    assert.notEqual(made, '', source);
  }
});
