/** What TLS contexts of both sides have in common. Used by listen/ and dispatch/. */
import type { TlsCommon } from '../model/model.ts';

/** One OpenSSL list of all cipher suites, '' = the runtime's own. */
export function cipherList(tls: TlsCommon): string {
  const parts = [tls.ciphersuites, tls.ciphers].filter((part) => part !== '');
  // A list without TLS 1.3 suites would switch TLS 1.3 off; one without the others, TLS 1.2.
  if (parts.length === 1) parts.push(tls.ciphers === '' ? 'DEFAULT' : 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256');
  return parts.join(':');
}
