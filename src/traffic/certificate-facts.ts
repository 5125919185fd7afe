/** Certificates as rules ask for them (ssl_c_*, ssl_f_*). Reads a DER certificate once, when a rule wants it. */
import { createHash, X509Certificate } from 'node:crypto';
import type { PeerCertificate } from '../rules/subject.ts';

export function readCertificate(der: Uint8Array): PeerCertificate | undefined {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(der);
  } catch {
    return undefined;
  }
  const subjectFields = nameFields(x509.subject);
  const issuerFields = nameFields(x509.issuer);
  return {
    der,
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    subjectFields,
    issuerFields,
    serialHex: x509.serialNumber,
    notBefore: asn1Time(x509.validFrom),
    notAfter: asn1Time(x509.validTo),
    sha1: createHash('sha1').update(der).digest(),
  };
}

/** The runtimes give one `KEY=value` per line. */
function nameFields(name: string | undefined): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of (name ?? '').split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) fields[line.slice(0, at)] ??= line.slice(at + 1);
  }
  return fields;
}

function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').filter((line) => line !== '').map((line) => `/${line}`).join('');
}

/** `Nov 20 22:00:00 2026 GMT` to `261120220000Z`, as HAProxy prints it. */
function asn1Time(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;
}

/** Bits of elliptic curves by the runtimes' names. */
const curveBits: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521, secp224r1: 224 };

/** `RSA2048`, `EC256`; '' for other kinds of keys. */
export function keyAlgorithm(der: Uint8Array): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = new X509Certificate(der).publicKey;
  if (type === 'rsa') return `RSA${details?.modulusLength ?? ''}`;
  return type === 'ec' ? `EC${curveBits[details?.namedCurve ?? ''] ?? ''}` : '';
}

/** Object identifiers of signature algorithms (hex of their DER) and OpenSSL's short names for them. */
const signatureNames: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'RSA-MD5', '2a864886f70d010105': 'RSA-SHA1', '2a864886f70d01010a': 'RSASSA-PSS', '2a864886f70d01010b': 'RSA-SHA256',
  '2a864886f70d01010c': 'RSA-SHA384', '2a864886f70d01010d': 'RSA-SHA512', '2a864886f70d01010e': 'RSA-SHA224', '2a8648ce3d0401': 'ecdsa-with-SHA1',
  '2a8648ce3d040301': 'ecdsa-with-SHA224', '2a8648ce3d040302': 'ecdsa-with-SHA256', '2a8648ce3d040303': 'ecdsa-with-SHA384', '2a8648ce3d040304': 'ecdsa-with-SHA512',
  '2b6570': 'ED25519', '2b6571': 'ED448',
};

/** OpenSSL's short name of the algorithm a certificate is signed with, '' when it is not known. */
export function signatureAlgorithm(der: Uint8Array): string {
  // Certificate: a sequence of the signed part, then the algorithm: a sequence that starts with its identifier.
  const signed = elementAt(der, elementAt(der, 0).start);
  const identifier = elementAt(der, elementAt(der, signed.end).start);
  return signatureNames[Buffer.from(der.subarray(identifier.start, identifier.end)).toString('hex')] ?? '';
}

/** Where the contents of the DER element at `at` lie. */
function elementAt(der: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (der[at + 2 + index] ?? 0);
  const start = at + 2 + lengthBytes;
  return { start, end: start + length };
}
