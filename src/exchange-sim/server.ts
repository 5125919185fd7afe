/**
 * One simulated Exchange server: TLS listener, logins, every virtual directory of the front end, healthcheck.htm that follows the
 * component states. Made by site.ts and by tests. Answers name the server, so that a client sees where its request went.
 * An inactive component only takes its healthcheck.htm away, as Managed Availability does; other requests are still served.
 */
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server } from 'node:tls';
import { Authenticator } from './authentication.ts';
import type { Accounts } from './authentication.ts';
import { ScaledClock } from './clock.ts';
import { ComponentStates } from './components.ts';
import { HttpConnection } from './connection.ts';
import type { HttpExchange, ServerSide } from './connection.ts';
import { FormsLogin } from './forms-login.ts';
import type { MailPorts } from './mail/mail-server.ts';
import { channelBindingsOf } from './ntlm.ts';
import { answerPage } from './page.ts';
import { RedirectListener } from './redirect-listener.ts';
import { serviceFor } from './service-list.ts';
import type { ExchangeService, ServerFacts } from './service.ts';
import { directoryOf } from './virtual-directories.ts';
import type { Protection, VirtualDirectory } from './virtual-directories.ts';
import { logLine } from './w3c-log.ts';

export interface ExchangeServerOptions {
  /** `LAB-EX01` */
  readonly name: string;
  /** `LAB-EX01.lab.local`, told by healthcheck.htm in capitals. */
  readonly fqdn: string;
  readonly host: string;
  /** 0: the system chooses, see `port`. */
  readonly port: number;
  /** Plain HTTP that redirects to HTTPS, Exchange's port 80; off when not given, 0: the system chooses, see `redirectPort`. */
  readonly redirectPort?: number;
  /** SMTP, IMAP and POP; site.ts opens them. */
  readonly mailPorts?: MailPorts;
  readonly certPem: string;
  readonly keyPem: string;
  /** Without them everybody is let in and nobody has a name. */
  readonly accounts?: Accounts;
  /** Extended Protection everywhere, or (`directories`) as each directory has it; off when not given. */
  readonly protection?: Protection | 'directories';
  readonly clock?: ScaledClock;
  /** Takes the lines of the log. */
  readonly log?: (line: string) => void;
  /** Instead of the list in service-list.ts; for tests. */
  readonly services?: readonly ExchangeService[];
}

export class ExchangeServer {
  readonly name: string;
  readonly states = new ComponentStates();
  /** Requests that came, health checks not counted. */
  requests = 0;
  /** Connections on which a second user was seen, or an answer to another connection's challenge. */
  faults = 0;
  private readonly options: ExchangeServerOptions;
  private readonly listener: Server;
  private readonly sockets = new Set<Socket>();
  private readonly redirect: RedirectListener | null;
  /** TCP sockets below TLS, by the client's port; for resets. */
  private readonly plainSockets = new Map<number, Socket>();
  private readonly side: ServerSide;
  private readonly authenticator: Authenticator | null;
  private readonly forms: FormsLogin | null;
  private connections = 0;

  constructor(options: ExchangeServerOptions) {
    this.options = options;
    this.name = options.name;
    const facts: ServerFacts = { name: options.name, fqdn: options.fqdn, states: this.states, clock: options.clock ?? new ScaledClock(1) };
    this.side = { facts, handle: (exchange) => this.handle(exchange), finished: (exchange, whole) => options.log?.(logLine(exchange, this.port, whole)) };
    const { accounts } = options;
    this.forms = accounts === undefined ? null : new FormsLogin(accounts, options.keyPem);
    this.authenticator = accounts === undefined ? null : new Authenticator(
      accounts, channelBindingsOf(new X509Certificate(options.certPem).raw), (directory) => this.protectionOf(directory), (exchange, what) => this.fault(exchange, what),
    );
    this.listener = createServer({ cert: options.certPem, key: options.keyPem, ALPNProtocols: ['http/1.1'] }, (socket) => this.serve(socket));
    this.listener.on('connection', (socket: Socket) => {
      const port = socket.remotePort ?? 0;
      this.plainSockets.set(port, socket);
      socket.once('close', () => {
        if (this.plainSockets.get(port) === socket) this.plainSockets.delete(port);
      });
    });
    this.listener.on('tlsClientError', () => {});
    this.redirect = options.redirectPort === undefined ? null : new RedirectListener(options.host, options.redirectPort, facts, (exchange, whole, port) => options.log?.(logLine(exchange, port, whole)));
  }

  /** Rejects with the system's error when the address cannot be bound. */
  async listen(): Promise<void> {
    await this.redirect?.listen();
    await new Promise<void>((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(this.options.port, this.options.host, () => {
        this.listener.off('error', reject);
        resolve();
      });
    });
  }

  get port(): number {
    const address = this.listener.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** 0: off. */
  get redirectPort(): number {
    return this.redirect?.port ?? 0;
  }

  async close(): Promise<void> {
    await this.redirect?.close();
    for (const socket of this.sockets) socket.destroy();
    // Those that are still shaking hands too.
    for (const socket of this.plainSockets.values()) socket.destroy();
    await new Promise<void>((resolve) => {
      this.listener.close(() => resolve());
    });
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    this.connections += 1;
    const connection = new HttpConnection(socket, this.plainSockets.get(socket.remotePort ?? 0) ?? null, this.connections, this.side);
    connection.start();
  }

  private protectionOf(directory: VirtualDirectory): Protection {
    const { protection = 'off' } = this.options;
    return protection === 'directories' ? directory.protection : protection;
  }

  private fault(exchange: HttpExchange, what: string): void {
    this.faults += 1;
    exchange.remark = `FAULT ${what}`;
  }

  private handle(exchange: HttpExchange): void {
    const [path = ''] = exchange.request.target.split('?');
    if (path.toLowerCase().endsWith('/healthcheck.htm')) {
      this.health(exchange, path);
      return;
    }
    this.requests += 1;
    this.cutWhenTold(exchange);
    const directory = directoryOf(path);
    if (path === '/') text(exchange, 302, 'Found', 'text/html', 'Object moved', 'Location: /owa/');
    else if (directory === undefined) text(exchange, 404, 'Not Found', 'text/html', `${this.options.name} has no ${path}`);
    else if (this.letsIn(exchange, directory, path)) this.serveDirectory(exchange, path);
  }

  /** False when the login took the request over. */
  private letsIn(exchange: HttpExchange, directory: VirtualDirectory, path: string): boolean {
    if (this.authenticator === null || this.forms === null) return true;
    if (this.forms.serves(exchange, path)) return false;
    if (directory.schemes.includes('forms') && !exchange.request.headers.has('authorization')) {
      exchange.user = this.forms.userOf(exchange);
      if (exchange.user !== '' || this.options.accounts?.guests === true) return true;
      this.forms.sendToLogon(exchange);
      return false;
    }
    if (this.authenticator.check(exchange, directory) !== 'in') return false;
    this.compareWithSaid(exchange);
    return true;
  }

  /** A test client may ask for a reset of its connection after so many simulated seconds (X-Sim-Cut). */
  private cutWhenTold(exchange: HttpExchange): void {
    const seconds = Number(exchange.request.headers.get('x-sim-cut') ?? '');
    if (!(seconds > 0)) return;
    exchange.server.clock.after(seconds * 1000, () => {
      if (!exchange.isOver) exchange.reset();
    });
  }

  /** A test client may say who it is (X-Sim-User): whoever is taken for somebody else then is a fault. */
  private compareWithSaid(exchange: HttpExchange): void {
    const said = exchange.request.headers.get('x-sim-user') ?? '';
    if (said !== '' && said !== exchange.user) this.fault(exchange, `${said} is taken for ${exchange.user}`);
  }

  private serveDirectory(exchange: HttpExchange, path: string): void {
    const service = serviceFor(path, this.options.services);
    if (service === undefined) answerPage(exchange);
    else service.handle(exchange);
  }

  private health(exchange: HttpExchange, path: string): void {
    const component = directoryOf(path.slice(0, path.lastIndexOf('/')))?.component ?? null;
    if (component === null) text(exchange, 404, 'Not Found', 'text/html', 'Not Found');
    else if (this.states.effective(component) !== 'Active') text(exchange, 503, 'Service Unavailable', 'text/html', `${component} is not active`);
    else text(exchange, 200, 'OK', 'text/html', `200 OK<br/>${this.options.fqdn.toUpperCase()}`);
  }
}

function text(exchange: HttpExchange, status: number, reason: string, type: string, body: string, ...lines: readonly string[]): void {
  exchange.answer(status, reason, [`Content-Type: ${type}`, ...lines], body);
}
