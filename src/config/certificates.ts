/**
 * Certificates named by `crt`: files, folders, key beside the certificate, bundles. Called by build.ts through
 * CertificateStore; each file is read once. Key bytes go into the Model and nowhere else; no message shows them.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { AuthorityFile, Certificate } from '../model/model.ts';
import type { Place } from '../model/problem.ts';
import { filePath } from './context.ts';
import type { Context } from './context.ts';
import { readable } from './problems.ts';

const certificateBlock = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;
const keyBlock = /-----BEGIN (?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY-----[\s\S]+?-----END (?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY-----/;

/** Suffixes of the files of one bundle, and files in a folder that are no certificates. */
const bundleSuffixes = ['.rsa', '.ecdsa', '.dsa'] as const;
const ignoredSuffixes = ['.key', '.issuer', '.ocsp', '.sctl'] as const;

const systemAuthorities = '@system-ca';

/** What `ca-file` and `ca-verify-file` of one line give together. */
export function joinedAuthorities(texts: readonly (string | undefined)[]): string {
  return texts.filter((text) => text !== undefined && text !== '').join('\n');
}

/** `crt-base` for relative names. */
export function withBase(base: string, path: string): string {
  return base === '' || path.startsWith('/') ? path : `${base.replace(/\/$/, '')}/${path}`;
}

/** DNS names in `subjectAltName`, then the common names: HAProxy chooses by both. */
function namesOf(certificate: X509Certificate): string[] {
  const alternative = (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4).toLowerCase()] : []));
  const common = certificate.subject.split('\n').flatMap((part) => (part.startsWith('CN=') ? [part.slice(3).toLowerCase()] : []));
  return [...new Set([...alternative, ...common])];
}

function keyTypeOf(key: KeyObject): Certificate['keyType'] {
  const type = key.asymmetricKeyType;
  if (type === 'rsa' || type === 'rsa-pss') return 'rsa';
  if (type === 'ec' || type === 'dsa' || type === 'ed25519') return type;
  return 'other';
}

/** Lines of a name → `/C=DE/CN=x`, HAProxy's form. */
function oneLine(name: string): string {
  return name.split('\n').map((part) => `/${part}`).join('');
}

/** Where the key of a certificate file without one may stand: `x.pem.key`, `x.key` for `x.crt`. */
export function keyFilesOf(path: string): string[] {
  return [...new Set([`${path}.key`, path.replace(/\.(?:crt|pem|cer)$/, '.key')])].filter((file) => file !== path);
}

/** Certificates and the first key of a PEM text; '' = it has no key. */
export function pemParts(text: string): { readonly blocks: readonly string[]; readonly keyPem: string } {
  return { blocks: text.match(certificateBlock) ?? [], keyPem: keyBlock.exec(text)?.[0] ?? '' };
}

/** A certificate with its key, or which of them cannot be used; 'pair': they do not belong together. */
export function certificateFrom(index: number, path: string, blocks: readonly string[], keyPem: string): Certificate | 'certificate' | 'key' | 'pair' {
  let leaf: X509Certificate;
  let key: KeyObject;
  try {
    leaf = new X509Certificate(blocks[0] ?? '');
  } catch {
    return 'certificate';
  }
  try {
    key = createPrivateKey(keyPem);
  } catch {
    return 'key';
  }
  if (!leaf.checkPrivateKey(key)) return 'pair';
  return {
    index, path, certPem: `${blocks.join('\n')}\n`, keyPem, names: namesOf(leaf), keyType: keyTypeOf(key), subject: oneLine(leaf.subject), issuer: oneLine(leaf.issuer),
    serial: leaf.serialNumber, notBefore: leaf.validFrom, notAfter: leaf.validTo, fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

export class CertificateStore {
  private readonly context: Context;
  private readonly byPath = new Map<string, number>();
  private readonly nowMs: number;

  constructor(context: Context, nowMs: number) {
    this.context = context;
    this.nowMs = nowMs;
  }

  /** Indexes of the certificates behind one `crt` word: one file, a bundle, or a folder's files. */
  load(path: string, place: Place): number[] {
    const { files, draft, problems } = this.context;
    const stored = draft.crtStores.get(path);
    if (stored !== undefined) return this.one(stored.crt, place, stored.key);
    const full = filePath(this.context, withBase(draft.global.tls.crtBase, path), place);
    const kind = files.kind(full);
    if (kind === 'folder') return this.folder(full, place);
    if (kind === 'file') return this.one(full, place);
    const bundle = draft.global.tls.loadExtraBundle ? bundleSuffixes.map((suffix) => `${full}${suffix}`).filter((file) => files.kind(file) === 'file') : [];
    if (bundle.length === 0) problems.error(place, path, `cannot read certificate '${full}': no such file`, 'check the path and crt-base');
    return bundle.flatMap((file) => this.one(file, place));
  }

  private folder(path: string, place: Place): number[] {
    const { files, problems } = this.context;
    const names = files.list(path).filter((name) => !name.startsWith('.') && !ignoredSuffixes.some((suffix) => name.endsWith(suffix)));
    const found = names.map((name) => `${path.replace(/\/$/, '')}/${name}`).filter((file) => files.kind(file) === 'file');
    if (found.length === 0) problems.warning(place, path, `folder '${path}' holds no certificate`, 'put PEM files with certificate and key into it');
    return found.flatMap((file) => this.one(file, place));
  }

  private one(path: string, place: Place, keyPath = ''): number[] {
    const known = this.byPath.get(path);
    if (known !== undefined) return [known];
    const made = this.read(path, place, keyPath);
    if (made === undefined) return [];
    this.context.draft.certificates.push(made);
    this.byPath.set(path, made.index);
    return [made.index];
  }

  private text(path: string, place: Place, what: string): string | undefined {
    const bytes = this.context.files.read(path);
    if (typeof bytes !== 'string') return Buffer.from(bytes).toString('latin1');
    this.context.problems.error(place, path, `cannot read ${what} '${path}': ${bytes}`, 'check the path and the permissions');
    return undefined;
  }

  /** The key beside a certificate: `x.pem.key`, or `x.key` for `x.crt` with ssl-load-extra-del-ext. */
  private keyBeside(path: string): string | undefined {
    const { tls } = this.context.draft.global;
    if (!tls.loadExtraKey) return undefined;
    return keyFilesOf(path).find((file) => this.context.files.kind(file) === 'file');
  }

  private read(path: string, place: Place, keyPath: string): Certificate | undefined {
    const { problems } = this.context;
    const text = this.text(path, place, 'certificate');
    if (text === undefined) return undefined;
    const blocks = text.match(certificateBlock);
    if (blocks === null) {
      problems.error(place, path, `there is no certificate in '${path}'`, 'the file must hold a certificate and its key in PEM form');
      return undefined;
    }
    const beside = keyPath === '' ? this.keyBeside(path) : keyPath;
    const keyPem = keyBlock.exec(text)?.[0] ?? (beside === undefined ? undefined : keyBlock.exec(this.text(beside, place, 'key') ?? '')?.[0]);
    if (keyPem === undefined) {
      problems.error(place, path, `there is no private key in '${path}', and no '${path}.key' beside it`, 'append the key to the certificate file, or put it into a .key file of the same name');
      return undefined;
    }
    return this.check(path, place, blocks, keyPem);
  }

  private check(path: string, place: Place, blocks: readonly string[], keyPem: string): Certificate | undefined {
    const { problems, draft } = this.context;
    const made = certificateFrom(draft.certificates.length, readable(path), blocks, keyPem);
    if (made === 'certificate') {
      problems.error(place, path, `the certificate in '${path}' cannot be decoded`, "look at it with 'openssl x509 -in <file> -noout -text'");
    } else if (made === 'key') {
      const locked = keyPem.includes('ENCRYPTED');
      problems.error(place, path, locked ? `the private key of '${path}' is protected by a passphrase` : `the private key of '${path}' cannot be decoded`,
        locked ? "remove the passphrase with 'openssl pkey -in <key> -out <key>'" : "look at it with 'openssl pkey -in <file> -noout'");
    } else if (made === 'pair') {
      problems.error(place, path, `the private key does not belong to the certificate in '${path}'`, 'the file must start with the certificate of the server itself, and hold its own key');
    } else {
      this.checkDates(path, place, made);
      return made;
    }
    return undefined;
  }

  private checkDates(path: string, place: Place, leaf: Certificate): void {
    const { problems } = this.context;
    if (Date.parse(leaf.notAfter) < this.nowMs) problems.warning(place, path, `the certificate in '${path}' expired on ${leaf.notAfter}`, 'renew it: clients will refuse it');
    else if (Date.parse(leaf.notBefore) > this.nowMs) problems.warning(place, path, `the certificate in '${path}' is not valid before ${leaf.notBefore}`, 'check the clock of this machine');
  }

  /** A CA file or folder, or a list of revoked certificates; '@system-ca' stands for the system's. Undefined: none is named, or what is wrong was reported. */
  authorities(path: string, place: Place, kind: AuthorityFile['kind']): AuthorityFile | undefined {
    const { draft } = this.context;
    if (path === '') return undefined;
    const full = path === systemAuthorities ? path : filePath(this.context, withBase(draft.global.tls.caBase, path), place);
    const known = draft.authorities.find((one) => one.kind === kind && one.path === full);
    if (known !== undefined) return known;
    const pem = full === systemAuthorities ? this.systemAuthorities(place) : this.authorityText(full, path, place, kind);
    if (pem === undefined) return undefined;
    const made = { kind, path: full, pem };
    draft.authorities.push(made);
    return made;
  }

  private authorityText(full: string, path: string, place: Place, kind: AuthorityFile['kind']): string | undefined {
    const { files, problems } = this.context;
    const sources = files.kind(full) === 'folder' ? files.list(full).map((name) => `${full}/${name}`).filter((file) => files.kind(file) === 'file') : [full];
    const texts = sources.map((file) => this.text(file, place, `${kind}-file`));
    if (texts.includes(undefined)) return undefined;
    const whole = texts.join('\n');
    if (whole.includes(kind === 'crl' ? '-----BEGIN X509 CRL-----' : '-----BEGIN')) return whole;
    problems.error(place, path, `there is no ${kind === 'crl' ? 'revocation list' : 'certificate'} in '${full}'`, 'the file must be in PEM form');
    return undefined;
  }

  private systemAuthorities(place: Place): string | undefined {
    const { files, problems } = this.context;
    for (const file of ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']) {
      const bytes = files.read(file);
      if (typeof bytes !== 'string') return Buffer.from(bytes).toString('latin1');
    }
    problems.error(place, systemAuthorities, "the authorities of the system were not found", 'install the package ca-certificates, or name a file');
    return undefined;
  }
}
