/**
 * What one proxy of mode http asks for, compiled once per thread: rules, monitor, statistics page, header additions. Part of
 * ProxyPlan; read by the request and answer steps of this room.
 */
import { parseNetwork, networkContains, type IpValue, type Network } from '../../base/ip.ts';
import type { HeaderAppend, Proxy, StatsPage } from '../../model/model.ts';
import type { Compiler, FormatFn, RuleSet, TestFn } from '../../rules/compile.ts';

/** `option forwardfor` or `originalto`. */
export class AddressHeader {
  readonly lowerName: string;
  readonly ifNone: boolean;
  private readonly except: readonly Network[];

  constructor(append: HeaderAppend) {
    this.lowerName = append.header.toLowerCase();
    this.ifNone = append.ifNone;
    this.except = append.except.map((text) => parseNetwork(text)).filter((network) => network !== undefined);
  }

  get hasExceptions(): boolean { return this.except.length > 0; }

  excepts(ip: IpValue | undefined): boolean {
    return ip !== undefined && this.except.some((network) => networkContains(network, ip));
  }
}

export class StatsRules {
  readonly page: StatsPage;
  readonly rules: RuleSet;
  readonly admin: readonly TestFn[];

  constructor(page: StatsPage, compiler: Compiler) {
    this.page = page;
    this.rules = compiler.ruleSet(page.httpRequest);
    this.admin = page.admin.map((condition) => compiler.condition(condition));
  }
}

export class HttpRules {
  readonly request: RuleSet;
  /** `redirect` lines: run after the rules (an `allow` there does not end them) and after the statistics page. */
  readonly redirects: RuleSet;
  readonly response: RuleSet;
  readonly afterResponse: RuleSet;
  readonly monitorFail: readonly TestFn[];
  readonly stats: StatsRules | null;
  readonly forwardfor: AddressHeader | null;
  readonly originalto: AddressHeader | null;
  /** Value of the Forwarded line. */
  readonly forwarded: FormatFn | null;
  /** http-send-name-header in lower case, '' = none. */
  readonly sendName: string;
  /** unique-id-format as a header value. */
  readonly uniqueId: FormatFn | null;
  readonly hasRequestCaptures: boolean;
  readonly hasResponseCaptures: boolean;

  constructor(proxy: Proxy, compiler: Compiler) {
    this.request = compiler.ruleSet(proxy.httpRequest);
    this.redirects = compiler.ruleSet(proxy.redirects);
    this.response = compiler.ruleSet(proxy.httpResponse);
    this.afterResponse = compiler.ruleSet(proxy.httpAfterResponse);
    this.monitorFail = proxy.monitorFail.map((condition) => compiler.condition(condition));
    this.stats = proxy.stats !== null && proxy.stats.enabled ? new StatsRules(proxy.stats, compiler) : null;
    this.forwardfor = proxy.forwardfor === null ? null : new AddressHeader(proxy.forwardfor);
    this.originalto = proxy.originalto === null ? null : new AddressHeader(proxy.originalto);
    this.forwarded = proxy.forwarded === null ? null : compiler.format(proxy.forwarded, 'http');
    this.sendName = proxy.sendNameHeader.toLowerCase();
    this.uniqueId = proxy.uniqueIdFormat === null ? null : compiler.format(proxy.uniqueIdFormat, 'http');
    this.hasRequestCaptures = proxy.requestCaptures.some((slot) => slot.header !== '');
    this.hasResponseCaptures = proxy.responseCaptures.some((slot) => slot.header !== '');
  }
}
