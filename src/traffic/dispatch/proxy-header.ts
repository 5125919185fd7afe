/** The PROXY header a server gets (`send-proxy*`), from the client's session. Called by connect.ts for each new connection. */
import type { Server } from '../../model/model.ts';
import type { Subject, TlsFacts } from '../../rules/subject.ts';
import { makeProxyV1, makeProxyV2, type ProxyTls } from '../../wire/proxy-protocol.ts';
import { keyAlgorithm, signatureAlgorithm } from '../certificate-facts.ts';
import type { ClientSession } from '../session.ts';

const clear: ProxyTls = { version: '', certificatePresented: false, verifyResult: 0, commonName: '', cipher: '', signatureAlgorithm: '', keyAlgorithm: '' };
/** Any of these brings the TLS part, also for a client without TLS. */
const tlsOptions: ReadonlySet<string> = new Set(['ssl', 'cert-cn', 'ssl-cipher', 'cert-sig', 'cert-key']);

export function proxyHeaderFor(server: Server, session: ClientSession, subject: Subject): Uint8Array {
  if (server.sendProxy === 'v1') return makeProxyV1(session);
  const options = server.proxyV2Options;
  const wantsTls = server.sendProxy !== 'v2' || options.some((option) => tlsOptions.has(option));
  const { tls } = session;
  return makeProxyV2(session, {
    tls: wantsTls ? (tls === null ? clear : tlsPart(server, tls)) : null,
    alpn: tls?.alpn() ?? '',
    authority: options.includes('authority') && tls !== null ? tls.sni() : '',
    uniqueId: options.includes('unique-id') ? subject.uniqueId : '',
    checksum: options.includes('crc32c'),
  });
}

function tlsPart(server: Server, tls: TlsFacts): ProxyTls {
  const options = server.proxyV2Options;
  const certificate = tls.peerCertificate();
  const wantsName = server.sendProxy === 'v2-ssl-cn' || options.includes('cert-cn');
  const own = options.includes('cert-sig') || options.includes('cert-key') ? tls.ownCertificate()?.der : undefined;
  return {
    version: tls.protocol(),
    certificatePresented: certificate !== undefined,
    verifyResult: tls.verifyCode(),
    commonName: wantsName ? (certificate?.subjectFields['CN'] ?? '') : '',
    cipher: options.includes('ssl-cipher') ? tls.cipher() : '',
    signatureAlgorithm: own !== undefined && options.includes('cert-sig') ? signatureAlgorithm(own) : '',
    keyAlgorithm: own !== undefined && options.includes('cert-key') ? keyAlgorithm(own) : '',
  };
}
