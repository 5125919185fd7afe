/**
 * Certificates as they are in force: files by name, who uses them, lines of crt-lists, and the one change that is being made (`set ssl cert`
 * … `commit`). Changes go to every traffic thread, which takes them for the next handshake; files are never written. Used by
 * certificate-commands.ts.
 */
import { createSecureContext } from 'node:tls';
import { certificateFrom, pemParts } from '../config/certificates.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { BindCertificate, Certificate, Model } from '../model/model.ts';
import type { Segments } from '../shared/segments.ts';

/** A certificate of a bind line, by file. */
interface Use {
  readonly path: string;
  readonly sniFilters: readonly string[];
  readonly entry?: NonNullable<BindCertificate['entry']>;
}

/** What is being put together for a file. */
interface Pending {
  readonly path: string;
  readonly blocks: readonly string[];
  readonly keyPem: string;
}

export interface ListLine {
  readonly path: string;
  readonly line: number;
  readonly options: string;
  readonly filters: readonly string[];
}

export class Certificates {
  /** By file; null = made by `new ssl cert` and still empty. */
  readonly files = new Map<string, Certificate | null>();
  pending: Pending | null = null;
  private readonly model: Model;
  private readonly segments: Segments;
  private readonly broadcast: (message: ToTraffic) => void;
  /** By bind index. */
  private readonly binds = new Map<number, Use[]>();
  /** File of each server's own certificate, by server index. */
  private readonly servers = new Map<number, string>();

  /** `former`: the change under way goes on, and files that nobody uses stay. */
  constructor(model: Model, segments: Segments, broadcast: (message: ToTraffic) => void, former?: Certificates) {
    this.model = model;
    this.segments = segments;
    this.broadcast = broadcast;
    for (const certificate of model.certificates) this.files.set(certificate.path, certificate);
    for (const [path, certificate] of former?.files ?? []) if (!this.files.has(path)) this.files.set(path, certificate);
    this.pending = former?.pending ?? null;
    const pathOf = (index: number): string => model.certificates[index]?.path ?? '';
    for (const { index, tls } of model.binds) {
      if (!tls) continue;
      this.binds.set(index, tls.certificates.map(({ certificate, sniFilters, entry }) => ({ path: pathOf(certificate), sniFilters, ...(entry === undefined ? {} : { entry }) })));
    }
    for (const { index, tls } of model.servers) if (tls && tls.certificate >= 0) this.servers.set(index, pathOf(tls.certificate));
  }

  /** How many bind lines, list lines and servers use the file. */
  uses(path: string): number {
    let count = 0;
    for (const uses of this.binds.values()) count += uses.filter(use => use.path === path).length;
    for (const own of this.servers.values()) if (own === path) count += 1;
    return count;
  }

  // ---- changing a file

  /** Takes PEM text into the change under way, or begins one. `keyOnly`: the rest of the file stays. False: it cannot be used. */
  put(path: string, text: string, keyOnly: boolean): boolean {
    const { blocks, keyPem } = pemParts(text);
    if (keyOnly ? keyPem === '' : blocks.length === 0) return false;
    const before = this.pending ?? this.asItIs(path);
    this.pending = { path, blocks: keyOnly ? before.blocks : blocks, keyPem };
    return true;
  }

  private asItIs(path: string): Pending {
    const known = this.files.get(path);
    return { path, ...(known ? pemParts(known.certPem + known.keyPem) : { blocks: [], keyPem: '' }) };
  }

  /** Puts the change into force. Gives '' or what is wrong with it. */
  commit(): '' | 'incomplete' | 'inconsistent' {
    const { pending } = this;
    if (pending === null) return 'incomplete';
    if (pending.keyPem === '') return 'incomplete';
    const made = certificateFrom(0, pending.path, pending.blocks, pending.keyPem);
    if (typeof made === 'string' || !isUsable(made)) return 'inconsistent';
    this.files.set(pending.path, made);
    this.pending = null;
    this.send();
    return '';
  }

  create(path: string): void {
    this.files.set(path, null);
  }

  remove(path: string): void {
    this.files.delete(path);
  }

  // ---- crt-lists

  /** Names of the lists, in order. */
  get lists(): readonly string[] {
    const names = new Set<string>();
    for (const uses of this.binds.values()) for (const { entry } of uses) if (entry !== undefined) names.add(entry.list);
    return [...names].toSorted();
  }

  /** Lines of a list, undefined = there is no such list. */
  linesOf(list: string): readonly ListLine[] | undefined {
    const uses = [...this.binds.values()].find(all => all.some(({ entry }) => entry?.list === list));
    return uses?.flatMap(({ path, sniFilters, entry }) => (entry?.list === list ? [{ path, line: entry.line, options: entry.options, filters: sniFilters }] : []));
  }

  addLine(list: string, path: string, options: string, filters: readonly string[]): void {
    const line = Math.max(0, ...(this.linesOf(list) ?? []).map(one => one.line)) + 1;
    for (const uses of this.binds.values()) {
      if (uses.some(({ entry }) => entry?.list === list)) uses.push({ path, sniFilters: filters, entry: { list, line, options } });
    }
    this.send();
  }

  removeLine(list: string, line: number): void {
    for (const [bind, uses] of this.binds) this.binds.set(bind, uses.filter(({ entry }) => entry?.list !== list || entry.line !== line));
    this.send();
  }

  /** Places of the bind lines for whom this line of the list is the default certificate. */
  defaultOf(list: string, line: number): readonly string[] {
    return [...this.binds].flatMap(([index, [first]]) => {
      const place = this.model.binds[index]?.place;
      return first?.entry?.list === list && first.entry.line === line && place !== undefined ? [`${place.file}:${place.line}`] : [];
    });
  }

  /** The model with the certificates that are in force. */
  inForce(model: Model): Model {
    const { certificates, indexOf } = this.indexed();
    return {
      ...model,
      certificates,
      binds: model.binds.map((bind) => (bind.tls === null || !this.binds.has(bind.index) ? bind : { ...bind, tls: { ...bind.tls, certificates: this.certificatesOf(bind.index, indexOf) } })),
      servers: model.servers.map((server) => (server.tls === null ? server : { ...server, tls: { ...server.tls, certificate: indexOf(this.servers.get(server.index) ?? '') } })),
    };
  }

  private indexed(): { readonly certificates: readonly Certificate[]; readonly indexOf: (path: string) => number } {
    const certificates: Certificate[] = [];
    for (const certificate of this.files.values()) if (certificate !== null) certificates.push({ ...certificate, index: certificates.length });
    return { certificates, indexOf: path => certificates.findIndex(certificate => certificate.path === path) };
  }

  private certificatesOf(bind: number, indexOf: (path: string) => number): BindCertificate[] {
    return (this.binds.get(bind) ?? []).map(({ path, sniFilters, entry }) => ({ certificate: indexOf(path), sniFilters, ...(entry === undefined ? {} : { entry }) }));
  }

  /** Tells the threads all there is: one that starts again is told the same. */
  private send(): void {
    const { certificates, indexOf } = this.indexed();
    const binds = [...this.binds.keys()].flatMap((bind) => {
      const tls = this.model.binds[bind]?.tls;
      const slot = this.segments.handles.slots.binds[bind];
      if (!tls || slot === undefined) return [];
      return [{ slot, tls: { ...tls, certificates: this.certificatesOf(bind, indexOf) } }];
    });
    const servers = [...this.servers].map(([server, path]) => ({ slot: this.segments.serverSlot(server), certificate: indexOf(path) }));
    this.broadcast({ type: 'certificates', certificates, binds, servers });
  }
}

/** What the runtime's TLS takes: threads must not find out later. */
function isUsable({ certPem, keyPem }: Certificate): boolean {
  try {
    createSecureContext({ cert: certPem, key: keyPem });
    return true;
  } catch {
    return false;
  }
}
