/**
 * Certificates for tests, made with openssl on first use, once per test process. Every certificate is signed by one test CA
 * unless its name says otherwise.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './place.ts';

let home = '';
function folder(): string {
  if (home === '') home = temporaryFolder();
  return home;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder(), stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Makes the authority `name` when it is not there; gives the path of its certificate. */
export function authority(name = 'ca'): string {
  const path = join(folder(), `${name}.pem`);
  if (!existsSync(path)) {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
      '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/O=Poise tests/CN=${name}`);
  }
  return path;
}

export interface CertificateFiles {
  /** Certificate and key in one file, as `crt` wants it. */
  readonly both: string;
  readonly certificate: string;
  readonly key: string;
}

/** A certificate for the names (the first is the common name), signed by the authority. */
export function certificate(names: readonly string[], signer = 'ca'): CertificateFiles {
  const file = `${signer}-${names.join('_').replaceAll('*', 'any')}`;
  const base = join(folder(), file);
  const files = { both: `${base}.both.pem`, certificate: `${base}.pem`, key: `${base}.key` };
  if (existsSync(files.both)) return files;
  authority(signer);
  const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(',');
  writeFileSync(`${base}.ext`, `subjectAltName=${alternatives}\n`);
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`, '-out', `${file}.csr`,
    '-subj', `/O=Poise tests/CN=${names[0]}`);
  openssl('x509', '-req', '-in', `${file}.csr`, '-CA', `${signer}.pem`, '-CAkey', `${signer}.key`, '-CAcreateserial',
    '-days', '30', '-extfile', `${base}.ext`, '-out', `${file}.pem`);
  writeFileSync(files.both, readFileSync(files.certificate, 'latin1') + readFileSync(files.key, 'latin1'));
  return files;
}

/** The authority's list of revoked certificates: those of these names (the first of each). Gives its path. */
export function revocationList(signer: string, revoked: readonly string[]): string {
  const base = join(folder(), `${signer}-crl${revoked.map((name) => `-${name}`).join('')}`);
  authority(signer);
  writeFileSync(`${base}.index`, '');
  writeFileSync(`${base}.number`, '01\n');
  writeFileSync(`${base}.cnf`, `[ca]\ndefault_ca=d\n[d]\ndatabase=${base}.index\ncrlnumber=${base}.number\ndefault_md=sha256\ndefault_crl_days=30\n`);
  const ca = ['ca', '-config', `${base}.cnf`, '-keyfile', `${signer}.key`, '-cert', `${signer}.pem`];
  for (const name of revoked) openssl(...ca, '-revoke', certificate([name], signer).certificate);
  openssl(...ca, '-gencrl', '-out', `${base}.pem`);
  return `${base}.pem`;
}
