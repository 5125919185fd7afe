/** Certificates for tests of TLS: one CA and what it signed, made once per test file with openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../../src/model/model.ts';

export interface Made {
  readonly certPem: string;
  readonly keyPem: string;
}

export class CertificateMaker {
  readonly directory = mkdtempSync(join(tmpdir(), 'poise-tls-'));
  readonly ca: Made;

  constructor() {
    this.ca = this.selfSigned('Test CA');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }

  selfSigned(name: string): Made {
    const key = join(this.directory, `${name}.key`);
    const cert = join(this.directory, `${name}.crt`);
    this.openssl(['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`]);
    return { certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
  }

  /** Signed by the CA; `name` is the common name and, unless other names are given, the only DNS name. */
  signed(name: string, names: readonly string[] = [name]): Made {
    const base = join(this.directory, name.replace('*', '_'));
    writeFileSync(`${base}.ext`, `subjectAltName=${names.map((one) => `DNS:${one}`).join(',')}\n`);
    this.openssl(['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${base}.key`, '-out', `${base}.csr`, '-subj', `/CN=${name}`]);
    this.openssl(['x509', '-req', '-in', `${base}.csr`, '-CA', join(this.directory, 'Test CA.crt'), '-CAkey', join(this.directory, 'Test CA.key'), '-CAcreateserial', '-days', '2', '-extfile', `${base}.ext`, '-out', `${base}.crt`]);
    return { certPem: readFileSync(`${base}.crt`, 'utf8'), keyPem: readFileSync(`${base}.key`, 'utf8') };
  }

  private openssl(words: readonly string[]): void {
    execFileSync('openssl', words, { stdio: 'ignore', timeout: 10_000 });
  }
}

export function asCertificate(index: number, made: Made, names: readonly string[]): Certificate {
  return {
    index, path: `cert${index}.pem`, certPem: made.certPem, keyPem: made.keyPem, names, keyType: 'ec', subject: '', issuer: '', serial: '', notBefore: '', notAfter: '', fingerprint: '',
  };
}
