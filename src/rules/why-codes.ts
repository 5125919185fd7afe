/**
 * What a failed attempt met, in words: codes of the system, of TLS on either side, of certificate checks, and those of traffic/dispatch.
 * Each completes "server NAME …". Used by why.ts and by the log line of failed handshakes.
 */
const serverCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused connection',
  ECONNRESET: 'closed or reset the connection before it was ready',
  EPIPE: 'closed the connection before it was ready',
  EHOSTUNREACH: 'cannot be reached (no route to host)',
  ENETUNREACH: 'cannot be reached (no route to its network)',
  ETIMEDOUT: 'did not accept the connection (the system gave up)',
  EACCES: 'cannot be connected (permission denied)',
  ENOENT: 'cannot be connected (its socket does not exist)',
  EMFILE: 'was not connected: no file descriptor was left',
  ENFILE: 'was not connected: no file descriptor was left in the system',
  EADDRNOTAVAIL: 'was not connected: no source port was left, or the source address is not of this machine',
  timeout: 'did not accept the connection within timeout connect',
  'empty-response': 'closed without an answer',
  'junk-response': 'gave a malformed answer',
  'response-timeout': 'did not answer within timeout server',
  CERT_HAS_EXPIRED: 'showed a certificate that has expired',
  CERT_NOT_YET_VALID: 'showed a certificate that is not valid yet',
  CERT_REVOKED: 'showed a certificate that is revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'showed a self-signed certificate that ca-file does not hold',
  SELF_SIGNED_CERT_IN_CHAIN: 'showed a chain whose root ca-file does not hold',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'showed a certificate whose issuer ca-file does not hold',
  UNABLE_TO_GET_ISSUER_CERT: 'showed a certificate whose issuer ca-file does not hold',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'showed a certificate whose issuer ca-file does not hold',
  ERR_TLS_CERT_ALTNAME_INVALID: 'showed a certificate for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS on this port, or no version that both know',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS on this port',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'knows no TLS version that Poise offers',
};

/** Failed handshakes of clients; parts of the code, because its prefix differs between runtimes and TLS versions. */
const clientCodes: readonly (readonly [part: string, words: string])[] = [
  ['HTTP_REQUEST', 'client spoke clear HTTP on a TLS port'],
  ['WRONG_VERSION_NUMBER', 'client did not speak TLS'],
  ['UNSUPPORTED_PROTOCOL', 'client offered no TLS version that is allowed here'],
  ['VERSION_TOO_LOW', 'client offered no TLS version that is allowed here'],
  ['INAPPROPRIATE_FALLBACK', 'client fell back to an older TLS version than both know'],
  ['NO_SHARED_CIPHER', 'client offered no cipher that is allowed here'],
  ['NO_SHARED_GROUP', 'client offered no group that is allowed here'],
  ['NO_APPLICATION_PROTOCOL', 'client offered no protocol (ALPN) that is known here'],
  ['PEER_DID_NOT_RETURN_A_CERTIFICATE', 'client sent no certificate'],
  ['ALERT_UNKNOWN_CA', 'client does not trust the issuer of our certificate'],
  ['ALERT_BAD_CERTIFICATE', 'client took our certificate for a bad one'],
  ['ALERT_CERTIFICATE_EXPIRED', 'client took our certificate for expired'],
  ['ALERT_CERTIFICATE_UNKNOWN', 'client refused our certificate'],
  ['ALERT_PROTOCOL_VERSION', 'client allows none of our TLS versions'],
  ['ALERT_HANDSHAKE_FAILURE', 'client found nothing that both know'],
  ['ECONNRESET', 'client closed or reset the connection during the handshake'],
];

export function codeWords(code: string): string {
  if (/^\d+$/.test(code)) return `answered ${code}`;
  const words = serverCodes[code];
  if (words !== undefined) return words;
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code.includes('CERT')) return `failed the TLS handshake (${code})`;
  return code === '' ? 'failed' : `could not be connected (${code})`;
}

/** '' when the code tells nothing. */
export function handshakeWords(code: string): string {
  return clientCodes.find(([part]) => code.includes(part))?.[1] ?? (code === '' ? '' : `TLS error ${code}`);
}
