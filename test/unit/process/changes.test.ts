/** What a reload says has changed: by meaning, not by line or number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atOnce } from '../../../src/base/slices.ts';
import type { Model } from '../../../src/model/model.ts';
import { changeLines } from '../../../src/process/changes.ts';
import { withSameObjects } from '../../../src/shared/same-objects.ts';
import { SlotBook } from '../../../src/shared/slots.ts';
import { base, load, model } from '../config/loading.ts';

const text = `${base}frontend fe
 bind 127.0.0.1:80
 acl a path_beg /a
 acl b hdr(host) -f /hosts.lst
 http-request deny if a b
 use_backend b1 if a
 default_backend b2
backend b1
 use-server s2 if { path /two }
 server s1 10.0.0.1:80 weight 5 check
 server s2 10.0.0.2:80 track b2/s1
backend b2
 server s1 10.0.0.1:80 check
`;
const files = { '/hosts.lst': 'one\ntwo\n' };

function changes(after: string, filesAfter: Record<string, string> = files): string[] {
  const before = model(load(text, files));
  const between = (next: Model): string[] => atOnce(changeLines(before, next, new SlotBook(before).plan(next)));
  const lines = between(model(load(after, filesAfter)));
  assert.deepEqual(between(atOnce(withSameObjects(model(load(after, filesAfter)), before)).model), lines, 'with the objects of before in it, as a reload compares');
  return lines;
}

test('nothing', () => assert.deepEqual(changes(text), []));

test('lines, sections and servers that come before move everything, and change nothing', () => {
  const more = `# a line\n${base}frontend first\n bind 127.0.0.1:81\n acl c path /c\n default_backend b0\nbackend b0\n server s0 10.0.0.9:80\n`;
  assert.deepEqual(changes(more + text.slice(base.length)), [
    'added frontend first', 'added backend b0', 'added listener frontend first 127.0.0.1:81', 'added server b0/s0',
  ]);
});

for (const [what, from, to, lines] of [
  ['a target', 'use_backend b1 if a', 'use_backend b2 if a', ['changed frontend fe']],
  ['the default', 'default_backend b2', 'default_backend b1', ['changed frontend fe']],
  ['a condition', 'if a b', 'if b', ['changed frontend fe']],
  ['a pattern of a named ACL', 'path_beg /a', 'path_beg /z', ['changed frontend fe']],
  ['a weight', 'weight 5', 'weight 6', ['changed backend b1']],
  ['the server that is tracked', 'track b2/s1', 'track b1/s1', ['changed backend b1']],
  ['the server that is used', 'use-server s2', 'use-server s1', ['changed backend b1']],
  ['a timeout of the defaults', 'timeout server 1s', 'timeout server 2s', ['changed frontend fe', 'changed backend b1', 'changed backend b2']],
  ['a server that others come after', ' server s1 10.0.0.1:80 weight 5 check\n', '', ['removed server b1/s1', 'changed backend b1']],
  ['an ACL that others come after', ' acl a path_beg /a\n', ' acl x path_beg /x\n acl a path_beg /a\n', []],
  ['a name', 'backend b2\n server', 'backend b2\n server s9 10.0.0.9:80\n server', ['added server b2/s9', 'changed backend b2']],
] as const) {
  test(what, () => assert.deepEqual(changes(text.replace(from, to)), lines));
}

test('a pattern file', () => assert.deepEqual(changes(text, { '/hosts.lst': 'one\nthree\n' }), ['changed frontend fe']));
