/**
 * The set-up of a measurement: nginx as origin and wrk as client on core 1, the proxy alone on core 0, both proxies with the
 * same configuration. Used by the workloads.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { certificate } from '../test/harness/certificates.ts';
import { eventually, reservePlace, sleep, type Place } from '../test/harness/place.ts';
import { isListening, projectFolder, type ProgramName } from '../test/harness/program.ts';

const proxyCore = '0';
const loadCore = '1';
const ports = { origin: 8001, clear: 8002, tls: 8003 } as const;
const exec = promisify(execFile);
const running = new Set<ChildProcess>();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

/** Starts a program on one core. taskset replaces itself, so the pid is the program's. */
function onCore(core: string, command: string, args: readonly string[]): ChildProcess {
  const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => { child.once('exit', resolve); });
  if (!running.has(child)) return;
  child.kill('SIGTERM');
  await Promise.race([gone, sleep(3000).then(() => child.kill('SIGKILL'))]);
}

export class Stage {
  private readonly place: Place;
  private readonly origin: ChildProcess;

  private constructor(place: Place, origin: ChildProcess) {
    this.place = place;
    this.origin = origin;
  }

  /** `bodyBytes`: length of every answer's body. */
  static async open(bodyBytes: number): Promise<Stage> {
    const place = await reservePlace();
    const configuration = join(place.folder, 'nginx.conf');
    writeFileSync(configuration, `worker_processes 1; daemon off; pid ${place.folder}/nginx.pid; error_log stderr crit;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_body_temp_path ${place.folder}/t1; proxy_temp_path ${place.folder}/t2;
fastcgi_temp_path ${place.folder}/t3; uwsgi_temp_path ${place.folder}/t4; scgi_temp_path ${place.folder}/t5;
server { listen ${place.address}:${ports.origin} backlog=4096; location / { default_type text/plain; return 200 "${'x'.repeat(bodyBytes)}"; } } }
`);
    const origin = onCore(loadCore, 'nginx', ['-p', place.folder, '-c', configuration]);
    await eventually('nginx', () => isListening(place.address, ports.origin));
    return new Stage(place, origin);
  }

  async close(): Promise<void> {
    await end(this.origin);
    await this.place.release();
  }

  /** Runs the proxy alone on its core while the script works with it. */
  async withProxy<T>(name: ProgramName, script: (proxy: ProxyUnderLoad) => Promise<T>): Promise<T> {
    const file = join(this.place.folder, 'lb.cfg');
    writeFileSync(file, `global
    nbthread 1
    maxconn 8000
defaults
    mode http
    timeout connect 5s
    timeout client 5m
    timeout server 5m
frontend fe
    bind ${this.place.address}:${ports.clear}
    bind ${this.place.address}:${ports.tls} ssl crt ${certificate(['bench.local']).both}
    default_backend be
backend be
    server s1 ${this.place.address}:${ports.origin}
`);
    const child = onCore(proxyCore, name === 'haproxy' ? 'haproxy' : join(projectFolder, 'bin/poise'), ['-f', file, '-db']);
    try {
      for (const port of [ports.clear, ports.tls]) await eventually(`${name} listening`, () => isListening(this.place.address, port), 20_000);
      return await script(new ProxyUnderLoad(child.pid ?? 0, this.place.address));
    } finally {
      await end(child);
      rmSync(file, { force: true });
    }
  }
}

export class ProxyUnderLoad {
  readonly pid: number;
  private readonly address: string;

  constructor(pid: number, address: string) {
    this.pid = pid;
    this.address = address;
  }

  /** Requests that wrk got answered in the time, over keep-alive connections. */
  async load(scheme: 'http' | 'https', connections: number, seconds: number): Promise<number> {
    const url = `${scheme}://${this.address}:${scheme === 'http' ? ports.clear : ports.tls}/`;
    const { stdout } = await exec('taskset', ['-c', loadCore, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, url]);
    const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
    if (requests === 0 || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk: ${stdout}`);
    return requests;
  }

  /** Opens idle TLS connections from another process; the result closes them. */
  async idle(connections: number): Promise<() => Promise<void>> {
    const child = onCore(loadCore, process.execPath, [join(projectFolder, 'bench/idle-clients.ts'), this.address, String(ports.tls), String(connections)]);
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    await eventually('idle connections', () => {
      if (child.exitCode !== null) throw new Error(`idle clients ended: ${text}`);
      return text.includes('ready');
    }, 120_000);
    return () => end(child);
  }
}

/** What a measurement needs and the machine has not. */
export async function missingPrograms(): Promise<string[]> {
  const missing: string[] = [];
  for (const program of ['haproxy', 'nginx', 'wrk', 'taskset', 'openssl']) {
    await exec('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).catch(() => missing.push(program));
  }
  return missing;
}
