/** Normal forms of targets; the expected texts are what HAProxy makes of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalized } from '../../../src/rules/actions/normalize-uri.ts';

test('paths', () => {
  assert.equal(normalized('/a//b///c?x//y', 'path-merge-slashes', false), '/a/b/c?x//y');
  assert.equal(normalized('/a/./b/.', 'path-strip-dot', false), '/a/b/');
  assert.equal(normalized('/../a/b/../../../c/..', 'path-strip-dotdot', true), '/');
  assert.equal(normalized('/../a/b/../../../c/..', 'path-strip-dotdot', false), '/../../');
  assert.equal(normalized('http://h//a/../b?..', 'path-strip-dotdot', true), 'http://h//b?..');
});

test('escapes, queries and fragments', () => {
  assert.equal(normalized('/%61%2f%7e%zz', 'percent-decode-unreserved', false), '/a%2f~%zz');
  assert.equal(normalized('/%zz', 'percent-decode-unreserved', true), undefined);
  assert.equal(normalized('/%2f%3a?q=%aa', 'percent-to-uppercase', false), '/%2F%3A?q=%AA');
  assert.equal(normalized('/x?c=1&a=2&b&a=1', 'query-sort-by-name', false), '/x?a=2&a=1&b&c=1');
  assert.equal(normalized('/p#frag#x', 'fragment-strip', false), '/p');
  assert.equal(normalized('/p#frag#x', 'fragment-encode', false), '/p%23frag#x');
});

test('what has no path stays', () => {
  for (const form of ['path-merge-slashes', 'path-strip-dotdot', 'query-sort-by-name'] as const) assert.equal(normalized('*', form, true), '*');
});
