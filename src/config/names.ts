/**
 * The names of all proxies, servers, user lists and tables, found before any keyword is read, so that a line may name what
 * stands further down. Called by load.ts; expression readers ask through scope.ts's implementation.
 */
import type { Section } from './line.ts';
import { wordAt } from './line.ts';

interface ProxyName {
  readonly index: number;
  readonly name: string;
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly hasTable: boolean;
}

interface ServerName {
  readonly index: number;
  readonly name: string;
  readonly proxy: number;
}

/** Names that a `server-template` line stands for: prefix + number. */
export function templateNumbers(range: string): readonly number[] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  if (match === null) return [];
  const low = match[2] === undefined ? 1 : Number(match[1]);
  const high = Number(match[2] ?? match[1]);
  if (high < low || high - low > 65535) return [];
  return Array.from({ length: high - low + 1 }, (_, offset) => low + offset);
}

function proxyKind(section: Section): ProxyName['kind'] | undefined {
  const { kind } = section;
  return kind === 'frontend' || kind === 'backend' || kind === 'listen' ? kind : undefined;
}

/** Name of the server that stands for a `dispatch` address. */
export const dispatchServer = 'dispatch';

export class Names {
  readonly proxies: ProxyName[] = [];
  readonly servers: ServerName[] = [];
  readonly userlists: string[] = [];
  /** `section/table` of the tables that peers sections declare. */
  readonly peersTables = new Set<string>();
  readonly sections = new Map<string, Section[]>();
  private readonly byName = new Map<string, ProxyName[]>();
  private readonly serverIndexes = new Map<string, number>();

  constructor(sections: readonly Section[]) {
    for (const section of sections) {
      const alike = this.sections.get(section.kind);
      if (alike === undefined) this.sections.set(section.kind, [section]);
      else alike.push(section);
      const kind = proxyKind(section);
      if (kind !== undefined) this.addProxy(section, kind);
      else if (section.kind === 'userlist') this.userlists.push(section.name);
      else if (section.kind === 'peers') {
        for (const line of section.lines) if (line.words[0] === 'table') this.peersTables.add(`${section.name}/${wordAt(line, 1)}`);
      }
    }
  }

  private addProxy(section: Section, kind: ProxyName['kind']): void {
    const index = this.proxies.length;
    const hasTable = section.lines.some((line) => line.words[0] === 'stick-table' && line.negation === '');
    const proxy: ProxyName = { index, name: section.name, kind, hasTable };
    this.proxies.push(proxy);
    this.byName.set(section.name, [...(this.byName.get(section.name) ?? []), proxy]);
    if (kind === 'frontend') return;
    for (const line of section.lines) {
      if (line.words[0] === 'server') this.addServer(wordAt(line, 1), index);
      else if (line.words[0] === 'dispatch') this.addServer(dispatchServer, index);
      else if (line.words[0] === 'server-template') {
        for (const number of templateNumbers(wordAt(line, 2))) this.addServer(`${wordAt(line, 1)}${number}`, index);
      }
    }
  }

  private addServer(name: string, proxy: number): void {
    const index = this.servers.length;
    this.servers.push({ index, name, proxy });
    const key = `${proxy}/${name}`;
    if (!this.serverIndexes.has(key)) this.serverIndexes.set(key, index);
  }

  /** Index of a proxy with the wanted side, -1 = none. */
  proxy(name: string, want: 'frontend' | 'backend' | 'table'): number {
    const found = this.byName.get(name) ?? [];
    if (want === 'table') return (found.find((each) => each.hasTable) ?? found[0])?.index ?? -1;
    return found.find((each) => each.kind === want || each.kind === 'listen')?.index ?? -1;
  }

  server(proxy: number, name: string): number {
    return this.serverIndexes.get(`${proxy}/${name}`) ?? -1;
  }

  /** `backend/server` or `server` as `track` writes it, -1 = none. */
  tracked(text: string, ownProxy: number): number {
    const slash = text.indexOf('/');
    const proxy = slash < 0 ? ownProxy : this.proxy(text.slice(0, slash), 'backend');
    return proxy < 0 ? -1 : this.server(proxy, text.slice(slash + 1));
  }

  proxyNames(): string[] {
    return [...this.byName.keys()];
  }

  serverNames(proxy: number): string[] {
    return this.servers.filter((server) => server.proxy === proxy).map((server) => server.name);
  }
}
