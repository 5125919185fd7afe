/** Choice of certificates: folders, crt-list filters, key types, default and strict-sni; and what clients must show. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { authority, certificate } from '../../harness/certificates.ts';
import { Client } from '../../harness/client.ts';
import { comparison } from '../../harness/comparison.ts';
import { get } from '../../harness/observe.ts';
import { named } from '../../harness/origin.ts';
import { temporaryFolder } from '../../harness/place.ts';
import { runtime } from '../../harness/program.ts';
import type { Site } from '../../harness/site.ts';

/** On Node a name has one certificate, the RSA one if there is one: clients that cannot use it are refused. */
const rsaOnNode = (length: number) => (runtime === 'bun' ? {} : {
  differs: {
    id: 'key-types-on-node',
    poise: (lines: string[]) => lines.map((line, index) => (index >= length || !line.endsWith('prime256v1') ? line : index % 2 === 1 ? line.replace(/: .*/, ': refused') : line.replace(/: .*/, `: ${line.split(':')[0]} 2048`))),
  },
});

let made: Record<string, string> | null = null;

/** Self-signed with an RSA key, so that a name has certificates of both kinds. */
function rsa(folder: string, file: string, name: string): void {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-keyout', `${file}.key`, '-out', `${file}.crt`, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`], { cwd: folder, stdio: 'ignore' });
  writeFileSync(join(folder, file), readFileSync(join(folder, `${file}.crt`), 'latin1') + readFileSync(join(folder, `${file}.key`), 'latin1'));
}

/** A client certificate of the test authority that ended yesterday. */
function expired(folder: string): void {
  const ca = authority();
  execFileSync('openssl', ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'expired.key', '-out', 'expired.csr', '-subj', '/CN=late'], { cwd: folder, stdio: 'ignore' });
  execFileSync('openssl', ['x509', '-req', '-in', 'expired.csr', '-CA', ca, '-CAkey', ca.replace(/\.pem$/, '.key'), '-CAcreateserial', '-days', '-1', '-out', 'expired.pem'], { cwd: folder, stdio: 'ignore' });
}

function values(): Record<string, string> {
  if (made !== null) return made;
  const folder = temporaryFolder();
  const certificates = join(folder, 'certs');
  mkdirSync(certificates);
  const put = (file: string, names: string[]): void => copyFileSync(certificate(names).both, join(certificates, file));
  put('b-lab.pem', ['lab.local', 'www.lab.local']);
  put('c-wild.pem', ['*.wild.local']);
  put('d-mail.pem', ['mail.wild.local']);
  rsa(folder, 'rsa.pem', 'lab.local');
  rsa(folder, 'exactrsa.pem', 'exact.wild.local');
  writeFileSync(join(folder, 'negative'), `${certificate(['lab.local', 'www.lab.local']).both}\n${certificate(['*.wild.local']).both} !bad.wild.local\n`);
  // HAProxy reads name.rsa and name.ecdsa together when the line names neither.
  copyFileSync(join(folder, 'rsa.pem'), join(folder, 'both.pem.rsa'));
  copyFileSync(certificate(['lab.local', 'www.lab.local']).both, join(folder, 'both.pem.ecdsa'));
  expired(folder);
  writeFileSync(join(folder, 'list'), [
    `${certificate(['lab.local', 'www.lab.local']).both}`,
    `${certificate(['*.wild.local']).both} *.wild.local !bad.wild.local`,
    `${certificate(['other.local']).both} [ssl-min-ver TLSv1.2] Other.Local extra.local *.deep.local`,
    '',
  ].join('\n'));
  made = { folder: certificates, rsa: join(folder, 'rsa.pem'), ecdsa: certificate(['lab.local', 'www.lab.local']).both, both: join(folder, 'both.pem'), list: join(folder, 'list'), negative: join(folder, 'negative'), wild: certificate(['*.wild.local']).both, exactrsa: join(folder, 'exactrsa.pem'), lab: certificate(['lab.local', 'www.lab.local']).both, ca: authority(), expired: join(folder, 'expired') };
  return made;
}

const tried = async (site: Site, bind: string, options: ConnectionOptions): Promise<string> => {
  try {
    const client = await Client.connect(site.place.address, site.port(bind), { tls: options });
    const { subject, bits, asn1Curve } = client.tls.getPeerCertificate() as { subject?: { CN?: string }; bits?: number; asn1Curve?: string };
    client.close();
    return `${options.servername ?? '-'}: ${subject?.CN} ${asn1Curve ?? bits}`;
  } catch {
    return `${options.servername ?? '-'}: refused`;
  }
};
const shown = (bind: string, ...clients: ConnectionOptions[]) => async (site: Site): Promise<string[]> => {
  const all: string[] = [];
  for (const options of clients) all.push(await tried(site, bind, options));
  return all;
};
const names = (...list: string[]): ConnectionOptions[] => [...list.map((servername) => ({ servername })), {}];
const onlyRsa: ConnectionOptions = { servername: 'lab.local', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' };
const onlyEcdsa: ConnectionOptions = { servername: 'lab.local', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
const newRsa: ConnectionOptions = { servername: 'lab.local', minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256:RSA+SHA256' };
const newEcdsa: ConnectionOptions = { servername: 'lab.local', minVersion: 'TLSv1.3', sigalgs: 'ecdsa_secp256r1_sha256' };

comparison('certificates', {
  origins: () => ({ a: named('a') }), values,
  configuration: `
frontend fe
    bind {folder.port} ssl crt {folder}
    bind {folderstrict} ssl crt {folder} strict-sni
    bind {listed} ssl crt-list {list}
    bind {listedstrict} ssl crt-list {list} strict-sni
    bind {pair} ssl crt {rsa} crt {ecdsa}
    bind {riap} ssl crt {ecdsa} crt {rsa}
    bind {bundle} ssl crt {both}
    bind {mixed} ssl crt {lab} crt {wild} crt {exactrsa}
    bind {negated} ssl crt-list {negative}
    bind {required} ssl crt {lab} ca-file {ca} verify required
    bind {lenient} ssl crt {lab} ca-file {ca} verify required crt-ignore-err 10
    bind {optional} ssl crt {lab} ca-file {ca} verify optional
    default_backend be
backend be
    http-request return status 200 content-type text/plain lf-string "%[ssl_c_used] %[ssl_c_verify]"
    server s1 {a}
`.replace('bind {folder.port}', 'bind {infolder}'),
}, (situation) => {
  situation('a folder', shown('infolder', ...names('lab.local', 'WWW.Lab.Local', 'x.wild.local', 'mail.wild.local', 'a.b.wild.local', 'unknown.local')), { shows: ['*.wild.local', 'mail.wild.local'] });
  situation('a folder with strict-sni', shown('folderstrict', ...names('lab.local', 'MAIL.wild.local', 'unknown.local')), { shows: 'refused' });
  situation('crt-list filters', shown('listed', ...names('lab.local', 'good.wild.local', 'bad.wild.local', 'other.local', 'extra.local', 'EXTRA.local', 'x.deep.local', 'no.extra.local')), { shows: 'other.local' });
  situation('crt-list filters with strict-sni', shown('listedstrict', ...names('lab.local', 'good.wild.local', 'bad.wild.local', 'extra.local', 'no.extra.local')), { shows: 'refused' });
  situation('RSA and ECDSA for one name', shown('pair', onlyRsa, onlyEcdsa, newRsa, newEcdsa, { servername: 'lab.local' }, {}), { shows: ['2048', 'prime256v1'], ...rsaOnNode(5) });
  situation('ECDSA and RSA for one name', shown('riap', onlyRsa, onlyEcdsa, newRsa, newEcdsa, { servername: 'lab.local' }, {}), { shows: ['2048', 'prime256v1'], ...rsaOnNode(5) });
  situation('a bundle', shown('bundle', onlyRsa, onlyEcdsa, newRsa, newEcdsa, { servername: 'lab.local' }, {}), { shows: ['2048', 'prime256v1'] });

  situation('an exact name and a wildcard of other key types', async (site) => {
    const all: string[] = [];
    for (const options of [onlyRsa, onlyEcdsa, {}]) all.push(await tried(site, 'mixed', { ...options, servername: 'exact.wild.local' }));
    return all;
  }, { shows: ['2048', 'prime256v1'], ...rsaOnNode(3) });
  situation('a crt-list line of exclusions only', shown('negated', ...names('good.wild.local', 'bad.wild.local', 'other.local')), { shows: 'lab.local' });

  const client = (which: 'good' | 'none' | 'foreign' | 'late'): ConnectionOptions => {
    if (which === 'none') return {};
    const files = which === 'late' ? { certificate: `${values()['expired']}.pem`, key: `${values()['expired']}.key` } : certificate(['poise-client'], which === 'good' ? 'ca' : 'other-ca');
    return { cert: readFileSync(files.certificate), key: readFileSync(files.key) };
  };
  const asked = (bind: string) => async (site: Site): Promise<string[]> => {
    const all: string[] = [];
    for (const which of ['good', 'none', 'foreign', 'late'] as const) {
      try {
        const one = await site.client(bind, { tls: client(which) });
        all.push(`${which}: ${(await one.send(get('/')).answer('GET', 1500)).body}`);
        one.close();
      } catch {
        all.push(`${which}: refused`);
      }
    }
    return all;
  };
  situation('verify required', async (site) => [await asked('required')(site), (await site.logLines(/fe\/10: /, 3)).map((line) => line.replace(/.*fe/, 'fe'))], { shows: ['good: 1 0', 'late: refused', 'handshake'] });
  situation('verify required, expired ones let in', asked('lenient'), { shows: ['late: 1 10', 'foreign: refused'] });
  situation('verify optional', asked('optional'), { shows: ['none: 0 0', 'foreign: refused'] });
});
