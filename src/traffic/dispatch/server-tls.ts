/**
 * TLS towards one server: its secure context, made once per thread, and the sessions to resume. Used by connect.ts.
 * A name that does not fit and a chain that does not verify end the connection attempt; nothing here talks to clients.
 */
import { checkServerIdentity, createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls';
import type { Server, ServerTls } from '../../model/model.ts';
import { P } from '../../shared/segments.ts';
import type { ThreadContext } from '../thread-context.ts';
import { cipherList } from '../tls-options.ts';

/** Sessions kept for resumption, by server name asked for. */
const sessionsMax = 64;

export class ServerTlsContext {
  /** Client certificate shown to the server, '' = none. */
  readonly certificatePem: string;
  private readonly tls: ServerTls;
  private readonly secureContext: SecureContext;
  private readonly sessions = new Map<string, Buffer>();
  private readonly process: Float64Array;

  constructor(server: Server, context: ThreadContext) {
    if (server.tls === null) throw new TypeError('server without ssl');
    this.tls = server.tls;
    this.process = context.process;
    const certificate = context.plan.model.certificates[server.tls.certificate];
    this.certificatePem = certificate?.certPem ?? '';
    const { tls } = this;
    const ciphers = cipherList(tls);
    this.secureContext = createSecureContext({
      minVersion: tls.minVersion,
      maxVersion: tls.maxVersion,
      ...(ciphers === '' ? {} : { ciphers }),
      ...(tls.curves === '' ? {} : { ecdhCurve: tls.curves }),
      ...(tls.caPem === '' ? {} : { ca: tls.caPem }),
      ...(tls.crlPem === '' ? {} : { crl: tls.crlPem }),
      ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
    });
  }

  options(sni: string): ConnectionOptions {
    const { tls } = this;
    const session = tls.noReuse ? undefined : this.sessions.get(sni);
    const name = tls.verifyHost === '' ? sni : tls.verifyHost;
    return {
      secureContext: this.secureContext,
      servername: sni,
      rejectUnauthorized: tls.verify === 'required',
      // Without verifyhost and SNI any name will do: the chain alone counts, as in HAProxy.
      checkServerIdentity: (_host, certificate) => (name === '' ? undefined : checkServerIdentity(name, certificate)),
      ...(tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
      ...(session === undefined ? {} : { session }),
    };
  }

  remember(sni: string, session: Buffer): void {
    if (this.tls.noReuse) return;
    if (this.sessions.size >= sessionsMax && !this.sessions.has(sni)) this.sessions.clear();
    this.sessions.set(sni, session);
  }

  counted(resumed: boolean): void {
    if (!resumed) this.process[P.server_ssl_handshakes] = (this.process[P.server_ssl_handshakes] as number) + 1;
  }
}
