/** The project's files as the tidy tests see them: what git knows, or would know. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const home = join(dirname(fileURLToPath(import.meta.url)), '../..');

function listFiles(...args: string[]): string[] {
  return execFileSync('git', ['-C', home, 'ls-files', '-z', ...args], { encoding: 'utf8' }).split('\0').filter((name) => name !== '');
}

/** Tracked and new files, relative to the project; deleted ones left out. */
export function projectFiles(): string[] {
  const deleted = new Set(listFiles('--deleted'));
  return [...new Set([...listFiles(), ...listFiles('--others', '--exclude-standard')])].filter((name) => !deleted.has(name)).sort();
}

export function sources(...folders: string[]): string[] {
  return projectFiles().filter((file) => file.endsWith('.ts') && folders.some((folder) => file.startsWith(`${folder}/`)));
}

const texts = new Map<string, string>();
export function text(file: string): string {
  let content = texts.get(file);
  if (content === undefined) {
    content = readFileSync(join(home, file), 'utf8');
    texts.set(file, content);
  }
  return content;
}

export interface Import {
  /** The file imported, relative to the project; '' for packages. */
  readonly file: string;
  /** As written. */
  readonly specifier: string;
  /** True when nothing is loaded at run time. */
  readonly typeOnly: boolean;
  /** Names imported; `*` for a namespace. */
  readonly names: readonly string[];
}

const importPattern = /^(?:import|export)\s+(type\s+)?((?:[\w$]+\s*,?\s*)?(?:\*\s+as\s+[\w$]+|\*|\{[^}]*\})?)\s*(?:from\s*)?'([^']+)'/gm;
const laterPattern = /(?:import|new URL)\(\s*'([^']+)'/g;
/** By their path in the project: base/program.ts. */
const projectPattern = /projectFile\('([^']+)'\)/g;

function namesOf(clause: string): string[] {
  const names: string[] = [];
  if (clause.includes('*')) names.push('*');
  const braces = /\{([^}]*)\}/.exec(clause);
  for (const part of (braces?.[1] ?? '').split(',')) {
    const name = part.trim().replace(/^type\s+/, '').split(/\s+as\s+/)[0] ?? '';
    if (name !== '') names.push(name);
  }
  const first = /^\s*([\w$]+)/.exec(clause);
  if (first !== null) names.push('default');
  return names;
}

/** Static imports, re-exports, `import('…')`, `new URL('…')` and `projectFile('…')` of a file. */
export function importsOf(file: string): Import[] {
  const content = text(file);
  const found: Import[] = [];
  const resolve = (specifier: string): string => (specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : '');
  for (const [, typeWord, clause = '', specifier = ''] of content.matchAll(importPattern)) {
    const typeOnly = typeWord !== undefined || /^\{\s*(type\s+[\w$]+(\s+as\s+[\w$]+)?\s*,?\s*)+\}$/.test(clause.trim());
    found.push({ file: resolve(specifier), specifier, typeOnly, names: namesOf(clause) });
  }
  for (const [, specifier = ''] of content.matchAll(laterPattern)) found.push({ file: resolve(specifier), specifier, typeOnly: false, names: ['*'] });
  for (const [, specifier = ''] of content.matchAll(projectPattern)) found.push({ file: specifier, specifier, typeOnly: false, names: ['*'] });
  return found;
}
