/**
 * Starts programs on one core, waits for their ports, ends them by their pid; says which Debian programs there are and
 * installs the missing ones when it may. Used by the stage, the subjects and the load.
 */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { sleep } from '../../test/harness/place.ts';
import { projectFolder } from '../../test/harness/program.ts';

export const proxyCores = '0';
/** Load, origin and log sink; never the subject (but for W8, which says so). */
export const loadCores = '1';
/** Fewer than two cores would measure the load with the subject. */
export const coresNeeded = 2;
/** Open files that 8,000 bridged connections need, with room. */
const openFilesWanted = 65_536;

const path = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
const environment: NodeJS.ProcessEnv = { ...process.env, PATH: path };

export const bun = join(projectFolder, 'node_modules/.bin/bun');
export const node = process.execPath;

/** Debian package of each program that the bench starts. */
const packages: Readonly<Record<string, string>> = { haproxy: 'haproxy', nginx: 'nginx', wrk: 'wrk', taskset: 'util-linux', prlimit: 'util-linux', openssl: 'openssl' };

const running = new Set<ChildProcess>();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

function isInstalled(program: string): boolean {
  return path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** Installs what is missing when root on Debian; gives what is still missing. */
export function missingPrograms(): string[] {
  const missing = (): string[] => Object.keys(packages).filter((program) => !isInstalled(program));
  const wanted = [...new Set(missing().map((program) => packages[program] ?? program))];
  if (wanted.length > 0 && process.getuid?.() === 0 && isInstalled('apt-get')) {
    console.log(`installing ${wanted.join(' ')}`);
    const options = { env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' as const };
    spawnSync('apt-get', ['-qq', 'update'], options);
    spawnSync('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...wanted], options);
  }
  return missing();
}

export function cores(): number {
  return availableParallelism();
}

let fileLimit: readonly string[] | undefined;

/** What raises the limit of open files as far as it may be raised; found once. */
function raisedFileLimit(): readonly string[] {
  if (fileLimit !== undefined) return fileLimit;
  const hard = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim();
  const words = [String(openFilesWanted), hard].map((files) => ['prlimit', `--nofile=${files}:${files}`]);
  fileLimit = words.find(([command = '', ...args]) => spawnSync(command, [...args, 'true'], { env: environment, stdio: 'ignore' }).status === 0) ?? [];
  return fileLimit;
}

export interface Started {
  readonly pid: number;
  /** What it has printed so far, both streams. */
  output(): string;
  ended(): boolean;
  writeLine(line: string): void;
  end(): Promise<void>;
}

/** Starts a program on the cores. taskset and prlimit replace themselves, so the pid is the program's. */
export function start(on: string, command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const [first = '', ...rest] = [...raisedFileLimit(), 'taskset', '-c', on, command, ...args];
  const child = spawn(first, rest, { cwd: projectFolder, stdio: ['pipe', 'pipe', 'pipe'], env: { ...environment, ...env } });
  running.add(child);
  let text = '';
  const gone = new Promise<void>((resolve) => {
    const done = (): void => { running.delete(child); resolve(); };
    child.once('error', (error) => { text += error.message; done(); });
    child.once('exit', done);
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  child.stdin.on('error', () => { /* it has ended, which ended() tells */ });
  return {
    pid: child.pid ?? 0,
    output: () => text,
    ended: () => !running.has(child),
    writeLine: (line) => { child.stdin.write(`${line}\n`); },
    end: async () => {
      if (!running.has(child)) return;
      child.kill('SIGTERM');
      await Promise.race([gone, sleep(2000).then(() => child.kill('SIGKILL'))]);
      await gone;
    },
  };
}

/** Runs a program of the load to its end and gives what it printed; throws when it fails or takes too long. */
export function runToEnd(command: string, args: readonly string[], secondsMax: number): Promise<string> {
  const [first = '', ...rest] = [...raisedFileLimit(), 'taskset', '-c', loadCores, command, ...args];
  return new Promise((resolve, reject) => {
    execFile(first, rest, { cwd: projectFolder, env: environment, timeout: secondsMax * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${command.split('/').at(-1)}: ${error.killed === true ? `not done after ${secondsMax} s` : `${stderr}${stdout}`.trim().slice(0, 400)}`));
    });
  });
}

/** Pins this process: the bench itself belongs to the load. */
export function onlyOn(on: string): void {
  spawnSync('taskset', ['-a', '-p', '-c', on, String(process.pid)], { env: environment, stdio: 'ignore' });
}

/** First line that a program prints about its version. */
export function versionOf(command: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { env: environment, encoding: 'utf8', cwd: projectFolder });
  return `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n')[0] ?? '';
}
