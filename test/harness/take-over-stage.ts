/**
 * A balancer with every kind of bind under steady load, whose process is replaced again and again. For the system tests of take-overs and
 * for bench/take-over/soak.ts.
 */
import type { Server } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificate } from './certificates.ts';
import { reservePlace, sleep, type Place } from './place.ts';
import { Program, type ProgramName } from './program.ts';
import { runtimeCommand } from './runtime-socket.ts';
import { SteadyLoad, startQuickOrigin, type LoadTarget } from './steady-load.ts';

const [httpPort, tlsPort, tcpPort, proxyPort, originPort] = [8000, 8443, 8001, 8002, 8080];

/** Sums of `show stat` that a take-over must not change. */
export interface Sums { readonly requests: number; readonly connections: number }

interface StageShape {
  readonly threads?: number;
  /** Lines of the global section. */
  readonly global?: string;
  /** A configuration that HAProxy reads too: no state folder, no abstract address, which HAProxy fills up with zeroes. */
  readonly forBoth?: boolean;
}

export class TakeOverStage {
  readonly place: Place;
  readonly file: string;
  readonly admin: string;
  load: SteadyLoad | null = null;
  current: Program | null = null;
  private readonly origin: Server;
  private readonly all: Program[] = [];
  private readonly shape: StageShape;

  private constructor(place: Place, origin: Server, shape: StageShape) {
    this.place = place;
    this.origin = origin;
    this.file = join(place.folder, 'lb.cfg');
    this.admin = join(place.folder, 'admin.sock');
    this.shape = shape;
    this.write(shape.threads ?? 2);
  }

  static async prepare(shape: StageShape = {}): Promise<TakeOverStage> {
    const place = await reservePlace();
    return new TakeOverStage(place, await startQuickOrigin(place.address, originPort), shape);
  }

  write(threads: number): void {
    const { address, folder } = this.place;
    const abstract = this.shape.forBoth === true ? '' : `    bind abns@test-${address}\n`;
    // HAProxy knows no such section; by itself it closes idle connections on which a request may be on its way; and it waits for its own idle ones.
    const last = this.shape.forBoth === true ? '' : `poise\n    state-folder ${join(folder, 'state')}\n`;
    writeFileSync(this.file, `global
    nbthread ${threads}
    maxconn 2000
    stats socket ${this.admin} mode 600 level admin expose-fd listeners
${this.shape.global ?? ''}
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
${this.shape.forBoth === true ? '    option idle-close-on-response\n' : ''}frontend fe
    bind ${address}:${httpPort}
    bind ${address}:${tlsPort} ssl crt ${certificate(['load.example']).both}
    bind ${join(folder, 'bind.sock')} mode 600
${abstract}    default_backend be
backend be
    server s1 ${address}:${originPort}
listen pass
    mode tcp
    bind ${address}:${tcpPort}
    server s1 ${address}:${originPort}
listen inner
    bind ${address}:${proxyPort}-${proxyPort + 1}
${this.shape.forBoth === true ? '    http-reuse never\n' : ''}    server s1 ${join(folder, 'bind.sock')}
${last}`);
  }

  /** So many clients that keep their connections, and half as many that do not, over all binds. */
  startLoad(kept: number, pauseMs: number): void {
    const host = this.place.address;
    const share = (part: number): { kept: number; fresh: number } => ({ kept: Math.ceil(kept * part), fresh: Math.ceil(kept * part / 2) });
    const targets: LoadTarget[] = [
      { name: 'http', to: { host, port: httpPort }, ...share(0.5) },
      { name: 'tls', to: { host, port: tlsPort }, tls: true, ...share(0.1) },
      { name: 'unix', to: { path: join(this.place.folder, 'bind.sock') }, ...share(0.1) },
      { name: 'tcp', to: { host, port: tcpPort }, ...share(0.1), requestsPerConnection: 50 },
      { name: 'range', to: { host, port: proxyPort + 1 }, ...share(0.1) },
    ];
    if (this.shape.forBoth !== true) targets.push({ name: 'abstract', to: { path: `\0test-${host}` }, ...share(0.1) });
    this.load = new SteadyLoad(targets, pauseMs);
  }

  async start(name: ProgramName = 'poise', words: readonly string[] = []): Promise<Program> {
    const program = new Program(name, ['-f', this.file, '-db', ...words], { cwd: this.place.folder });
    this.all.push(program);
    this.current = program;
    const end = Date.now() + 90_000;
    while (await this.pid() !== program.pid) {
      if (program.ended !== null || Date.now() > end) throw new Error(`${name} does not serve (${program.ended ?? 'runs'}):\n${program.stderr}`);
      await sleep(20);
    }
    await program.listening([httpPort, tlsPort, tcpPort, proxyPort, proxyPort + 1].map((port) => ({ address: this.place.address, port })));
    return program;
  }

  /** A master with its balancer process. */
  async startMaster(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const program = new Program('poise', ['-f', this.file, ...words], { cwd: this.place.folder, env });
    this.all.push(program);
    const end = Date.now() + 90_000;
    while (!program.stderr.includes('Loading success')) {
      if (program.ended !== null || Date.now() > end) throw new Error(`the master does not serve (${program.ended ?? 'runs'}):\n${program.stderr}`);
      await sleep(20);
    }
    return program;
  }

  /** Starts the next process and waits until the one before has ended by itself. Milliseconds until the next served, and until the end. */
  async replace(name: ProgramName = 'poise', fromSocket = false): Promise<{ readonly servedMs: number; readonly endedMs: number }> {
    const before = this.current;
    if (before === null) throw new Error('nothing runs');
    const sinceMs = performance.now();
    await this.start(name, [...fromSocket ? ['-x', this.admin] : [], '-sf', String(before.pid)]);
    const servedMs = performance.now() - sinceMs;
    const code = await before.exited(90_000);
    // HAProxy 2.6.12 was seen to crash at its very end, when all of its proxies had stopped: whether a client noticed decides then.
    const crashedAtTheEnd = before.name === 'haproxy' && code === 'SIGSEGV' && before.stderr.includes('Proxy fe stopped');
    if (code !== 0 && !crashedAtTheEnd) throw new Error(`the process before ended with ${code}:\n${before.stderr}`);
    return { servedMs, endedMs: performance.now() - sinceMs };
  }

  /** Of the process that answers on the runtime socket; 0 = none. */
  async pid(): Promise<number> {
    try {
      return Number(/^Pid: (\d+)/m.exec(await runtimeCommand(this.admin, 'show info'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  }

  /** Of frontend fe, as the process that runs knows them. */
  async sums(): Promise<Sums> {
    const [head = '', ...rows] = (await runtimeCommand(this.admin, 'show stat fe 1 -1')).split('\n');
    const columns = head.replace('# ', '').split(',');
    const row = rows.find((one) => one.startsWith('fe,FRONTEND,'))?.split(',') ?? [];
    const figure = (name: string): number => Number(row[columns.indexOf(name)] ?? NaN);
    return { requests: figure('req_tot'), connections: figure('conn_tot') };
  }

  async close(): Promise<void> {
    await this.load?.stop();
    for (const program of this.all) await program.stop().catch(() => {});
    await new Promise((resolve) => { this.origin.close(resolve); });
    await this.place.release();
  }
}
