/**
 * One balancer with its origins, log server and clients on an address of its own. The configuration is a template:
 * `{name}` becomes `address:port` (the same port in every site of one definition), `{name.port}` the port, `{addr}` the
 * address, `{dir}` the site's folder, `{admin}` the runtime socket, `{log}` the log server, and what `values` adds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client, type ClientOptions } from './client.ts';
import { readLog } from './log.ts';
import type { Message } from './http.ts';
import type { Origin } from './origin.ts';
import { reservePlace, type Place } from './place.ts';
import { Program, type ProgramName } from './program.ts';
import { runtimeCommand } from './runtime-socket.ts';
import { SyslogSink } from './syslog.ts';

export interface SiteDefinition {
  /** A global and a defaults section are put before it unless it has its own. */
  readonly configuration: string;
  /** Fresh origins for each site, by the name used in the configuration. */
  readonly origins?: () => Readonly<Record<string, Origin>>;
  /** Files in the site's folder; templates too. */
  readonly files?: Readonly<Record<string, string>>;
  readonly values?: () => Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

const globalSection = `global
    log {log} local0
    nbthread 1
    maxconn 2000
    stats socket {admin} mode 600 level admin
`;
const defaultsSection = `defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
`;
const logPort = 5514;
const firstPort = 8000;

export class Site {
  readonly program: ProgramName;
  readonly place: Place;
  readonly origins: Readonly<Record<string, Origin>>;
  readonly log = new SyslogSink();
  readonly configuration: string;
  readonly file: string;
  process: Program | null = null;
  private readonly ports = new Map<string, number>();
  private readonly definition: SiteDefinition;
  private readonly clients: Client[] = [];

  private constructor(program: ProgramName, place: Place, definition: SiteDefinition) {
    this.program = program;
    this.place = place;
    this.definition = definition;
    this.origins = definition.origins?.() ?? {};
    const body = definition.configuration;
    const text = (/^global/m.test(body) ? '' : globalSection) + (/^defaults/m.test(body) ? '' : defaultsSection) + body;
    this.configuration = this.fill(text.endsWith('\n') ? text : `${text}\n`);
    this.file = join(place.folder, 'lb.cfg');
    writeFileSync(this.file, this.configuration);
    for (const [name, content] of Object.entries(definition.files ?? {})) {
      const path = join(place.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, this.fill(content));
    }
  }

  /** Address, folder and configuration; nothing runs yet. */
  static async prepare(program: ProgramName, definition: SiteDefinition): Promise<Site> {
    return new Site(program, await reservePlace(), definition);
  }

  /** A running site. */
  static async start(program: ProgramName, definition: SiteDefinition): Promise<Site> {
    const site = await Site.prepare(program, definition);
    try {
      await site.startOrigins();
      await site.startProgram();
      return site;
    } catch (error) {
      await site.stop().catch(() => {});
      throw error;
    }
  }

  async startOrigins(): Promise<void> {
    await this.log.listen(this.place.address, logPort);
    for (const [name, origin] of Object.entries(this.origins)) await origin.listen(this.place.address, this.port(name));
  }

  async startProgram(): Promise<void> {
    this.process = new Program(this.program, ['-f', this.file, '-db'], { cwd: this.place.folder, ...(this.definition.environment === undefined ? {} : { env: this.definition.environment }) });
    await this.process.listening(this.boundPorts());
  }

  /** Exit code and output of a run that is expected to end by itself. */
  async runOnce(args: readonly string[]): Promise<{ code: number | string; stdout: string; stderr: string }> {
    const once = new Program(this.program, args, { cwd: this.place.folder });
    this.process = once;
    const code = await once.exited();
    return { code, stdout: this.anonymous(once.stdout), stderr: this.anonymous(once.stderr) };
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    try {
      await this.process?.stop();
    } finally {
      for (const origin of Object.values(this.origins)) await origin.close();
      await this.log.close();
      await this.place.release();
    }
  }

  port(name: string): number {
    const known = this.ports.get(name);
    if (known !== undefined) return known;
    const port = firstPort + this.ports.size;
    this.ports.set(name, port);
    return port;
  }

  origin(name: string): Origin {
    const origin = this.origins[name];
    if (origin === undefined) throw new Error(`the site has no origin ${name}`);
    return origin;
  }

  async client(bind: string, options: ClientOptions = {}): Promise<Client> {
    const client = await Client.connect(this.place.address, this.port(bind), options);
    this.clients.push(client);
    return client;
  }

  /** Sends one request on a connection of its own and reads one answer. */
  async ask(bind: string, request: string, options: ClientOptions = {}): Promise<Message> {
    const client = await this.client(bind, options);
    const answer = await client.send(request).answer(request.split(' ')[0]);
    client.close();
    return answer;
  }

  /** Sends bytes and gives everything that comes until the other side closes. */
  async everything(bind: string, bytes: string, options: ClientOptions = {}): Promise<{ bytes: string; ending: string }> {
    const client = await this.client(bind, options);
    const rest = await client.send(bytes).rest();
    client.close();
    return { bytes: this.anonymous(rest.bytes), ending: rest.ending };
  }

  command(line: string): Promise<string> {
    return runtimeCommand(join(this.place.folder, 'admin.sock'), line);
  }

  /** Log lines that match, without what differs from run to run. */
  async logLines(pattern: RegExp, count = 1): Promise<string[]> {
    return (await this.log.matching(pattern, count)).map((line) => readLog(this.anonymous(line)));
  }

  async logLine(pattern: RegExp): Promise<string> {
    return (await this.logLines(pattern))[0] ?? '';
  }

  /** The text with this site's address and folder taken out. */
  anonymous(text: string): string {
    return text.replaceAll(this.place.folder, 'DIR').replaceAll(this.place.address, 'ADDR');
  }

  fill(template: string): string {
    const values: Record<string, string> = {
      addr: this.place.address, dir: this.place.folder, admin: join(this.place.folder, 'admin.sock'), log: `${this.place.address}:${logPort}`,
      ...this.definition.values?.(),
    };
    return template.replace(/(?<!%)\{([a-z]\w*)(\.port)?\}/g, (_, name: string, portOnly?: string) => {
      const value = values[name];
      if (value !== undefined) return value;
      return portOnly === undefined ? `${this.place.address}:${this.port(name)}` : String(this.port(name));
    });
  }

  private boundPorts(): { address: string; port: number }[] {
    const found = this.configuration.matchAll(/^\s*bind\s+(127\.[\d.]+):(\d+)/gm);
    return [...found].map((one) => ({ address: one[1] ?? '', port: Number(one[2]) }));
  }
}
