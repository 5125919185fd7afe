/** Floors, cycles, and nothing left lying about: the import graph of src against docs/architecture.md. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { importsOf, projectFiles, sources, text } from './sources.ts';

/** `| 2 | config | …` rows of the table in docs/architecture.md. */
function floors(): Map<string, number> {
  const rows = text('docs/architecture.md').matchAll(/^\|\s*(\d+)\s*\|\s*([\w-]+)\s*\|/gm);
  return new Map([...rows].map(([, floor = '', folder = '']) => [folder, Number(floor)]));
}

const folderOf = (file: string): string => file.split('/')[1] ?? '';
/** Folders with a rule of their own: what else they may import. */
const narrow: Readonly<Record<string, readonly string[]>> = { 'exchange-sim': ['base', 'model', 'wire'] };

describe('layout', () => {
  it('every folder of src has a floor in docs/architecture.md', () => {
    const table = floors();
    assert(table.size > 5, 'the table of floors was not found');
    assert.deepEqual([...new Set(sources('src').map(folderOf))].filter((folder) => !table.has(folder)), []);
  });

  it('a folder imports only from folders on a floor below, or itself', () => {
    const table = floors();
    const wrong = sources('src').flatMap((file) => importsOf(file).filter((one) => one.file.startsWith('src/')).flatMap((one) => {
      const [from, to] = [folderOf(file), folderOf(one.file)];
      if (from === to) return [];
      const allowed = narrow[from] === undefined ? (table.get(to) ?? 99) < (table.get(from) ?? 0) : narrow[from].includes(to);
      return allowed ? [] : [`${file} imports ${one.specifier}`];
    }));
    assert.deepEqual(wrong, []);
  });

  it('src never imports tests or tools', () => {
    const wrong = sources('src').flatMap((file) => importsOf(file).filter((one) => one.file !== '' && !one.file.startsWith('src/') && !one.file.startsWith('web/') && !['package.json', 'examples'].some((start) => one.file.startsWith(start))).map((one) => `${file}: ${one.specifier}`));
    assert.deepEqual(wrong, []);
  });

  it('imports have no cycles at run time', () => {
    const graph = new Map(sources('src').map((file) => [file, importsOf(file).filter((one) => !one.typeOnly && one.file.startsWith('src/')).map((one) => one.file)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) { cycles.push([...path.slice(path.indexOf(file)), file].join(' → ')); return; }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    assert.deepEqual(cycles, []);
  });

  it('every import names a file that exists', () => {
    const known = new Set(projectFiles());
    const missing = sources('src', 'test', 'bench', 'fuzz').flatMap((file) => importsOf(file).filter((one) => one.file.endsWith('.ts') && !known.has(one.file)).map((one) => `${file}: ${one.specifier}`));
    assert.deepEqual(missing, []);
  });

  it('every file of src is reached from the command line', () => {
    const reached = new Set<string>();
    const queue = ['src/cli/main.ts', 'src/cli/write-docs.ts'];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      for (const one of importsOf(file)) if (one.file.startsWith('src/') && one.file.endsWith('.ts')) queue.push(one.file);
    }
    assert.deepEqual(sources('src').filter((file) => !reached.has(file)), []);
  });

  it('every export of src is imported somewhere', () => {
    const used = new Map<string, Set<string>>();
    for (const file of sources('src', 'test', 'bench', 'fuzz', 'packaging')) {
      for (const one of importsOf(file)) {
        const names = used.get(one.file) ?? new Set<string>();
        for (const name of one.names) names.add(name);
        used.set(one.file, names);
      }
    }
    const unused = sources('src').flatMap((file) => {
      const names = [...text(file).matchAll(/^export (?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type) ([\w$]+)/gm)].map((found) => found[1] ?? '');
      const importers = used.get(file) ?? new Set<string>();
      return importers.has('*') ? [] : names.filter((name) => !importers.has(name)).map((name) => `${file}: ${name}`);
    });
    assert.deepEqual(unused, []);
  });
});
