/** One line of a defaults, frontend, listen or backend section being read, with the settings it changes. */
import type { Place } from '../../model/problem.ts';
import { Reading } from '../context.ts';
import type { Context } from '../context.ts';
import type { DefaultsDraft, OwnRules, ProxyDraft, ProxySettings } from '../draft.ts';
import type { Layer } from '../expression/scope.ts';
import type { Section } from '../line.ts';
import { LineScope } from '../line-scope.ts';
import { parseAddress } from '../address.ts';
import type { AddressRules, ParsedAddress } from '../address.ts';

/** The order in which rules run. */
const ruleOrder = ['tcp-request connection', 'tcp-request session', 'tcp-request content', 'block', 'http-request', 'redirect', 'use_backend', 'use-server'];

export class ProxyReading extends Reading {
  readonly settings: ProxySettings;
  /** Null in a defaults section. */
  readonly proxy: ProxyDraft | null;
  readonly defaults: DefaultsDraft | null;
  /** Rules of this section, merged with inherited ones when it ends. */
  readonly rules: OwnRules;
  /** The last `mode` of the section, wherever it stands; '' when it has none. */
  private readonly ownMode: string;
  private highestRank = 0;

  constructor(context: Context, section: Section, settings: ProxySettings, proxy: ProxyDraft | null, defaults: DefaultsDraft | null, rules: OwnRules) {
    super(context, section);
    this.settings = settings;
    this.proxy = proxy;
    this.defaults = defaults;
    this.rules = rules;
    this.ownMode = section.lines.findLast((line) => line.words[0] === 'mode')?.words[1] ?? '';
  }

  get isFrontend(): boolean {
    return this.section.kind === 'frontend' || this.section.kind === 'listen';
  }

  get isBackend(): boolean {
    return this.section.kind === 'backend' || this.section.kind === 'listen';
  }

  /** True for a plain or `default`-less line: the option is to be switched on. */
  get on(): boolean {
    return this.line.negation === '';
  }

  scope(layer: Layer, place: Place = this.place): LineScope {
    const acls = this.proxy?.acls ?? this.defaults?.acls ?? new Map<string, number[]>();
    const mode = (this.ownMode || this.settings.mode) === 'http' ? 'http' : 'tcp';
    return new LineScope(this.context, { proxy: this.proxy?.index ?? -1, mode, acls, captures: this.proxy }, layer, place);
  }

  /** Rules run family by family, whatever their order in the file: says so where the file suggests otherwise. */
  ranked(family: string): void {
    const rank = ruleOrder.indexOf(family);
    if (rank < this.highestRank) {
      this.warning(family, `this '${family}' rule stands after a '${ruleOrder[this.highestRank] ?? ''}' rule but runs before it`, 'move it up so that the file reads as it runs');
    } else this.highestRank = rank;
  }

  /** Remembers where a setting was made, for the checks at the end. */
  mark(setting: string): void {
    this.settings.places = { ...this.settings.places, [setting]: this.place };
  }

  /** An address, or a reported error and undefined. */
  address(text: string, rules: AddressRules): Exclude<ParsedAddress, { address: null }> | undefined {
    const parsed = parseAddress(this.expanded(text), rules);
    if (parsed.address !== null) return parsed;
    this.error(text, `'${this.keyword}': ${parsed.fault}`);
    return undefined;
  }
}

export const checkAddressRules: AddressRules = { port: 'optional', range: false, offset: false, fd: false, datagram: false, stream: true, names: true };

export const sourceAddressRules: AddressRules = { port: 'optional', range: true, offset: false, fd: false, datagram: false, stream: true, names: true };
