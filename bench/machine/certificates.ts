/** Server certificates of the bench, self-signed, made with openssl for each run. Used by the stage. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
  /** Both in one file, as `crt` wants it. */
  readonly both: string;
}

export type KeyKind = 'P-256' | 'RSA-2048';
const keyArguments: Readonly<Record<KeyKind, readonly string[]>> = {
  'P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'RSA-2048': ['-newkey', 'rsa:2048'],
};

export function makeCertificate(folder: string, kind: KeyKind): ServerCertificate {
  const base = join(folder, kind);
  const files = { certificate: `${base}.pem`, key: `${base}.key`, both: `${base}.both.pem` };
  execFileSync('openssl', ['req', '-x509', ...keyArguments[kind], '-nodes', '-days', '7', '-keyout', files.key, '-out', files.certificate,
    '-subj', '/CN=bench.local', '-addext', 'subjectAltName=DNS:bench.local'], { stdio: ['ignore', 'ignore', 'pipe'] });
  writeFileSync(files.both, readFileSync(files.certificate, 'latin1') + readFileSync(files.key, 'latin1'));
  return files;
}
