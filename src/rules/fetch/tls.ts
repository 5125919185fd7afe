/** Fetches of TLS sessions and certificates, both sides. */
import type { PeerCertificate, Sample, Subject, TlsFacts } from '../subject.ts';
import { fetch, intArg, plain, textArg, type FetchMaker, type FetchTable } from '../types.ts';

type Pick = (s: Subject) => TlsFacts | null;

const client: Pick = (s) => s.session.tls;
const server: Pick = (s) => s.serverTls;

function onTls(pick: Pick, read: (tls: TlsFacts) => Sample): FetchMaker {
  return plain((s) => {
    const tls = pick(s);
    return tls === null ? undefined : read(tls);
  });
}

/** False instead of nothing on connections without TLS. */
function flag(pick: Pick, read: (tls: TlsFacts) => boolean): FetchMaker {
  return plain((s) => {
    const tls = pick(s);
    return tls !== null && read(tls);
  });
}

function text(value: string): Sample {
  return value === '' ? undefined : value;
}

function bytes(value: Uint8Array): Sample {
  return value.length === 0 ? undefined : value;
}

/** `/C=FR/CN=x` → `CN=x,C=FR` (RFC 2253: most specific first). */
function rfc2253(oneLine: string): string {
  return oneLine.split(/\/(?=[A-Za-z0-9.]+=)/).filter((part) => part !== '').toReversed().map((part) => {
    const equal = part.indexOf('=');
    return `${part.slice(0, equal)}=${part.slice(equal + 1).replaceAll(/[,+"\\<>;]/g, '\\$&')}`;
  }).join(',');
}

/** Field number `occurrence` (from 1, or backwards from -1) of a one-line name. */
function nameField(oneLine: string, field: string, occurrence: number): Sample {
  const values = oneLine.split(/\/(?=[A-Za-z0-9.]+=)/).filter((part) => part.toLowerCase().startsWith(`${field.toLowerCase()}=`)).map((part) => part.slice(field.length + 1));
  return values.at(occurrence > 0 ? occurrence - 1 : occurrence);
}

/** Certificate dates as `YYMMDDhhmmssZ`. */
function certificateTime(date: string): string {
  const time = new Date(date);
  if (Number.isNaN(time.getTime())) return '';
  return `${time.toISOString().replaceAll(/[-T:]|\.\d+/g, '').slice(2, 14)}Z`;
}

function serial(hex: string): Sample {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return bytes(Buffer.from(even, 'hex'));
}

type PickCertificate = (s: Subject) => PeerCertificate | undefined;

function distinguishedName(pick: PickCertificate, which: (certificate: PeerCertificate) => string): FetchMaker {
  return fetch((args) => {
    const field = textArg(args, 0);
    const occurrence = intArg(args, 1, 1);
    const format = textArg(args, 2);
    return (s) => {
      const certificate = pick(s);
      if (certificate === undefined) return undefined;
      const name = which(certificate);
      if (field !== '') return nameField(name, field, occurrence === 0 ? 1 : occurrence);
      return text(format === 'rfc2253' ? rfc2253(name) : name);
    };
  });
}

function onCertificate(pick: PickCertificate, read: (certificate: PeerCertificate) => Sample): FetchMaker {
  return plain((s) => {
    const certificate = pick(s);
    return certificate === undefined ? undefined : read(certificate);
  });
}

function certificateFamily(prefix: string, pick: PickCertificate): FetchTable {
  return {
    [`${prefix}_der`]: onCertificate(pick, (certificate) => bytes(certificate.der)),
    [`${prefix}_s_dn`]: distinguishedName(pick, (certificate) => certificate.subject),
    [`${prefix}_i_dn`]: distinguishedName(pick, (certificate) => certificate.issuer),
    [`${prefix}_notbefore`]: onCertificate(pick, (certificate) => text(certificateTime(certificate.notBefore))),
    [`${prefix}_notafter`]: onCertificate(pick, (certificate) => text(certificateTime(certificate.notAfter))),
    [`${prefix}_serial`]: onCertificate(pick, (certificate) => serial(certificate.serialHex)),
    [`${prefix}_sha1`]: onCertificate(pick, (certificate) => bytes(certificate.sha1)),
  };
}

export const tlsFetches: FetchTable = {
  ...certificateFamily('ssl_c', (s) => s.session.tls?.peerCertificate()),
  ...certificateFamily('ssl_f', (s) => s.session.tls?.ownCertificate()),
  ssl_fc: flag(client, () => true),
  ssl_fc_has_crt: onTls(client, (tls) => tls.peerCertificate() !== undefined),
  ssl_c_used: onTls(client, (tls) => tls.peerCertificate() !== undefined),
  ssl_c_verify: onTls(client, (tls) => tls.verifyCode()),
  ssl_c_err: onTls(client, (tls) => tls.verifyCode()),
  // The runtimes tell one code for the whole chain.
  ssl_c_ca_err: onTls(client, () => 0),
  // As fc_err: a failed handshake carries no requests.
  ssl_fc_err: onTls(client, () => 0),
  ssl_fc_has_early: flag(client, () => false),
  ssl_fc_has_sni: flag(client, (tls) => tls.sni() !== ''),
  ssl_fc_is_resumed: flag(client, (tls) => tls.resumed()),
  ssl_fc_sni: onTls(client, (tls) => text(tls.sni())),
  ssl_fc_alpn: onTls(client, (tls) => text(tls.alpn())),
  ssl_fc_protocol: onTls(client, (tls) => text(tls.protocol())),
  ssl_fc_cipher: onTls(client, (tls) => text(tls.cipher())),
  ssl_fc_alg_keysize: onTls(client, (tls) => tls.keyBits()),
  ssl_fc_use_keysize: onTls(client, (tls) => tls.keyBits()),
  ssl_fc_session_id: onTls(client, (tls) => bytes(tls.sessionId())),
  ssl_bc: flag(server, () => true),
  ssl_bc_is_resumed: flag(server, (tls) => tls.resumed()),
  ssl_bc_alpn: onTls(server, (tls) => text(tls.alpn())),
  ssl_bc_protocol: onTls(server, (tls) => text(tls.protocol())),
  ssl_bc_cipher: onTls(server, (tls) => text(tls.cipher())),
  ssl_bc_alg_keysize: onTls(server, (tls) => tls.keyBits()),
  ssl_bc_use_keysize: onTls(server, (tls) => tls.keyBits()),
  ssl_bc_session_id: onTls(server, (tls) => bytes(tls.sessionId())),
};
