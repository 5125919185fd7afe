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
