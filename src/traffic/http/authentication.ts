/**
 * NTLM and Negotiate authenticate a connection, not a request: which requests and answers make a server connection belong to one
 * client alone. Called for every request and answer head; makes no strings.
 */
import { column, known, type Http1Head } from '../../wire/http1/head.ts';
import { equalsLower } from '../../wire/http1/chars.ts';

const requestMask = (1 << known.authorization) | (1 << known.proxyAuthorization);
const answerMask = (1 << known.wwwAuthenticate) | (1 << known.proxyAuthenticate) | (1 << known.persistentAuth);

/** The request carries credentials that stay with the connection. */
export function bindsConnection(head: Http1Head): boolean {
  if ((head.knownMask & requestMask) === 0) return false;
  return namesScheme(head, known.authorization) || namesScheme(head, known.proxyAuthorization);
}

/** The answer asks for such credentials, or says that they hold. */
export function answerBindsConnection(head: Http1Head): boolean {
  if ((head.knownMask & answerMask) === 0) return false;
  return (head.knownMask & (1 << known.persistentAuth)) !== 0 || namesScheme(head, known.wwwAuthenticate) || namesScheme(head, known.proxyAuthenticate);
}

function namesScheme(head: Http1Head, id: number): boolean {
  for (let line = head.findKnown(id, 0); line >= 0; line = head.findKnown(id, line + 1)) {
    const from = head.table[line * column.stride + column.valueStart] as number;
    const length = (head.table[line * column.stride + column.valueEnd] as number) - from;
    if (length >= 4 && (equalsLower(head.bytes, from, 'ntlm') || equalsLower(head.bytes, from, 'nego'))) return true;
    if (length >= 8 && equalsLower(head.bytes, from, 'kerberos')) return true;
  }
  return false;
}
