/** How lines are cut. The expected words are what haproxy 2.6 made of the same lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandInAddress, splitLine } from '../../../src/config/lexer.ts';

const environment: Record<string, string> = { A: '1', B: 'x y', EMPTY: '', '.LINE': '7' };
const variables = (name: string): string | undefined => environment[name];
const words = (text: string): readonly string[] | string => {
  const cut = splitLine(text, variables);
  return cut.words ?? `${cut.fault.column}: ${cut.fault.message}`;
};

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['  bind :80 ', ['bind', ':80']],
  ['daemon\r', ['daemon']],
  ['"a b"c x', ['a bc', 'x']],
  [String.raw`a\ b\qd\x41\$ x`, ['a b\\qdA$', 'x']],
  [String.raw`'a\x41"$A' "it's"`, [String.raw`a\x41"$A`, "it's"]],
  ['a#b c', ['a']],
  [String.raw`a\#b "c#d" '#'`, ['a#b', 'c#d', '#']],
  ['$A ${A}', ['$A', '${A}']],
  ['"$A.x${B}"', ['1.xx y']],
  ['"${NOPE-de f}x" "${A-no}" "${EMPTY-no}" "$NOPE"', ['de fx', '1', '', '']],
  ['"p${B[*]}s" z', ['px', 'ys', 'z']],
  ['"${.LINE}$.LINE"', ['77']],
  ['trail\\', ['trail\\']],
  [String.raw`"a\$A\qx" \t\n\r`, [String.raw`a$A\qx`, '\t\n\r']],
  ['"" x', ['', 'x']],
  [String.raw`%{+Q}o\ %t "%{+Q}o %t"' %s'`, ['%{+Q}o %t', '%{+Q}o %t %s']],
  ['# nothing', []],
  ['', []],
];

for (const [text, expected] of cases) {
  test(`words of ${JSON.stringify(text)}`, () => assert.deepEqual(words(text), expected));
}

test('faults say what and where', () => {
  assert.equal(words('  "open x'), '3: unmatched quote');
  assert.equal(words("  'open"), '3: unmatched quote');
  assert.equal(words('"${A"'), '3: unmatched brace in an environment variable name');
  assert.equal(words('"$1"'), '3: forbidden first character in an environment variable name');
  assert.equal(words('"a$"'), '4: forbidden first character in an environment variable name');
  assert.equal(words(String.raw`a\xzz`), '2: truncated or invalid hexadecimal sequence');
  assert.match(String(words('"${A[1]}"')), /only '\[\*\]'/);
});

test('a line has bounds', () => {
  assert.match(String(words('x '.repeat(3000))), /more than 2048 words/);
  assert.match(String(words('x'.repeat(70000))), /longer than 65536 bytes/);
});

test('addresses expand variables without quotes', () => {
  assert.equal(expandInAddress('$A.2.3.4:${PORT}', (name) => ({ A: '10', PORT: '80' })[name]), '10.2.3.4:80');
  assert.equal(expandInAddress('fd@${NOPE}', variables), 'fd@');
});
