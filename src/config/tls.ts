/** TLS words of binds and servers → BindTls and ServerTls: versions, files, certificates. Called by build.ts. */
import type { BindCertificate, BindTls, ServerTls, TlsCommon, TlsVersion } from '../model/model.ts';
import type { Place } from '../model/problem.ts';
import { joinedAuthorities } from './certificates.ts';
import type { CertificateStore } from './certificates.ts';
import { filePath } from './context.ts';
import type { Context } from './context.ts';
import { readCrtList } from './crt-list.ts';
import type { CrtListEntry } from './crt-list.ts';
import type { BindDraft, ServerDraft, TlsDraft } from './draft.ts';
import { tlsValueRows, tlsVersionNamed, tlsVersionRows, tlsVersions } from './tls-options.ts';
import { didYouMean } from './problems.ts';

const defaultMinimum: TlsVersion = 'TLSv1.2';

function versions(context: Context, own: TlsDraft, base: TlsDraft, place: Place): { readonly min: TlsVersion; readonly max: TlsVersion } {
  const disabled = new Set([...base.disabledVersions, ...own.disabledVersions]);
  const lowest = own.minVersion || base.minVersion;
  const highest = own.maxVersion || base.maxVersion;
  let allowed = tlsVersions.filter((version) => !disabled.has(version));
  if (lowest !== '') allowed = allowed.filter((version) => version >= lowest);
  // HAProxy's own start, unless the line asks for less.
  else allowed = allowed.filter((version) => version >= defaultMinimum || (highest !== '' && highest < defaultMinimum));
  if (highest !== '') allowed = allowed.filter((version) => version <= highest);
  const min = allowed[0];
  const max = allowed.at(-1);
  if (min === undefined || max === undefined) {
    context.problems.error(place, 'ssl-min-ver', 'no TLS version is left', 'check ssl-min-ver, ssl-max-ver and the no-tlsvXX words, also in ssl-default-bind-options and ssl-default-server-options');
    return { min: defaultMinimum, max: 'TLSv1.3' };
  }
  return { min, max };
}

function common(context: Context, store: CertificateStore, own: TlsDraft, base: TlsDraft, place: Place): TlsCommon {
  const { min, max } = versions(context, own, base, place);
  const [ca, caVerify] = [store.authorities(own.caFile, place, 'ca'), store.authorities(own.caVerifyFile, place, 'ca')];
  const crl = store.authorities(own.crlFile, place, 'crl');
  return {
    minVersion: min, maxVersion: max, ciphers: own.ciphers ?? base.ciphers ?? '', ciphersuites: own.ciphersuites ?? base.ciphersuites ?? '', curves: own.curves ?? base.curves ?? '',
    noTickets: own.noTickets ?? base.noTickets ?? false, preferServerCiphers: !(own.preferClientCiphers || base.preferClientCiphers), alpn: own.alpn ?? [],
    caPem: joinedAuthorities([ca?.pem, caVerify?.pem]), caFile: ca?.path ?? '', caVerifyFile: caVerify?.path ?? '', crlPem: crl?.pem ?? '', crlFile: crl?.path ?? '',
  };
}

/** Number of values of the words that may stand in the brackets of a crt-list line. */
const listWords: ReadonlyMap<string, number> = new Map([
  ...[...tlsVersionRows, ...tlsValueRows].map((row) => [row.word, row.values] as const),
  ['verify', 1], ['ca-verify-file', 1], ['no-ca-names', 0], ['ocsp-update', 1],
]);

/** Words whose loss would let clients in that the line keeps out. */
const protectingWords: ReadonlySet<string> = new Set(['verify', 'ca-file', 'ca-verify-file', 'crl-file']);

/** Why the options of one certificate cannot be used when it is added to a list at run time, '' when they can. */
export function crtListOptionFault(options: readonly string[]): string {
  for (let index = 0; index < options.length; index += 1) {
    const word = options[index] ?? '';
    const values = listWords.get(word);
    if (values === undefined) return `unknown ssl keyword ${word}`;
    if (word === 'ssl-min-ver' || (protectingWords.has(word) && options[index + 1] !== 'none')) return `'${word}' for a single certificate is not supported`;
    index += values;
  }
  return '';
}

/** The version is agreed before the certificate is chosen here: the strictest line of the list counts for all. */
function raiseMinimum(context: Context, entry: CrtListEntry, bind: BindDraft, text: string): void {
  const wanted = tlsVersionNamed(text);
  if (wanted === undefined) {
    context.problems.error(entry.place, text, `'ssl-min-ver' does not know '${text}'`, 'write TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3');
    return;
  }
  const own = bind.tls.minVersion || context.draft.global.tls.bind.minVersion || defaultMinimum;
  if (wanted <= own) return;
  bind.tls.minVersion = wanted;
  context.problems.warning(entry.place, text, `'ssl-min-ver ${text}' of this certificate counts for the whole bind line`, 'give the certificate a bind line of its own if others need older versions');
}

/** Options of a single certificate are checked, not yet used: refused where they protect, told where they do not. */
function tellOptions(context: Context, entry: CrtListEntry, bind: BindDraft): void {
  const { problems, told } = context;
  for (let index = 0; index < entry.options.length; index += 1) {
    const word = entry.options[index] ?? '';
    const values = listWords.get(word);
    if (values === undefined) problems.error(entry.place, word, `'${word}' cannot stand in a crt-list`, didYouMean(word, listWords.keys()));
    else if (word === 'ssl-min-ver') raiseMinimum(context, entry, bind, entry.options[index + 1] ?? '');
    else if (protectingWords.has(word) && entry.options[index + 1] !== 'none') {
      problems.unsupported(entry.place, word, `'${word}' for a single certificate of a crt-list is not supported yet`, 'write it on the bind line, or give the certificate a bind line of its own');
    } else if (!told.has('crt-list options')) {
      told.add('crt-list options');
      problems.warning(entry.place, word, 'options of single certificates in a crt-list are not active yet: those of the bind line are used');
    }
    index += values ?? 0;
  }
}

function certificatesOf(context: Context, store: CertificateStore, bind: BindDraft): BindCertificate[] {
  const chosen: BindCertificate[] = [];
  for (const { path, list } of bind.tls.crt) {
    if (!list) {
      chosen.push(...store.load(path, bind.place).map((certificate) => ({ certificate, sniFilters: [] })));
      continue;
    }
    const entries = readCrtList(context, filePath(context, path, bind.place), bind.place) ?? [];
    if (entries.length === 0) context.problems.warning(bind.place, path, `crt-list '${path}' names no certificate`);
    for (const entry of entries) {
      tellOptions(context, entry, bind);
      const line = { list: path, line: entry.place.line, options: entry.optionText };
      chosen.push(...store.load(entry.crt, entry.place).map((certificate) => ({ certificate, sniFilters: entry.filters, entry: line })));
    }
  }
  return chosen;
}

export function buildBindTls(context: Context, store: CertificateStore, bind: BindDraft): BindTls | null {
  const { tls } = bind;
  const { problems } = context;
  if (!tls.ssl) {
    if (tls.crt.length > 0) problems.warning(bind.place, 'crt', "'crt' has no effect on a bind without 'ssl'", "add 'ssl'");
    certificatesOf(context, store, bind);
    return null;
  }
  const base = context.draft.global.tls.bind;
  const verify = tls.verify || base.verify || 'none';
  const certificates = certificatesOf(context, store, bind);
  if (tls.crt.length === 0) problems.error(bind.place, 'ssl', "'ssl' needs a certificate on a bind line", "add 'crt <file>'");
  if (verify !== 'none' && tls.caFile === '' && tls.caVerifyFile === '') {
    problems.error(bind.place, 'verify', `'verify ${verify}' needs the authorities of client certificates`, "add 'ca-file <file>'");
  }
  return {
    ...common(context, store, tls, base, bind.place), certificates, strictSni: tls.strictSni, verify, crtIgnoreErrors: tls.crtIgnoreErrors, caIgnoreErrors: tls.caIgnoreErrors,
  };
}

/** Null: neither traffic nor checks use TLS. */
export function buildServerTls(context: Context, store: CertificateStore, server: ServerDraft, needed: boolean): ServerTls | null {
  const { tls } = server;
  const { problems } = context;
  if (!needed) {
    // Read all the same, so that a wrong name is found before somebody adds 'ssl'.
    store.authorities(tls.caFile, server.place, 'ca');
    return null;
  }
  const defaults = context.draft.global.tls;
  const verify = tls.verify === 'none' || tls.verify === 'required' ? tls.verify : defaults.serverVerify;
  if (verify === 'required' && tls.caFile === '') {
    problems.error(server.place, 'ssl', `server '${server.name}' verifies certificates but has no authorities to verify them with`,
      "add 'ca-file <file>' (or 'ca-file @system-ca'), or 'verify none' to trust any certificate");
  }
  if (tls.verifyHost !== '' && verify === 'none') problems.warning(server.place, 'verifyhost', "'verifyhost' has no effect with 'verify none'");
  const [own = -1] = tls.crt.flatMap(({ path }) => store.load(path, server.place));
  return {
    ...common(context, store, tls, defaults.server, server.place), verify, verifyHost: tls.verifyHost, sni: tls.sni, certificate: own, noReuse: tls.noReuse,
  };
}
