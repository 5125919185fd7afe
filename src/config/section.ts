/**
 * Sections → draft: global, defaults and proxies, in the order of the files, with inheritance as HAProxy does it (a proxy copies
 * its defaults section when it begins). Called by load.ts after names are known.
 */
import type { Context } from './context.ts';
import type { DefaultsDraft, OwnRules, ProxyDraft, ProxySettings } from './draft.ts';
import { addBinds } from './bind.ts';
import { dispatch } from './dispatch.ts';
import { globalTable } from './global/keywords.ts';
import { GlobalReading } from './global/reading.ts';
import { initialRules, initialSettings } from './initial.ts';
import type { Section } from './line.ts';
import { linesPerStep } from './preprocess.ts';
import { didYouMean } from './problems.ts';
import { ProxyReading } from './proxy/reading.ts';
import { proxyTable } from './proxy/table.ts';

export class SectionReader {
  private readonly context: Context;
  private readonly defaults: DefaultsDraft[] = [];

  constructor(context: Context) {
    this.context = context;
  }

  readGlobal(section: Section): void {
    const reading = new GlobalReading(this.context, section);
    const [extra] = section.rest;
    if (extra !== undefined) reading.error(extra, `'global' takes no words after it, found '${extra}'`);
    for (const line of section.lines) dispatch(reading, globalTable, line);
  }

  readDefaults(section: Section): void {
    const base = this.baseOf(section);
    const settings: ProxySettings = base === undefined ? initialSettings() : { ...base.settings };
    const acls = new Map<string, number[]>();
    const draft: DefaultsDraft = { name: section.name, place: section.place, settings, acls, usedByName: false, usedAsLast: false, rulesUsedBy: null };
    const rules = initialRules();
    const reading = new ProxyReading(this.context, section, settings, null, draft, rules);
    for (const line of section.lines) dispatch(reading, proxyTable, line);
    appendRules(settings, rules);
    this.defaults.push(draft);
  }

  /** In steps of some lines. */
  *readProxy(section: Section, kind: ProxyDraft['kind']): Generator<undefined> {
    const { draft, names } = this.context;
    const defaults = this.defaultsOf(section);
    const settings: ProxySettings = defaults === undefined ? initialSettings() : { ...defaults.settings };
    const index = draft.proxies.length;
    const proxy: ProxyDraft = {
      index, kind, name: names.proxies[index]?.name ?? section.name, place: section.place, settings, acls: new Map(), servers: [], binds: [], bindAtFault: false, id: 0, iid: 0, guid: '', description: '',
      monitorFail: [], requestCaptures: [], responseCaptures: [], cookieCapture: null, useBackend: [], useServer: [], stickTable: null, stickRules: [], persistRules: [],
      ownRules: initialRules(), ownHttpSteps: false, ownTcpSteps: false, ownHttpRequest: false, defaults: defaults ?? null,
    };
    draft.proxies.push(proxy);
    const reading = new ProxyReading(this.context, section, settings, proxy, null, proxy.ownRules);
    this.checkName(reading, section);
    this.readSectionAddress(reading, section);
    for (const [at, line] of section.lines.entries()) {
      dispatch(reading, proxyTable, line);
      if (at % linesPerStep === linesPerStep - 1) yield;
    }
    if (defaults !== undefined) refuseInheritedRules(reading, kind, defaults);
    appendRules(settings, proxy.ownRules);
  }

  private checkName(reading: ProxyReading, section: Section): void {
    const bad = /[^A-Za-z0-9_.:-]/.exec(section.name);
    if (bad !== null) reading.error(section.name, `the name '${section.name}' holds '${bad[0]}'`, 'names are made of letters, digits, - _ . and :');
  }

  /** `listen web 10.0.0.1:80` and `frontend web :80` of HAProxy before 1.6. */
  private readSectionAddress(reading: ProxyReading, section: Section): void {
    const [first, second] = section.rest;
    if (first === undefined || first === 'from') {
      if (section.rest.length > 2) reading.error(section.rest[2] ?? '', `unexpected word '${section.rest[2] ?? ''}' on the section line`);
      return;
    }
    const address = /[:/@*]/.test(first);
    if (address && section.kind === 'backend') {
      reading.warning(first, `'${first}' after 'backend ${section.name}' is ignored`, 'leave it out: a backend does not listen');
      return;
    }
    if (!address) {
      reading.error(first, `unexpected word '${first}' after '${section.kind} ${section.name}'`, "only 'from <defaults>' may stand there");
      return;
    }
    reading.warning(first, 'an address on the section line was removed from HAProxy', `write 'bind ${section.rest.filter((word) => word !== 'from').join(' ')}' on a line of its own`);
    reading.line = { place: section.place, words: ['bind', ...section.rest], negation: '' };
    reading.keyword = 'bind';
    addBinds(reading, first, second === undefined ? [] : section.rest.slice(1));
  }

  /** The section named by `from`, undefined when there is none. */
  private baseOf(section: Section): DefaultsDraft | undefined {
    const at = section.rest.indexOf('from');
    if (at < 0) return undefined;
    const name = section.rest[at + 1] ?? '';
    const found = this.defaults.filter((each) => each.name === name && name !== '');
    const { problems } = this.context;
    if (found.length === 0) {
      const later = (this.context.names.sections.get('defaults') ?? []).some((each) => each.name === name);
      const remedy = later ? 'move it in front of this section' : didYouMean(name, this.defaults.map((each) => each.name).filter((each) => each !== ''));
      problems.error(section.place, name, name === '' ? "'from' needs the name of a defaults section" : `there is no defaults section '${name}' before this line`, remedy);
      return undefined;
    }
    if (found.length > 1) problems.error(section.place, name, `there are several defaults sections named '${name}'`, 'give each a name of its own');
    const base = found.at(-1);
    if (base !== undefined) base.usedByName = true;
    return base;
  }

  private defaultsOf(section: Section): DefaultsDraft | undefined {
    if (section.rest.includes('from')) return this.baseOf(section);
    const last = this.defaults.at(-1);
    if (last === undefined) return undefined;
    if (last.usedByName && !last.usedAsLast) {
      this.context.problems.warning(section.place, section.name, `defaults section '${last.name}' is used by name elsewhere and here only because it is the last one`,
        `write '${section.kind} ${section.name} from ${last.name}'`);
    }
    last.usedAsLast = true;
    return last;
  }
}

/** Rules of a defaults section may be inherited by frontends or by backends, and never by a listen section. */
function refuseInheritedRules(reading: ProxyReading, kind: ProxyDraft['kind'], defaults: DefaultsDraft): void {
  const { tcpRequestConnection, tcpRequestSession, tcpRequestContent, tcpResponseContent, httpRequest, httpResponse, httpAfterResponse } = defaults.settings;
  const frontendOnly = tcpRequestConnection.length + tcpRequestSession.length;
  const all = frontendOnly + tcpRequestContent.length + tcpResponseContent.length + httpRequest.length + httpResponse.length + httpAfterResponse.length;
  if (all === 0) return;
  defaults.rulesUsedBy ??= kind;
  reading.line = { place: reading.section.place, words: [kind], negation: '' };
  let why = '';
  if (kind === 'listen') why = 'a listen section cannot inherit rules';
  else if (kind === 'backend' && frontendOnly > 0) why = 'a backend cannot inherit tcp-request connection or session rules';
  else if (kind === 'frontend' && tcpResponseContent.length > 0) why = 'a frontend cannot inherit tcp-response rules';
  else if (defaults.rulesUsedBy !== kind) why = 'a defaults section with rules cannot serve frontends and backends alike';
  if (why !== '') reading.error(defaults.name, `${why} (defaults '${defaults.name}')`, 'use another defaults section, without these rules');
}

/** HAProxy 1.x and today: `block` first, then http-request, then reqXXX. Inherited rules run before. */
function appendRules(settings: ProxySettings, own: OwnRules): void {
  settings.tcpRequestConnection = [...settings.tcpRequestConnection, ...own.tcpRequestConnection];
  settings.tcpRequestSession = [...settings.tcpRequestSession, ...own.tcpRequestSession];
  settings.tcpRequestContent = [...settings.tcpRequestContent, ...own.tcpRequestContent];
  settings.tcpResponseContent = [...settings.tcpResponseContent, ...own.tcpResponseContent];
  settings.httpRequest = [...settings.httpRequest, ...own.legacyBlock, ...own.httpRequest, ...own.legacyRequest];
  settings.redirects = [...settings.redirects, ...own.redirects];
  settings.httpResponse = [...settings.httpResponse, ...own.httpResponse, ...own.legacyResponse];
  settings.httpAfterResponse = [...settings.httpAfterResponse, ...own.httpAfterResponse];
}
