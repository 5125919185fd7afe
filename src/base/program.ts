/**
 * Where the program's own parts are: in the folders of a checkout, run by Bun or Node.js, or inside the one executable that
 * packaging/build.ts makes. Used by whoever starts a thread or a process of this program, or reads a file that comes with it.
 */

/** Modules of the executable have addresses in a folder that exists only inside it. */
export const isExecutable = import.meta.url.startsWith('file:///$bunfs/');
/** Everything is one module there; otherwise this file is two folders deep. */
const projectFolder = new URL(isExecutable ? './' : '../../', import.meta.url);
/** What the runtime was told before the program's own words. */
const runtimeWords: readonly string[] = isExecutable ? [] : [...process.execArgv, process.argv[1] ?? ''];

/** A file by its path in the project. Outside src/ the executable has those that packaging/build.ts puts in. */
export function projectFile(path: string): URL {
  return new URL(path, projectFolder);
}

/** Arguments with which `process.execPath` runs this program again. */
export function programArguments(words: readonly string[]): string[] {
  return [...runtimeWords, ...words];
}
