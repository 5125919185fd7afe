/**
 * Draws conclusions from what health checks see on Exchange servers: certificates that Extended Protection will refuse, addresses
 * that lead to another server, services that are down alone. Called by health/checker.ts after each check, with the certificates that
 * traffic met by process/balancer.ts, and by `check --probe`. Changes no server state, remembers one small record per server.
 */
import type { AdviceCode } from '../../model/advice.ts';
import type { Bind, Model, Server } from '../../model/model.ts';
import type { AdviceList } from './advice-list.ts';
import { exchangeBackends } from '../../model/exchange-sites.ts';
import type { ExchangeBackend } from '../../model/exchange-sites.ts';
import type { Sighting } from './sighting.ts';

/** Newest findings about a server; '' = not seen. */
interface Seen {
  passed: boolean | null;
  /** As many checks have failed as the server line wants. */
  down: boolean;
  /** Number of the last check, and of the one that changed `down`; all checks count in one row. */
  checkedAt: number;
  changedAt: number;
  fingerprint: string;
  fqdn: string;
  /** Subjects of entries about names that this server found true at its last look. */
  readonly names: { 'other-server': string; 'same-server-twice': string };
}

export class ProbeWatch {
  private readonly model: Model;
  private readonly advice: AdviceList;
  private readonly addressOf: (server: number) => { readonly host: string; readonly port: number };
  private readonly backends: ReadonlyMap<number, ExchangeBackend>;
  private readonly seen = new Map<number, Seen>();
  /** Fingerprints by bind index, where they are no longer those of the configuration. */
  private readonly served = new Map<number, readonly string[]>();
  private checks = 0;

  constructor(model: Model, advice: AdviceList, addressOf: (server: number) => { readonly host: string; readonly port: number }) {
    this.model = model;
    this.advice = advice;
    this.addressOf = addressOf;
    this.backends = exchangeBackends(model);
    for (const { proxy } of this.backends.values()) for (const server of proxy.servers) this.seen.set(server, { passed: null, down: false, checkedAt: 0, changedAt: 0, fingerprint: '', fqdn: '', names: { 'other-server': '', 'same-server-twice': '' } });
  }

  watches(server: number): boolean {
    return this.seen.has(server);
  }

  /** A check of a watched server has ended. `down`: with it the server is; one failed check alone may be a slow moment. */
  checked(index: number, passed: boolean, sighting: Sighting, down = !passed): void {
    const server = this.model.servers[index];
    const seen = this.seen.get(index);
    const backend = server === undefined ? undefined : this.backends.get(server.proxy);
    if (server === undefined || seen === undefined || backend === undefined) return;
    this.checks += 1;
    seen.checkedAt = this.checks;
    if (seen.down !== down) seen.changedAt = this.checks;
    seen.passed = passed;
    seen.down = down;
    if (sighting.fingerprint !== '' && checksTrafficPort(server)) this.certificateSeen(index, sighting.fingerprint);
    if (backend.asksHealthcheck) this.readBody(backend, server, seen, sighting);
    for (const other of this.backends.values()) if (sharesFrontend(other, backend)) this.judgeService(other);
  }

  /** A check or a request met this certificate on the server's own port. SHA-256 of the leaf, lower-case hexadecimal. */
  certificateSeen(index: number, fingerprint: string): void {
    const server = this.model.servers[index];
    const seen = this.seen.get(index);
    const backend = server === undefined ? undefined : this.backends.get(server.proxy);
    if (server === undefined || seen === undefined || backend === undefined) return;
    seen.fingerprint = fingerprint;
    for (const bind of backend.binds) this.compareWithBind(server, fingerprint, bind);
    this.compareServers(backend);
  }

  /** From now on the bind shows these certificates. */
  certificatesServed(bind: number, fingerprints: readonly string[]): void {
    this.served.set(bind, fingerprints);
    for (const [index, { fingerprint }] of this.seen) if (fingerprint !== '') this.certificateSeen(index, fingerprint);
  }

  /** The channel binding of a login is the hash of the certificate that the client saw (RFC 5929 4). */
  private compareWithBind(server: Server, fingerprint: string, bind: Bind): void {
    const served = this.served.get(bind.index) ?? (bind.tls?.certificates ?? []).flatMap(({ certificate }) => this.model.certificates[certificate]?.fingerprint ?? []);
    if (served.length === 0) return;
    const own = this.addressText(server);
    const subject = `${own} ${bind.text}`;
    const differs = !served.includes(fingerprint);
    this.tell(differs, 'certificate-of-bind', server, subject, () =>
      `Extended Protection will refuse Outlook logins: server ${this.fullName(server)} (${own}) has the certificate ${fingerprint}, ` +
      `bind ${bind.text} [${bind.place.file}:${bind.place.line}] serves ${served.join(', ')} (SHA-256). ` +
      'Install the same certificate, with its key, on the servers and here.', { facts: `${fingerprint} ${served.join(' ')}` });
  }

  private compareServers(backend: ExchangeBackend): void {
    const known = backend.proxy.servers.flatMap((index) => this.model.servers[index] ?? [])
      .map((server) => ({ server, fingerprint: this.seen.get(server.index)?.fingerprint ?? '' })).filter(({ fingerprint }) => fingerprint !== '');
    const [first] = known;
    if (first === undefined || known.length < 2) return;
    // The same servers stand in many backends: one entry for all of them.
    const subject = known.map(({ server }) => this.addressText(server)).sort().join(' ');
    const differ = known.some(({ fingerprint }) => fingerprint !== first.fingerprint);
    this.tell(differ, 'certificates-of-servers', first.server, subject, () =>
      `OWA will loop: the servers of backend ${backend.proxy.name} have different certificates (SHA-256): ` +
      `${known.map(({ server, fingerprint }) => `${server.name} ${fingerprint}`).join(', ')}. A server cannot read the login cookies of another ` +
      'one then. Install the same certificate, with its key, on all of them.', { facts: known.map(({ fingerprint }) => fingerprint).join(' ') });
  }

  private readBody(backend: ExchangeBackend, server: Server, seen: Seen, sighting: Sighting): void {
    const answer = sighting.answer();
    if (answer === null) return;
    const name = this.fullName(server);
    this.tell(answer.body.trim() === '', 'empty-healthcheck', server, name, () =>
      `Server ${name} answers healthcheck.htm with 200 and an empty body; Exchange writes its name there. ` +
      'The server counts as up; look whether something else than Exchange answers.', { severity: 'advice' });
    seen.fqdn = /<br\s*\/?>\s*([a-z0-9._-]+)/i.exec(answer.body)?.[1] ?? '';
    if (seen.fqdn === '') return;
    const address = this.addressText(server);
    this.tellName('other-server', server, seen, firstLabel(seen.fqdn) === firstLabel(server.name) ? '' : `${server.name} ${address}`, () =>
      `Server ${name} (${address}) is answered by ${seen.fqdn}, not by ${server.name}: the address may be another server's. ` +
      `Correct the address on the server line${this.elsewhere(server)}, or its name.`);
    const twin = backend.proxy.servers.find((index) => index !== server.index && this.seen.get(index)?.fqdn.toLowerCase() === seen.fqdn.toLowerCase());
    const other = twin === undefined ? undefined : this.model.servers[twin];
    const pair = [server, other ?? server].sort((one, two) => one.index - two.index);
    this.tellName('same-server-twice', server, seen, other === undefined ? '' : pair.map((one) => `${one.name} ${this.addressText(one)}`).join(' '), () =>
      `Servers ${pair.map((one) => one.name).join(' and ')} of backend ${backend.proxy.name} are the same machine, ${seen.fqdn}: an address was copied. ` +
      `When it fails, both are gone. Correct the address of one${this.elsewhere(server)}.`);
  }

  /** The same servers stand in many backends: one entry for all of them, over when the last of them finds it no more. */
  private tellName(code: 'other-server' | 'same-server-twice', server: Server, seen: Seen, subject: string, text: () => string): void {
    const before = seen.names[code];
    seen.names[code] = subject;
    if (before !== '' && ![...this.seen.values()].some(({ names }) => names[code] === before)) this.advice.clear(code, before);
    if (subject !== '') this.tell(true, code, server, subject, text, { facts: seen.fqdn.toLowerCase() });
  }

  private elsewhere(server: Server): string {
    const address = this.addressText(server);
    const others = [...this.seen.keys()].flatMap((index) => this.model.servers[index] ?? []).filter((one) => one !== server && one.name === server.name && this.addressText(one) === address);
    return others.length === 0 ? '' : ` and in ${others.length} other ${others.length === 1 ? 'backend' : 'backends'}`;
  }

  /** Every probe of this backend fails, and a probe of the same address has passed in another backend since (not before: it may be down too). */
  private judgeService({ proxy }: ExchangeBackend): void {
    const first = this.model.servers[proxy.servers[0] ?? -1];
    const own = proxy.servers.flatMap((index) => this.seen.get(index) ?? []);
    if (first === undefined) return;
    const down = own.every((one) => one.down);
    const since = own.reduce((latest, { changedAt }) => Math.max(latest, changedAt), 0);
    const hosts = new Set(proxy.servers.map((index) => this.addressOf(index).host));
    const well = [...this.seen].filter(([index, { passed, checkedAt }]) => passed === true && checkedAt > since && hosts.has(this.addressOf(index).host))
      .flatMap(([index]) => this.model.proxies[this.model.servers[index]?.proxy ?? -1]?.name ?? []);
    if (down && well.length === 0) return;
    this.tell(down, 'service-down', first, proxy.name, () =>
      `Every probe of backend ${proxy.name} fails although its servers answer for ${[...new Set(well)].join(', ')}: the service itself is stopped ` +
      'or in maintenance on all of them. Look at Get-ServerComponentState and at the application pool of this service.', { facts: '' });
  }

  private tell(is: boolean, code: AdviceCode, server: Server, subject: string, text: () => string,
    { severity = 'warning', facts }: { readonly severity?: 'warning' | 'advice'; readonly facts?: string } = {}): void {
    if (is) this.advice.raise({ code, severity, proxy: server.proxy, server: code === 'service-down' ? -1 : server.index, subject, text: text() }, facts);
    else this.advice.clear(code, subject);
  }

  private fullName(server: Server): string {
    return `${this.model.proxies[server.proxy]?.name ?? ''}/${server.name}`;
  }

  private addressText(server: Server): string {
    const { host, port } = this.addressOf(server.index);
    return `${host}:${port}`;
  }
}

/** Otherwise the check's certificate is not the one that requests meet. */
function checksTrafficPort(server: Server): boolean {
  return server.tls !== null && server.check !== null && server.check.port === 0 && server.check.address === null;
}

function sharesFrontend(one: ExchangeBackend, other: ExchangeBackend): boolean {
  return one.frontends.some((frontend) => other.frontends.includes(frontend));
}

function firstLabel(name: string): string {
  return (name.split('.')[0] ?? '').toLowerCase();
}
