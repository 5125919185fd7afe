/**
 * Which certificates of a `bind` a client is offered: by the server name it asks for, one of each key type at most. Made by
 * BindTlsEngine once per bind; asked once per handshake. Knows no sockets and no TLS contexts.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { BindTls, Certificate, Model } from '../../model/model.ts';

/** One certificate of a bind, or one line of its crt-list. */
export interface Offer {
  readonly certificate: Certificate;
  /** Of certificate, chain and key. */
  readonly id: string;
  /** Key type as the runtime names it: rsa, ec, ed25519 … */
  readonly keyType: string;
  /** Names that this line's wildcards do not stand for (`!name`). */
  readonly excluded: ReadonlySet<string>;
}

export class CertificateChoice {
  /** For clients without a name and for names that fit nothing: the first certificate, with the other files of its bundle. */
  readonly fallback: readonly Offer[];
  /** By lower-case name; wildcards as `*.domain`. In the order of the configuration. */
  private readonly byName = new Map<string, Offer[]>();

  constructor(tls: BindTls, model: Model) {
    const offers: Offer[] = [];
    for (const { certificate: index, sniFilters } of tls.certificates) {
      const certificate = model.certificates[index];
      if (certificate === undefined) continue;
      const filters = sniFilters.map((filter) => filter.toLowerCase());
      const offer: Offer = {
        certificate,
        id: createHash('sha256').update(certificate.certPem).update(certificate.keyPem).digest('base64'),
        keyType: new X509Certificate(certificate.certPem).publicKey.asymmetricKeyType ?? '',
        excluded: new Set(filters.filter((filter) => filter.startsWith('!')).map((filter) => filter.slice(1))),
      };
      offers.push(offer);
      for (const name of filters.length > 0 ? filters : certificate.names) this.add(name.toLowerCase(), offer);
    }
    const bundle = bundleOf(offers[0]);
    this.fallback = oneOfEachType(offers.filter((offer, index) => index === 0 || (bundle !== '' && bundleOf(offer) === bundle)));
  }

  /** Every set of certificates that some name can lead to without exclusions: what can be prepared. */
  sets(): (readonly Offer[])[] {
    return [this.fallback, ...[...this.byName.keys()].map((name) => this.find(name.replace('*', '')))];
  }

  /** Exact names before wildcards (one label deep); empty when nothing fits. */
  find(name: string): readonly Offer[] {
    const key = name.toLowerCase();
    const dot = key.indexOf('.');
    const exact = this.byName.get(key);
    const wild = dot < 0 ? undefined : this.byName.get(`*${key.slice(dot)}`)?.filter((offer) => !offer.excluded.has(key));
    return oneOfEachType([...(exact ?? []), ...(wild ?? [])]);
  }

  private add(name: string, offer: Offer): void {
    if (name.startsWith('!')) return;
    const known = this.byName.get(name);
    if (known === undefined) this.byName.set(name, [offer]);
    else known.push(offer);
  }
}

/** `site.pem.rsa` and `site.pem.ecdsa` are one certificate to the configuration, `site.pem`. */
function bundleOf(offer: Offer | undefined): string {
  return /^(.*)\.(?:rsa|ecdsa|dsa)$/.exec(offer?.certificate.path ?? '')?.[1] ?? '';
}

/** The first of each key type. */
function oneOfEachType(offers: readonly Offer[]): readonly Offer[] {
  if (offers.length < 2) return offers;
  return offers.filter((offer, index) => offers.findIndex((other) => other.keyType === offer.keyType) === index);
}
