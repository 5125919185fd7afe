/** The committed reference page is what the tables say. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage, keepalivedPage, loggingPage, managementPage } from '../../../src/cli/write-docs.ts';
import { globalTable } from '../../../src/config/global/keywords.ts';
import { proxyTable } from '../../../src/config/proxy/table.ts';

test('docs/configuration.md is current', () => {
  const committed = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  assert.equal(committed === configurationPage(), true, "docs/configuration.md is out of date: run 'npm run docs'");
});

test('docs/keepalived.md is current', () => {
  const committed = readFileSync(new URL('../../../docs/keepalived.md', import.meta.url), 'utf8');
  assert.equal(committed === keepalivedPage(), true, "docs/keepalived.md is out of date: run 'npm run docs'");
});

test('the tables of docs/logging.md are current', () => {
  const committed = readFileSync(new URL('../../../docs/logging.md', import.meta.url), 'utf8');
  assert.equal(committed === loggingPage(committed), true, "docs/logging.md is out of date: run 'npm run docs'");
  assert.ok(committed.includes('queue of the server is full') && committed.includes('RFC 9112 6.1'));
});

test('the table of docs/management.md is current', () => {
  const committed = readFileSync(new URL('../../../docs/management.md', import.meta.url), 'utf8');
  assert.equal(committed === managementPage(committed), true, "docs/management.md is out of date: run 'npm run docs'");
  assert.ok(committed.includes('`set server <bk>/<srv> [opts]`') && committed.includes('**no**'));
});

test('no word stands twice in a table, and each has its sentence', () => {
  for (const table of [proxyTable, globalTable]) {
    const words = table.rows.map((row) => row.word);
    assert.deepEqual(words.filter((word, index) => words.indexOf(word) !== index), []);
    assert.deepEqual(table.rows.filter((row) => !row.help.endsWith('.')).map((row) => row.word), []);
  }
});
