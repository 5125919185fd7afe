/** ExpressionScope over the draft: what the expression readers see of the configuration around one line. Made per line. */
import type { Acl, AnswerBody, MatchMethod, PatternEntry, SampleExpr } from '../model/expression.ts';
import type { Place, Problem } from '../model/problem.ts';
import { filePath } from './context.ts';
import type { Context } from './context.ts';
import type { ProxyDraft } from './draft.ts';
import type { ExpressionScope, Layer } from './expression/scope.ts';

interface ScopeOwner {
  /** -1 outside of proxies and in `defaults`. */
  readonly proxy: number;
  readonly mode: 'http' | 'tcp';
  readonly acls: Map<string, number[]>;
  readonly captures: ProxyDraft | null;
}

export class LineScope implements ExpressionScope {
  readonly place: Place;
  readonly layer: Layer;
  readonly proxy: number;
  readonly proxyMode: 'http' | 'tcp';
  private readonly context: Context;
  private readonly owner: ScopeOwner;

  constructor(context: Context, owner: ScopeOwner, layer: Layer, place: Place) {
    this.context = context;
    this.owner = owner;
    this.layer = layer;
    this.place = place;
    this.proxy = owner.proxy;
    this.proxyMode = owner.mode;
  }

  report(problem: Problem): void {
    this.context.problems.add(problem);
  }

  use(name: string): void {
    this.context.draft.used.add(name);
  }

  proxyByName(name: string, want: 'frontend' | 'backend' | 'table'): number {
    return this.context.names.proxy(name, want);
  }

  serverByName(backend: string, server: string): number {
    const proxy = backend === '' ? this.proxy : this.context.names.proxy(backend, 'backend');
    return proxy < 0 ? -1 : this.context.names.server(proxy, server);
  }

  userlistByName(name: string): number {
    return this.context.names.userlists.indexOf(name);
  }

  peersTable(name: string): boolean {
    return this.context.names.peersTables.has(name);
  }

  aclsByName(name: string): readonly number[] {
    return this.owner.acls.get(name) ?? [];
  }

  /** Conditions above hold the list of those of this name, and so meet this one too. */
  addAcl(acl: Acl): number {
    const index = this.context.draft.acls.push({ ...acl, expr: this.sharedExpression(acl.expr) }) - 1;
    if (acl.name === '') return index;
    const namesakes = this.owner.acls.get(acl.name);
    if (namesakes === undefined) this.owner.acls.set(acl.name, [index]);
    else namesakes.push(index);
    return index;
  }

  private sharedExpression(expr: SampleExpr): SampleExpr {
    if (expr.fetch.args.length > 0 || expr.converters.length > 0) return expr;
    const { plainExpressions } = this.context;
    const known = plainExpressions.get(expr.text);
    if (known?.fetch.name === expr.fetch.name && known.type === expr.type) return known;
    plainExpressions.set(expr.text, expr);
    return expr;
  }

  addPatterns(kind: 'acl' | 'map', file: string, method: MatchMethod, ignoreCase: boolean, entries: readonly PatternEntry[]): number {
    const { patterns } = this.context.draft;
    if (file !== '') {
      const shared = patterns.find((set) => set.file === file && set.kind === kind && set.method === method && set.ignoreCase === ignoreCase);
      if (shared !== undefined) return shared.id;
    }
    const id = patterns.length;
    patterns.push({ id, kind, file, method, ignoreCase, entries, place: this.place });
    return id;
  }

  readFile(path: string): Uint8Array | undefined {
    const bytes = this.context.files.read(filePath(this.context, path, this.place));
    if (typeof bytes !== 'string') return bytes;
    this.context.problems.error(this.place, path, `cannot read '${path}': ${bytes}`, 'check the path and the permissions');
    return undefined;
  }

  errorsSection(name: string): boolean {
    return (this.context.names.sections.get('http-errors') ?? []).some((section) => section.name === name);
  }

  errorsBody(name: string, status: number): AnswerBody | undefined {
    return this.context.draft.httpErrors.get(name)?.find((answer) => answer.status === status)?.body;
  }

  addCapture(side: 'request' | 'response', lengthMax: number): number {
    const slots = this.slots(side);
    return slots === null ? -1 : slots.push({ header: '', lengthMax }) - 1;
  }

  captureSlots(side: 'request' | 'response'): number {
    return this.slots(side)?.length ?? 0;
  }

  private slots(side: 'request' | 'response'): ProxyDraft['requestCaptures'] | null {
    if (this.owner.captures === null) return null;
    return side === 'request' ? this.owner.captures.requestCaptures : this.owner.captures.responseCaptures;
  }
}
