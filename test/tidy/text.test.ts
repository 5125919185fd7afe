/** What may and may not stand in the project's files. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { home, projectFiles, sources, text } from './sources.ts';

/** Lines of files that match, as `file:line: text`. */
function lines(files: readonly string[], pattern: RegExp): string[] {
  return files.flatMap((file) => text(file).split('\n').flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])));
}

/** Files above the soft limit, with the reason. */
const longFiles: Readonly<Record<string, string>> = { 'src/model/model.ts': 'the whole Model in one place, types only' };
const generatedFiles = ['package-lock.json', 'docs/configuration.md'];
const measuredData = 'bench/results/';
const softLines = 500;
const hardLines = 800;

const all = projectFiles().filter((file) => !/\.(png|ico|svg|woff2?|bin)$/.test(file));
const code = sources('src', 'test', 'bench', 'fuzz', 'packaging');
const self = 'test/tidy/text.test.ts';

describe('files', () => {
  it('are at most 500 lines long, 800 with a reason', () => {
    const wrong = all.flatMap((file) => {
      const count = text(file).split('\n').length - 1;
      return count <= softLines || generatedFiles.includes(file) || file.startsWith(measuredData) || (count <= hardLines && longFiles[file] !== undefined) ? [] : [`${file}: ${count} lines`];
    });
    assert.deepEqual(wrong, []);
    assert.deepEqual(Object.keys(longFiles).filter((file) => all.includes(file) && text(file).split('\n').length <= softLines), [], 'no longer above the limit');
  });

  it('of the project start with a comment that says what they are', () => {
    assert.deepEqual(code.filter((file) => !/^(#!.*\n)?\/\*\*/.test(text(file))), []);
  });

  it('have functions of at most 70 lines', () => {
    const files = code.filter((file) => !file.endsWith('.test.ts'));
    const config = join(home, 'test/tidy/sizes.oxlintrc.json');
    const result = spawnSync(join(home, 'node_modules/.bin/oxlint'), ['-c', config, '--format=unix', ...files], { cwd: home, encoding: 'utf8' });
    assert.equal(result.status, 0, result.stdout + result.stderr);
  });

  it('end with one newline and have no trailing blanks', () => {
    const own = all.filter((file) => !file.startsWith('examples/') && file !== 'LICENSE');
    assert.deepEqual(own.filter((file) => text(file) !== '' && !/[^\n]\n$/.test(text(file))), []);
    assert.deepEqual(lines(own, /[ \t]$/), []);
  });
});

describe('text', () => {
  it('has no focused or skipped tests', () => {
    assert.deepEqual(lines(sources('test').filter((file) => file !== self), /\.(only|skip|todo)\(|\b(only|skip|todo): *(true|['"`])/), []);
  });

  it('has no marks of unfinished work', () => {
    assert.deepEqual(lines(all.filter((file) => file !== self && file !== 'CONTRIBUTING.md'), /\b(TODO|FIXME|XXX)\b/), []);
    assert.deepEqual(lines(sources('src'), /not implemented|\bstub\b/i), []);
  });

  it('has no paths of one machine and no registry hosts', () => {
    assert.deepEqual(lines(all.filter((file) => file !== self), /\/work\/|\/home\/\w|\/Users\/|registry\.npmjs|deb\.debian\.org|npmmirror/), []);
    assert(!text('package-lock.json').includes('"resolved"'), 'package-lock.json holds download addresses');
  });

  it('has no names that say nothing', () => {
    assert.deepEqual(code.filter((file) => /(manager|helper|utils?|misc|common)\b[^/]*$/i.test(file)), []);
    assert.deepEqual(lines(code.filter((file) => file !== self), /\b(class|interface|function|const|type) \w*(Manager|Helper|Utils?)\b/), []);
  });

  it('switches no checks off in src without a reason', () => {
    assert.deepEqual(lines(sources('src'), /^(?!\s*(?:\*|\/\/|\/\*)).*(?:: any\b|\bas any\b)|@ts-(ignore|expect-error|nocheck)|eslint-disable|oxlint-disable(?!-next-line [\w/-]+ -- \w)/), []);
  });
});

describe('dependencies', () => {
  const manifest = JSON.parse(text('package.json')) as Record<string, Record<string, string>>;
  const names = [...Object.keys(manifest['dependencies'] ?? {}), ...Object.keys(manifest['devDependencies'] ?? {})];

  it('each have a line in docs/dependencies.md', () => {
    const document = text('docs/dependencies.md');
    assert.deepEqual(names.filter((name) => !document.includes(`| ${name} |`)), []);
  });

  it('are pinned to exact versions', () => {
    const versions = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] });
    assert.deepEqual(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)), []);
  });
});

describe('documents', () => {
  it('name only files that exist', () => {
    const known = new Set(projectFiles());
    const documents = all.filter((file) => file.endsWith('.md'));
    const wrong = documents.flatMap((file) => [...text(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap((found) => {
      const target = join(file, '..', found[1] ?? '');
      return known.has(target) || [...known].some((one) => one.startsWith(`${target.replace(/\/$/, '')}/`)) ? [] : [`${file}: ${found[1]}`];
    }));
    assert.deepEqual(wrong, []);
  });

  it('explain every difference that a comparison allows', () => {
    const ids = new Set(sources('test/system').flatMap((file) => [...text(file).matchAll(/differs: \{\s*id: '([\w-]+)'/g)].map((found) => found[1] ?? '')));
    const explained = new Set([...text('docs/differences.md').matchAll(/^### `([\w-]+)`/gm)].map((found) => found[1] ?? ''));
    assert.deepEqual([...ids].filter((id) => !explained.has(id)), []);
  });

  it('generated from the keyword tables are up to date', () => {
    if (!projectFiles().includes('src/cli/write-docs.ts')) assert.fail('src/cli/write-docs.ts is missing');
    execFileSync(join(home, 'node_modules/.bin/node'), [join(home, 'src/cli/write-docs.ts'), '--check'], { cwd: home, stdio: 'pipe' });
  });
});
