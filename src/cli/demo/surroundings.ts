/**
 * Everything the demo needs around the balancer: a temporary folder with certificate and run folder, the simulated Exchange site
 * as a process, a receiver for its syslog, and the balancer as a process of its own. Used by demo.ts; cleans up behind itself.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programArguments, projectFile } from '../../base/program.ts';
import { makeCertificate } from '../../exchange-sim/certificate.ts';
import type { Target } from './client.ts';
import { pause } from './statistics.ts';

/** Inside the executable only this process can read it. */
const exampleFile = fileURLToPath(projectFile('examples/exchange-l7.cfg'));

/** Where mail is taken, by the balancer and, on addresses of their own, by the servers. */
export const addressOfMail = { host: '127.0.0.10', port: 8587 } as const;
/** Addresses of examples/exchange-l7.cfg, and those for mail. */
const listeners: readonly (readonly [host: string, port: number])[] = [
  ['127.0.0.10', 8080], ['127.0.0.10', 8443], ['127.0.0.10', 8404], ['127.0.0.21', 8443], ['127.0.0.22', 8443],
  [addressOfMail.host, addressOfMail.port], ['127.0.0.21', addressOfMail.port], ['127.0.0.22', addressOfMail.port],
];
const syslogAddress = { host: '127.0.0.1', port: 5140 } as const;
const serverName = 'mail.lab.local';
const startMs = 20_000;
const logWaitMs = 3000;

function portIsFree(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? `${host}:${port} is in use by another program` : `${host}:${port} cannot be used (${error.code ?? error.message})`);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(''));
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

export class Surroundings {
  /** Log lines of the balancer so far, without the syslog header. */
  readonly log: string[] = [];
  /** Called for each log line as it comes. */
  onLogLine: (line: string) => void = () => {};
  /** Called when the balancer or the site ends without being told to. */
  onDeath: (what: string) => void = () => {};
  private readonly folder = mkdtempSync(join(tmpdir(), 'poise-demo-'));
  private readonly certificateFile = join(this.folder, 'exchange.pem');
  private readonly runFolder = join(this.folder, 'run');
  private certificate = '';
  private controlPort = 0;
  private syslog: Socket | null = null;
  private site: ChildProcess | null = null;
  private balancer: ChildProcess | null = null;

  get target(): Target {
    return { host: '127.0.0.10', port: 8443, ca: this.certificate, name: serverName };
  }

  get control(): string {
    return `http://127.0.0.1:${this.controlPort}/components`;
  }

  /** '' when everything but the balancer runs, otherwise one line that says why not. */
  async start(): Promise<string> {
    for (const [host, port] of listeners) {
      const taken = await portIsFree(host, port);
      if (taken !== '') return taken;
    }
    const noLog = await this.listenForLog();
    if (noLog !== '') return noLog;
    mkdirSync(this.runFolder);
    const validFrom = new Date(Date.now() - 86_400_000);
    const made = makeCertificate({ commonName: serverName, names: [serverName, 'autodiscover.lab.local', '127.0.0.10'], validFrom, validDays: 30 });
    this.certificate = made.certPem;
    writeFileSync(this.certificateFile, made.certPem + made.keyPem, { mode: 0o600 });
    return this.startSite(['--anonymous']);
  }

  /** Ends the simulated site and starts it with other arguments; '' or why it did not come up. */
  async replaceSite(words: readonly string[]): Promise<string> {
    await this.stopSite();
    return this.startSite(words);
  }

  /** Starts the balancer with a configuration file; '' or why it did not come up. */
  startBalancer(file: string): Promise<string> {
    const child = spawn(process.execPath, programArguments(['-db', '-f', file]), {
      env: { ...process.env, RUN_DIR: this.runFolder, CRT: this.certificateFile },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.balancer = child;
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-4096);
    });
    child.once('exit', (code, signal) => {
      if (this.balancer === child) this.onDeath(`the balancer ended (${signal ?? `exit code ${code ?? 0}`})\n${said}`);
    });
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`the balancer did not come up within ${startMs / 1000} seconds\n${said}`), startMs);
      child.once('message', () => {
        clearTimeout(timer);
        resolve('');
      });
      child.once('exit', () => {
        clearTimeout(timer);
        resolve(`the balancer did not come up\n${said}`);
      });
    });
  }

  async stopBalancer(): Promise<void> {
    const child = this.balancer;
    this.balancer = null;
    if (child === null) return;
    child.kill('SIGTERM');
    await ended(child);
  }

  /** Writes a copy of the example, changed or not, and gives its path. */
  writeConfiguration(name: string, change: (text: string) => string = (text) => text): string {
    const file = join(this.folder, name);
    writeFileSync(file, change(readFileSync(exampleFile, 'utf8')));
    return file;
  }

  /** Log lines come a moment after the answers: waits until `count` of them match. */
  async logged(matches: (line: string) => boolean, count: number): Promise<string[]> {
    const endMs = Date.now() + logWaitMs;
    while (this.log.filter(matches).length < count && Date.now() < endMs) await pause();
    return this.log.filter(matches);
  }

  /** Set-ServerComponentState of the simulated site. Rejects when the site refuses. */
  async setComponent(server: string, component: string, state: 'Active' | 'Inactive'): Promise<void> {
    const body = JSON.stringify({ server, component, requester: 'Maintenance', state });
    const response = await fetch(this.control, { method: 'POST', body, signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error((await response.text()).trim());
  }

  async close(): Promise<void> {
    await this.stopBalancer();
    await this.stopSite();
    this.syslog?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private listenForLog(): Promise<string> {
    const socket = createSocket('udp4');
    socket.on('message', (bytes) => {
      const line = bytes.toString('latin1').trimEnd().replace(/^<\d+>\w{3} [ \d]\d [\d:]{8} \S+: /, '');
      this.log.push(line);
      this.onLogLine(line);
    });
    return new Promise((resolve) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        const { host, port } = syslogAddress;
        resolve(error.code === 'EADDRINUSE' ? `UDP ${host}:${port} is in use by another program` : `UDP ${host}:${port} cannot be used (${error.code ?? error.message})`);
      });
      socket.bind(syslogAddress.port, syslogAddress.host, () => {
        this.syslog = socket;
        resolve('');
      });
    });
  }

  private async stopSite(): Promise<void> {
    const { site } = this;
    this.site = null;
    if (site === null) return;
    site.kill('SIGTERM');
    await ended(site);
  }

  private startSite(words: readonly string[]): Promise<string> {
    const servers = ['LAB-EX01=127.0.0.21:8443', 'LAB-EX02=127.0.0.22:8443'].flatMap((server) => ['--server', server]);
    const child = spawn(process.execPath, programArguments(['exchange-sim', '--certificate', this.certificateFile, '--control', '127.0.0.1:0', '--attached', ...words, ...servers]), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.site = child;
    child.once('exit', () => {
      if (this.site === child) this.onDeath('the simulated Exchange site ended');
    });
    return new Promise((resolve) => {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (!text.includes('\n')) return;
        this.controlPort = (JSON.parse(text) as { control: number }).control;
        resolve('');
      });
      child.once('exit', () => resolve('the simulated Exchange site did not come up'));
    });
  }
}
