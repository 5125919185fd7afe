/** TLS words that bind lines, server lines, crt-list brackets and ssl-default-*-options share. Rows for option-table.ts. */
import type { TlsVersion } from '../model/model.ts';
import type { Reading } from './context.ts';
import type { TlsDraft } from './draft.ts';
import { idle, option } from './option-table.ts';
import type { LineOption } from './option-table.ts';

type Row = LineOption<TlsDraft, Reading>;

export const tlsVersions: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** HAProxy's spelling → ours; SSLv3 counts as the oldest. */
const spellings: Readonly<Record<string, TlsVersion>> = { SSLv3: 'TLSv1', 'TLSv1.0': 'TLSv1', 'TLSv1.1': 'TLSv1.1', 'TLSv1.2': 'TLSv1.2', 'TLSv1.3': 'TLSv1.3' };

/** Undefined: there is no such version. */
export function tlsVersionNamed(text: string): TlsVersion | undefined {
  return Object.hasOwn(spellings, text) ? spellings[text] : undefined;
}

function versionOf(text: string, reading: Reading, word: string): TlsVersion | '' {
  const chosen = reading.choice(text, `'${word}'`, Object.keys(spellings));
  return chosen === undefined ? '' : spellings[chosen] ?? '';
}

const byDigits: Readonly<Record<string, TlsVersion>> = { 10: 'TLSv1', 11: 'TLSv1.1', 12: 'TLSv1.2', 13: 'TLSv1.3' };

function without(digits: string): Row {
  return option(`no-tlsv${digits}`, 0, 'Switches a version off; ssl-min-ver is the better way.', (tls) => {
    const version = byDigits[digits];
    if (version !== undefined) tls.disabledVersions = [...tls.disabledVersions, version];
  });
}

function forced(digits: string): Row {
  return option(`force-tlsv${digits}`, 0, 'Only this version.', (tls) => {
    tls.minVersion = byDigits[digits] ?? '';
    tls.maxVersion = byDigits[digits] ?? '';
  });
}

/** Words of ssl-default-bind-options and ssl-default-server-options, bind and server lines alike. */
export const tlsVersionRows: readonly Row[] = [
  option('ssl-min-ver', 1, 'Oldest TLS version.', (tls, [value = ''], reading) => {
    tls.minVersion = versionOf(value, reading, 'ssl-min-ver');
  }),
  option('ssl-max-ver', 1, 'Newest TLS version.', (tls, [value = ''], reading) => {
    tls.maxVersion = versionOf(value, reading, 'ssl-max-ver');
  }),
  without('10'), without('11'), without('12'), without('13'), forced('10'), forced('11'), forced('12'), forced('13'),
  option('no-sslv3', 0, 'SSLv3 is never spoken here.', () => {}),
  option('force-sslv3', 0, 'SSLv3 is never spoken here.', (_, __, reading) => {
    reading.error('force-sslv3', 'SSLv3 is not spoken by any current TLS library', "use 'ssl-min-ver TLSv1.2'");
  }),
  option('no-tls-tickets', 0, 'No session tickets.', (tls) => {
    tls.noTickets = true;
  }),
  option('tls-tickets', 0, 'Session tickets.', (tls) => {
    tls.noTickets = false;
  }),
  option('prefer-client-ciphers', 0, "Follows the client's order of ciphers.", (tls) => {
    tls.preferClientCiphers = true;
  }),
  option('prefer-server-ciphers', 0, "Follows this side's order of ciphers (the default).", (tls) => {
    tls.preferClientCiphers = false;
  }),
];

function readAlpn(tls: TlsDraft, value: string, reading: Reading): void {
  const names = value.split(',').filter((name) => name !== '');
  const offered = names.filter((name) => name !== 'h2' && name !== 'h3');
  for (const name of names) {
    if (name !== 'h2' && name !== 'h3') continue;
    const key = `alpn ${name} ${reading.keyword}`;
    if (!reading.context.told.has(key)) reading.warning(name, `'${name}' is left out of the ALPN offer: ${name === 'h2' ? 'HTTP/2' : 'HTTP/3'} is not built yet`, 'nothing to do; clients then use HTTP/1.1');
    reading.context.told.add(key);
  }
  tls.alpn = offered;
}

/** `proto h2` and relatives: HTTP/1 is spoken all the same. */
export function tellProtocol(reading: Reading, value: string): void {
  if (value !== 'h1' && value !== 'none') reading.warning(value, `'proto ${value}' is not built yet: HTTP/1 is spoken here`);
}

/** Words that take a value on bind and server lines. */
export const tlsValueRows: readonly Row[] = [
  option('alpn', 1, 'Protocols offered in the TLS handshake.', (tls, [value = ''], reading) => readAlpn(tls, value, reading)),
  option('ciphers', 1, 'Ciphers up to TLS 1.2.', (tls, [value = '']) => {
    tls.ciphers = value;
  }),
  option('ciphersuites', 1, 'Ciphers of TLS 1.3.', (tls, [value = '']) => {
    tls.ciphersuites = value;
  }),
  option('curves', 1, 'Elliptic curves.', (tls, [value = '']) => {
    tls.curves = value;
  }),
  option('ecdhe', 1, 'Elliptic curve.', (tls, [value = '']) => {
    tls.curves = value;
  }),
  option('ca-file', 1, 'Authorities that the other side\'s certificate must come from.', (tls, [value = '']) => {
    tls.caFile = value;
  }),
  option('crl-file', 1, 'Revoked certificates.', (tls, [value = '']) => {
    tls.crlFile = value;
  }),
  ...idle<TlsDraft, Reading>('no effect', {
    npn: [1, 'NPN was replaced by ALPN.'],
    'allow-0rtt': [0, 'Early data is never accepted here.'],
    'no-renegotiate': [0, 'Renegotiation is never allowed here.'],
    renegotiate: [0, 'Renegotiation is never allowed here.'],
    sigalgs: [1, 'Signature algorithms of the runtime are used.'],
    'client-sigalgs': [1, 'Signature algorithms of the runtime are used.'],
    ktls: [1, 'Kernel TLS.'],
  }),
];
