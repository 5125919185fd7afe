/**
 * The mail ports of one simulated server: SMTP (server and client connector), IMAP4 and POP3, in clear with STARTTLS or in TLS.
 * Made by site.ts for each server. IMAP and POP stop listening while their component is not Active, as the services stop on
 * Exchange; SMTP goes on listening and says 421 later.
 */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { ImapSession } from './imap.ts';
import { LineSocket } from './line-socket.ts';
import type { LineReader } from './line-socket.ts';
import type { Mailboxes } from './mailboxes.ts';
import { PopSession } from './pop.ts';
import { SmtpSession } from './smtp.ts';

/** How often the component states are looked at. */
const lookMilliseconds = 50;

export const mailProtocols = ['smtp', 'submission', 'imap', 'imaps', 'pop', 'pops'] as const;
export type MailProtocol = (typeof mailProtocols)[number];
/** Protocols that are not in it are off. 0: the system chooses once, see portOf(). */
export type MailPorts = Readonly<Partial<Record<MailProtocol, number>>>;

interface MailServerOptions {
  readonly fqdn: string;
  readonly host: string;
  readonly ports: MailPorts;
  readonly certPem: string;
  readonly keyPem: string;
  readonly mailboxes: Mailboxes;
  /** Whether the component behind the protocol is Active: HubTransport, FrontendTransport, ImapProxy or PopProxy. */
  isActive(protocol: MailProtocol): boolean;
}

interface Port {
  readonly protocol: MailProtocol;
  number: number;
  listener: Server | null;
  readonly sockets: Set<Socket>;
}

export class MailServer {
  private readonly options: MailServerOptions;
  private readonly secureContext: SecureContext;
  private readonly ports: readonly Port[];
  private looking: NodeJS.Timeout | undefined;

  constructor(options: MailServerOptions) {
    this.options = options;
    this.secureContext = createSecureContext({ cert: options.certPem, key: options.keyPem });
    this.ports = mailProtocols.flatMap((protocol) => {
      const number = options.ports[protocol];
      return number === undefined ? [] : [{ protocol, number, listener: null, sockets: new Set<Socket>() }];
    });
  }

  /** Rejects with the system's error when an address cannot be bound. */
  async listen(): Promise<void> {
    for (const port of this.ports) await this.open(port);
    this.looking = setInterval(() => this.look(), lookMilliseconds);
    this.looking.unref();
  }

  /** 0: off. */
  portOf(protocol: MailProtocol): number {
    return this.ports.find((port) => port.protocol === protocol)?.number ?? 0;
  }

  close(): void {
    clearInterval(this.looking);
    for (const port of this.ports) this.shut(port);
  }

  private look(): void {
    for (const port of this.ports) {
      if (port.protocol === 'smtp' || port.protocol === 'submission') continue;
      const active = this.options.isActive(port.protocol);
      if (!active) this.shut(port);
      else if (port.listener === null) this.open(port).catch(() => {});
    }
  }

  private shut(port: Port): void {
    port.listener?.close();
    port.listener = null;
    for (const socket of port.sockets) socket.destroy();
  }

  private open(port: Port): Promise<void> {
    const listener = createServer((socket) => this.serve(port, socket));
    port.listener = listener;
    return new Promise((resolve, reject) => {
      listener.once('error', (error) => {
        port.listener = null;
        reject(error);
      });
      listener.listen(port.number, this.options.host, () => {
        const address = listener.address();
        if (typeof address === 'object' && address !== null) port.number = address.port;
        resolve();
      });
    });
  }

  private serve(port: Port, socket: Socket): void {
    const { protocol } = port;
    port.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => port.sockets.delete(socket));
    const secure = protocol === 'imaps' || protocol === 'pops';
    const stream = secure ? new TLSSocket(socket, { isServer: true, secureContext: this.secureContext }) : socket;
    const lines = new LineSocket(stream, this.secureContext, secure);
    lines.start(this.session(protocol, lines));
  }

  private session(protocol: MailProtocol, lines: LineSocket): LineReader {
    const { fqdn, mailboxes } = this.options;
    if (protocol === 'imap' || protocol === 'imaps') return new ImapSession(lines, mailboxes);
    if (protocol === 'pop' || protocol === 'pops') return new PopSession(lines, fqdn, mailboxes);
    return new SmtpSession(lines, { fqdn, mailboxes, needsLogin: protocol === 'submission', isActive: () => this.options.isActive(protocol) });
  }
}
