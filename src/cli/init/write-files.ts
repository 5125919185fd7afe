/**
 * Writes several files all together or not at all: each is written beside its place first, and only when all of them are on the disk do they
 * get their names. Called by exchange.ts.
 */
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NewFile { readonly name: string; readonly text: string }

/** Empty: written. Otherwise what is in the way, and nothing was changed. */
export function writeFiles(folder: string, files: readonly NewFile[], force: boolean): string {
  const present = files.map((file) => file.name).filter((name) => kindOf(join(folder, name)) !== 'none');
  const taken = present.find((name) => kindOf(join(folder, name)) === 'folder');
  if (taken !== undefined) return `${join(folder, taken)} is a folder; name another folder with --out`;
  if (present.length > 0 && !force) return `${folder} has ${present.join(', ')} already; name another folder with --out, or overwrite with --force`;
  const waiting = files.map((file) => ({ ...file, path: join(folder, file.name), beside: join(folder, `.${file.name}.${process.pid}.new`) }));
  const done: string[] = [];
  try {
    mkdirSync(folder, { recursive: true });
    for (const file of waiting) writeFileSync(file.beside, file.text, { flag: 'wx', flush: true });
    for (const file of waiting) {
      renameSync(file.beside, file.path);
      done.push(file.path);
    }
    return '';
  } catch (error) {
    for (const path of [...waiting.map((file) => file.beside), ...force ? [] : done]) remove(path);
    return `cannot write to ${folder}: ${(error as NodeJS.ErrnoException).code ?? String(error)}; choose a folder that you may write to with --out`;
  }
}

function kindOf(path: string): 'file' | 'folder' | 'none' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'none';
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was never there: its folder is none.
  }
}
