/**
 * Makes a self-signed X.509 certificate with an EC key, so that the demo and the tests need no openssl program. Used by the
 * simulated Exchange site and by `poise demo`. Not for production: no extensions beyond the names, no revocation.
 * Structure: RFC 5280 section 4.1; encoding: DER (X.690).
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

interface MadeCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

interface CertificateWish {
  readonly commonName: string;
  /** Host names and numeric IPv4 addresses for subjectAltName. */
  readonly names: readonly string[];
  readonly validFrom: Date;
  readonly validDays: number;
}

/** DER tags in use. */
const tag = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31,
  generalizedTime: 0x18, version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87,
} as const;

function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const head = length < 0x80 ? [type, length] : length < 0x100 ? [type, 0x81, length] : [type, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** Dotted object identifier: first two arcs in one byte, then base 128 with continuation bits. */
function oid(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const bytes = [(arcs[0] ?? 0) * 40 + (arcs[1] ?? 0)];
  for (const arc of arcs.slice(2)) {
    const group = [arc & 0x7f];
    for (let rest = arc >>> 7; rest > 0; rest >>>= 7) group.unshift((rest & 0x7f) | 0x80);
    bytes.push(...group);
  }
  return der(tag.oid, Buffer.from(bytes));
}

function time(date: Date): Buffer {
  return der(tag.generalizedTime, Buffer.from(`${date.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`, 'latin1'));
}

function commonName(name: string): Buffer {
  return der(tag.sequence, der(tag.set, der(tag.sequence, oid('2.5.4.3'), der(tag.utf8, Buffer.from(name, 'utf8')))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(tag.boolean, Buffer.from([0xff]))] : [];
  return der(tag.sequence, oid(id), ...flag, der(tag.octetString, value));
}

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    /^\d+\.\d+\.\d+\.\d+$/.test(name)
      ? der(tag.ipAddress, Buffer.from(name.split('.').map(Number)))
      : der(tag.dnsName, Buffer.from(name, 'latin1')));
  return der(tag.sequence, ...entries);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes).toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function makeCertificate(wish: CertificateWish): MadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const algorithm = der(tag.sequence, oid('1.2.840.10045.4.3.2'));
  const serial = randomBytes(16);
  // Positive and without leading zero bytes, as DER integers must be.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const validTo = new Date(wish.validFrom.getTime() + wish.validDays * 86_400_000);
  const toBeSigned = der(
    tag.sequence,
    der(tag.version, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, serial),
    algorithm,
    commonName(wish.commonName),
    der(tag.sequence, time(wish.validFrom), time(validTo)),
    commonName(wish.commonName),
    subjectKey,
    der(tag.extensions, der(
      tag.sequence,
      extension('2.5.29.14', false, der(tag.octetString, createHash('sha1').update(subjectKey).digest())),
      extension('2.5.29.19', true, der(tag.sequence, der(tag.boolean, Buffer.from([0xff])))),
      extension('2.5.29.17', false, alternativeNames(wish.names)),
    )),
  );
  const signature = sign('sha256', toBeSigned, { key: privateKey, dsaEncoding: 'der' });
  const certificate = der(tag.sequence, toBeSigned, algorithm, der(tag.bitString, Buffer.from([0]), signature));
  return { certPem: pem('CERTIFICATE', certificate), keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
