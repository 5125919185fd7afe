/**
 * Starts HAProxy or Poise as a child process, waits until it listens, collects what it prints, and ends it by its pid.
 * POISE_RUNTIME chooses what Poise runs on.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from './place.ts';

export const projectFolder = join(dirname(fileURLToPath(import.meta.url)), '../..');
export type ProgramName = 'haproxy' | 'poise';
export const runtime = process.env['POISE_RUNTIME'] === 'node' ? 'node' : 'bun';

const running = new Set<ChildProcess>();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });
// A test process that is told to end takes its programs with it.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** True when something listens on the address and port (read from the kernel, so that no connection is made). */
export function isListening(address: string, port: number): boolean {
  const reversed = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0')).toReversed().join('').toUpperCase();
  const local = `${reversed}:${port.toString(16).padStart(4, '0').toUpperCase()}`;
  return readFileSync('/proc/net/tcp', 'latin1').split('\n').some((line) => {
    const words = line.trim().split(/\s+/);
    return words[1] === local && words[3] === '0A';
  });
}

export class Program {
  readonly name: ProgramName;
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Exit code, or the signal's name; null while it runs. */
  ended: number | string | null = null;
  readonly exit: Promise<number | string>;

  constructor(name: ProgramName, args: readonly string[], options: { cwd?: string; env?: Readonly<Record<string, string>> } = {}) {
    this.name = name;
    const command = name === 'haproxy' ? 'haproxy' : join(projectFolder, 'bin/poise');
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
    const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, PATH: path, ...options.env, POISE_RUNTIME: runtime }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    running.add(child);
    child.stdout?.on('data', (chunk: Buffer) => { this.stdout += chunk.toString(); });
    child.stderr?.on('data', (chunk: Buffer) => { this.stderr += chunk.toString(); });
    this.exit = new Promise((resolve) => {
      const done = (end: number | string): void => { this.ended = end; running.delete(child); resolve(end); };
      child.on('error', (error) => done(error.message));
      child.on('close', (code, signal) => done(code ?? signal ?? 'unknown'));
    });
  }

  get pid(): number { return this.child.pid ?? 0; }

  async listening(ports: readonly { readonly address: string; readonly port: number }[], timeoutMs = 30_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    // Poise tries its addresses for a moment before its threads listen: only what still listens a little later counts.
    const all = (): boolean => ports.every((one) => isListening(one.address, one.port));
    while (!(all() && await sleep(30).then(all))) {
      if (this.ended !== null) throw new Error(`${this.name} ended with ${this.ended} before it listened:\n${this.stderr}${this.stdout}`);
      if (Date.now() > end) throw new Error(`${this.name} does not listen on ${JSON.stringify(ports)}:\n${this.stderr}${this.stdout}`);
      await sleep(10);
    }
  }

  /** Exit code or signal within the time; throws otherwise. */
  async exited(timeoutMs = 10_000): Promise<number | string> {
    const late = Promise.withResolvers<null>();
    const timer = setTimeout(() => late.resolve(null), timeoutMs);
    const end = await Promise.race([this.exit, late.promise]);
    clearTimeout(timer);
    if (end === null) throw new Error(`${this.name} (pid ${this.pid}) still runs after ${timeoutMs} ms:\n${this.stderr}`);
    return end;
  }

  /** Asks it to stop; kills it and throws when it does not. */
  async stop(timeoutMs = 5000): Promise<void> {
    if (this.ended !== null) return;
    this.child.kill('SIGTERM');
    try {
      await this.exited(timeoutMs);
    } catch (error) {
      this.child.kill('SIGKILL');
      await this.exit;
      throw error;
    }
  }

  /** Resident memory in bytes. */
  residentBytes(): number {
    const line = readFileSync(`/proc/${this.pid}/status`, 'latin1').split('\n').find((one) => one.startsWith('VmRSS:')) ?? '';
    return Number(/\d+/.exec(line)?.[0] ?? 0) * 1024;
  }
}
