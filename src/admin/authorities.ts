/**
 * Authorities and revocation lists (`ca-file`, `crl-file`) as they are in force: files by name, who uses them, and the one change that is being
 * made of each kind (`set ssl ca-file` … `commit`). Files are never written. Used by authority-commands.ts.
 */
import { X509Certificate } from 'node:crypto';
import { joinedAuthorities, pemParts } from '../config/certificates.ts';
import type { AuthorityFile, Bind, Model, Server, TlsCommon } from '../model/model.ts';
import { revocationLists } from '../wire/crl.ts';

type Kind = AuthorityFile['kind'];
interface Pending { readonly path: string; readonly pem: string }

export class Authorities {
  readonly kind: Kind;
  /** PEM text by file; '' = made by `new ssl ca-file` and still empty. */
  readonly files = new Map<string, string>();
  pending: Pending | null = null;
  private readonly model: Model;

  /** `former`: the change under way goes on, and files that nobody uses stay. */
  constructor(kind: Kind, model: Model, former?: Authorities) {
    this.kind = kind;
    this.model = model;
    for (const one of model.authorities) if (one.kind === kind) this.files.set(one.path, one.pem);
    for (const [path, pem] of former?.files ?? []) if (!this.files.has(path)) this.files.set(path, pem);
    this.pending = former?.pending ?? null;
  }

  private names(tls: TlsCommon, path: string): boolean {
    return this.kind === 'crl' ? tls.crlFile === path : tls.caFile === path || tls.caVerifyFile === path;
  }

  private readonly usedBy = (path: string) => ({ tls }: Bind | Server): boolean => tls !== null && this.names(tls, path);

  isUsed(path: string): boolean {
    const uses = this.usedBy(path);
    return this.model.binds.some(uses) || this.model.servers.some((server) => uses(server) || (server.check !== null && server.check.tlsOptions !== null && this.names(server.check.tlsOptions, path)));
  }

  /** Certificates of bind lines and servers that are made anew with it, as HAProxy counts them. */
  instances(path: string): number {
    const uses = this.usedBy(path);
    const certificates = this.model.binds.filter(uses).reduce((sum, { tls }) => sum + (tls?.certificates.length ?? 0), 0);
    return certificates + this.model.servers.filter((server) => uses(server) && (server.tls?.certificate ?? -1) >= 0).length;
  }

  /** The text of such a file as it is put into force, undefined = it cannot be used. */
  usable(text: string): string | undefined {
    if (this.kind === 'crl') return (revocationLists(text) ?? []).length > 0 ? text : undefined;
    const { blocks } = pemParts(text);
    return blocks.length > 0 && blocks.every(isCertificate) ? `${blocks.join('\n')}\n` : undefined;
  }

  /** The model with the change under way. */
  withPending(model: Model): Model {
    const { pending, kind } = this;
    if (pending === null) return model;
    const { path, pem } = pending;
    const changed = <T extends TlsCommon>(tls: T): T => {
      if (!this.names(tls, path)) return tls;
      if (kind === 'crl') return { ...tls, crlPem: pem };
      return { ...tls, caPem: joinedAuthorities([tls.caFile, tls.caVerifyFile].map((file) => (file === path ? pem : this.files.get(file)))) };
    };
    return {
      ...model,
      authorities: model.authorities.map((one) => (one.kind === kind && one.path === path ? { ...one, pem } : one)),
      binds: model.binds.map((bind) => (bind.tls === null ? bind : { ...bind, tls: changed(bind.tls) })),
      servers: model.servers.map((server) => ({
        ...server,
        tls: server.tls === null ? null : changed(server.tls),
        check: server.check === null ? null : { ...server.check, tlsOptions: server.check.tlsOptions === null ? null : changed(server.check.tlsOptions) },
      })),
    };
  }
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0;
  } catch {
    return false;
  }
}
