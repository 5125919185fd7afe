/** The tables of names and what is implemented under them agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actions } from '../../../src/model/catalog/actions.ts';
import { logAliases } from '../../../src/model/catalog/aliases.ts';
import { converters } from '../../../src/model/catalog/converters.ts';
import { fetchAliases, fetches } from '../../../src/model/catalog/fetches.ts';
import { aclKeywords } from '../../../src/model/catalog/acls.ts';
import { convertTable } from '../../../src/rules/convert/table.ts';
import { fetchTable } from '../../../src/rules/fetch/table.ts';
import { makeAliases } from '../../../src/rules/format/aliases.ts';

test('every active fetch is implemented, and nothing else is', () => {
  const active = [...fetches.values()].filter((spec) => spec.state === 'active').map((spec) => spec.name);
  assert.deepEqual(Object.keys(fetchTable).toSorted(), active.toSorted());
});

test('every active converter is implemented, and nothing else is', () => {
  const active = [...converters.values()].filter((spec) => spec.state === 'active').map((spec) => spec.name);
  const made = Object.keys(convertTable).filter((name) => converters.get(name)?.state !== 'inactive');
  assert.deepEqual(made.toSorted(), active.toSorted());
});

test('every log-format variable prints something or is %o', () => {
  assert.deepEqual(Object.keys(makeAliases()).toSorted(), [...logAliases.keys()].toSorted());
});

test('aliases and ACL keywords lead to fetches', () => {
  for (const target of Object.values(fetchAliases)) assert.ok(fetches.has(target), target);
  for (const { fetch } of aclKeywords.values()) assert.ok(fetches.has(fetch), fetch);
});

test('actions name their rulesets', () => {
  for (const spec of actions.values()) assert.match(spec.where, /^[qracsnot]+$/, spec.name);
});
