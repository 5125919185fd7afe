/**
 * Command line of `poise init exchange` → ExchangeSite, or what is wrong with it: every fault with the word it stands in and the remedy,
 * all of them at once. Called by exchange.ts. Reads no file.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatIp, networkContains, parseIp, parseNetwork } from '../../base/ip.ts';
import type { IpValue } from '../../base/ip.ts';
import { didYouMean } from '../../config/problems.ts';
import { allServices } from './site.ts';
import type { Alert, ExchangeSite, Machine, MailProtocol, Service } from './site.ts';

/** An interface of this machine: `eth0`, `10.0.0.11/24`. */
interface Link { readonly name: string; readonly network: string }

interface InitOrder {
  readonly site: ExchangeSite;
  /** Absolute path of the folder. */
  readonly out: string;
  readonly force: boolean;
}

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/i;
const mailAddress = /^[^\s@<>{}"!#]+@[^\s@<>{}"!#]+$/;
const shortName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

const listed = { type: 'string', multiple: true, default: [] as string[] } as const;
const single = { type: 'string', default: '' } as const;
const flag = { type: 'boolean', default: false } as const;
const options = {
  servers: listed, name: listed, vip: single, cert: single, ca: single, services: listed, smtp: flag, imap: flag, pop: flag,
  mode: { type: 'string', default: 'l7' }, from: { type: 'string', default: 'poise' }, inside: listed, nodes: { type: 'string', default: 'lb01,lb02' },
  interface: single, 'router-id': { type: 'string', default: '51' }, 'mail-to': listed, 'mail-from': single, 'mail-server': single, webhook: single,
  out: { type: 'string', default: '.' }, force: flag,
} as const;

function parse(words: readonly string[]): { values: ReturnType<typeof parseWords> } | { fault: string } {
  try {
    return { values: parseWords(words) };
  } catch (error) {
    return { fault: wordFault(error) };
  }
}

function parseWords(words: readonly string[]) {
  return parseArgs({ args: [...words], options }).values;
}

function wordFault(error: unknown): string {
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const word = /'([^' ]*)/.exec(message)?.[1] ?? '';
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = didYouMean(word.replace(/^-+/, ''), Object.keys(options)).replace("'", "'--");
    return `there is no option '${word}'; ${near === '' ? 'take it out' : near}`;
  }
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return `'${word}' belongs to no option; write lists without blanks (--services owa,eas), or take it out`;
  return message.includes('does not take') ? `${word} stands alone; take the value away` : `${word} has no value; write one behind it`;
}

type Values = ReturnType<typeof parseWords>;

/** Collects faults; every reader gives something usable even so, because nothing is made of it then. */
class Reader {
  readonly faults: string[] = [];
  private readonly values: Values;

  constructor(values: Values) {
    this.values = values;
  }

  fault(what: string, remedy: string): void {
    this.faults.push(remedy === '' ? what : `${what}; ${remedy}`);
  }

  list(words: readonly string[]): string[] {
    return words.flatMap((word) => word.split(',')).map((word) => word.trim()).filter((word) => word !== '');
  }

  address(text: string, owner: string): string {
    const found = parseIp(text);
    if (found === undefined) this.fault(`'${text}' of ${owner} is not an address`, 'write the numbers, such as 10.0.0.21: a name would be looked up once and never again');
    return found === undefined ? text : formatIp(found);
  }

  servers(): readonly Machine[] {
    const words = this.list(this.values.servers);
    if (words.length === 0) this.fault('--servers is missing', 'write --servers lab-ex01=10.0.0.21,lab-ex02=10.0.0.22');
    const found = words.map((word): Machine => {
      const [name = '', address = ''] = word.split('=', 2);
      if (!word.includes('=') || !shortName.test(name)) {
        this.fault(`'${word}' in --servers is not NAME=ADDRESS`, 'write the host name of the Exchange server and its address: lab-ex01=10.0.0.21');
        return { name, address };
      }
      return { name, address: this.address(address, name) };
    });
    this.distinct(found, 'servers');
    return found;
  }

  private distinct(machines: readonly Machine[], what: string): void {
    machines.forEach((machine, at) => {
      const before = machines.slice(0, at);
      const sameName = before.find((other) => other.name.toLowerCase() === machine.name.toLowerCase());
      const sameAddress = before.find((other) => other.address !== '' && other.address === machine.address);
      if (sameName !== undefined) this.fault(`two ${what} are called '${machine.name}'`, 'give each its own name');
      else if (sameAddress !== undefined) this.fault(`${sameAddress.name} and ${machine.name} have the same address ${machine.address}`, 'one of them was copied: correct it');
    });
  }

  names(): readonly [string, ...string[]] {
    const [first = '', ...rest] = this.list(this.values.name);
    if (first === '') this.fault('--name is missing', 'write the name that clients use, as it stands in the certificate: --name mail.example.com');
    for (const name of first === '' ? [] : [first, ...rest]) if (!hostName.test(name) || parseIp(name) !== undefined) this.fault(`'${name}' in --name is not a host name`, 'write it in full, such as mail.example.com, without https:// and path');
    return [first, ...rest];
  }

  /** `10.0.0.10/24` */
  virtualAddress(): { vip: IpValue; prefixLength: number } {
    const text = this.values.vip;
    const [address = '', ...others] = text.split('/');
    const bits = others.join('/');
    const vip = parseIp(address);
    const longest = vip?.family === 6 ? 128 : 32;
    const prefixLength = /^\d{1,3}$/.test(bits) ? Number(bits) : 0;
    if (text === '') this.fault('--vip is missing', 'write the address that both nodes share, with its prefix length: --vip 10.0.0.10/24');
    else if (vip === undefined) this.fault(`'${address}' in --vip is not an address`, 'write the numbers and the prefix length, such as 10.0.0.10/24');
    else if (prefixLength < 1 || prefixLength > longest) this.fault(`'${text}' in --vip has no usable prefix length`, `write the one of the network, 1 to ${longest}: ${formatIp(vip)}/${vip.family === 6 ? 64 : 24}`);
    else if (isNoHost(vip, prefixLength)) this.fault(`'${text}' in --vip is the address of a network, of everybody in it, or of nobody`, 'write a free address of a machine, such as 10.0.0.10/24');
    return { vip: vip ?? (parseIp('0.0.0.0') as IpValue), prefixLength };
  }

  services(): readonly Service[] {
    const words = this.list(this.values.services).map((word) => word.toLowerCase());
    const known = allServices.map((service) => service.word);
    for (const word of words) {
      const near = didYouMean(word, known);
      if (!known.includes(word)) this.fault(`there is no service '${word}' (--services)`, `${near === '' ? '' : `${near} `}there are ${known.join(', ')}`);
    }
    if (words.length === 0 && this.values.services.length > 0) this.fault('--services names none', `write one of ${known.join(', ')}, or leave it out for all of them`);
    // In the order given: mode tcp asks for the first.
    const chosen = [...new Set(words)].flatMap((word) => allServices.find((service) => service.word === word) ?? []);
    return chosen.length === 0 ? allServices : chosen;
  }

  choice<T extends string>(option: 'mode' | 'from', choices: readonly [T, T]): T {
    const word = this.values[option];
    const found = choices.find((choice) => choice === word);
    if (found === undefined) this.fault(`'${word}' is nothing --${option} knows`, `write --${option} ${choices.join(` or --${option} `)}`);
    return found ?? choices[0];
  }

  inside(): readonly string[] {
    const networks = this.list(this.values.inside);
    if (networks.length > 0 && this.values.mode === 'tcp') this.fault('--inside has no meaning with --mode tcp', 'paths cannot be seen there, so nothing is hidden from anybody: leave one of the two out');
    for (const network of networks) {
      const [address = '', bits, ...rest] = network.split('/');
      const found = parseIp(address);
      if (found === undefined || rest.length > 0 || (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > (found.family === 6 ? 128 : 32)))) this.fault(`'${network}' in --inside is not a network`, 'write it as 10.0.0.0/8');
    }
    return networks;
  }

  nodes(): readonly [Machine, Machine] {
    const found = this.list([this.values.nodes]).map((word): Machine => {
      const [name = '', address = ''] = word.split('=', 2);
      if (!shortName.test(name)) this.fault(`'${word}' in --nodes is not NAME or NAME=ADDRESS`, 'write --nodes lb01=10.0.0.11,lb02=10.0.0.12');
      return { name, address: address === '' ? '' : this.address(address, name) };
    });
    if (found.length !== 2) this.fault(`--nodes names ${found.length} node${found.length === 1 ? '' : 's'}`, 'a pair has two: --nodes lb01,lb02');
    this.distinct(found, 'nodes');
    return [found[0] ?? { name: '', address: '' }, found[1] ?? { name: '', address: '' }];
  }

  /** Without the option: the one here that is in the network of the virtual address. */
  device(vip: IpValue, links: readonly Link[]): string {
    const near = links.find(({ network }) => { const found = parseNetwork(network); return found !== undefined && networkContains(found, vip); });
    const name = this.values.interface === '' ? near?.name ?? 'eth0' : this.values.interface;
    if (!/^[^\s/{}"!#]{1,15}$/.test(name)) this.fault(`'${name}' in --interface is no name of an interface`, 'see "ip link" on the nodes, such as eth0 or ens192');
    else if (name === 'lo') this.fault(`the virtual address would be on 'lo', where no other node hears of it`, 'write --interface and what "ip link" on the nodes shows, such as eth0 or ens192');
    return name;
  }

  routerId(): number {
    const text = this.values['router-id'];
    const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > 255) this.fault(`'${text}' in --router-id is not a number from 1 to 255`, 'take one that no other pair in the network has');
    return value;
  }

  alert(name: string): Alert | null {
    const to = this.list(this.values['mail-to']);
    const { 'mail-from': from, 'mail-server': server } = this.values;
    for (const address of from === '' ? to : [...to, from]) if (!mailAddress.test(address)) this.fault(`'${address}' is no mail address (--mail-to, --mail-from)`, 'write somebody@example.com');
    if (to.length === 0) {
      if (from !== '' || server !== '') this.fault('nobody is named who gets the mail', 'add --mail-to administrator@example.com');
      return null;
    }
    const [host = '', port] = server.split(':', 2);
    if (server === '') this.fault('--mail-to needs --mail-server', 'name the mail server that takes alerts, better not one behind this balancer: --mail-server 10.0.0.9');
    else if (parseIp(server) === undefined && !hostName.test(host) && parseIp(host) === undefined) this.fault(`'${server}' in --mail-server is no address`, 'write 10.0.0.9 or 10.0.0.9:25');
    else if (parseIp(server) === undefined && port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536)) this.fault(`'${server}' in --mail-server has no usable port`, 'write 10.0.0.9:25');
    // keepalived takes the port as a word of its own.
    return { to, from: from === '' ? `balancer@${name.split('.').slice(1).join('.')}` : from, server: parseIp(server) === undefined ? server.replace(':', ' ') : server };
  }

  webhook(from: 'haproxy' | 'poise'): string {
    const url = this.values.webhook;
    if (url !== '' && (!/^https?:/.test(url) || !URL.canParse(url) || /\s/.test(url))) this.fault(`'${url}' in --webhook is no address`, 'write https://host/path');
    else if (url !== '' && from === 'haproxy') this.fault('--webhook belongs into poise.cfg, which is not written with --from haproxy', 'leave one of the two out');
    return url;
  }
}

/** Unspecified, multicast, the network itself, its broadcast address. Networks of 31 bits and more have only hosts. */
function isNoHost(ip: IpValue, bits: number): boolean {
  const [first = 0] = ip.bytes;
  if (ip.bytes.every((byte) => byte === 0) || (ip.family === 6 ? first === 0xff : first >= 224)) return true;
  if (ip.family === 6 || bits < 8 || bits > 30) return false;
  const all = 2 ** (32 - bits) - 1;
  const host = ((ip.bytes[1] ?? 0) << 16 | (ip.bytes[2] ?? 0) << 8 | (ip.bytes[3] ?? 0)) & all;
  return host === 0 || host === all;
}

/** No address may stand for two machines. */
function compareAddresses(reader: Reader, site: ExchangeSite): void {
  const vip = formatIp(site.vip);
  for (const machine of [...site.servers, ...site.nodes]) if (machine.address === vip) reader.fault(`--vip ${vip} is also the address of ${machine.name}`, 'the virtual address must be a free one');
  for (const node of site.nodes) {
    const server = site.servers.find((other) => other.address === node.address);
    if (server !== undefined) reader.fault(`${node.name} and ${server.name} have the same address ${node.address}`, 'the balancers are machines of their own');
  }
}

export function readInitWords(words: readonly string[], folder: string, links: readonly Link[] = []): InitOrder | { readonly faults: readonly string[] } {
  const parsed = parse(words);
  if ('fault' in parsed) return { faults: [parsed.fault] };
  const { values } = parsed;
  const reader = new Reader(values);
  const servers = reader.servers();
  const names = reader.names();
  const virtual = reader.virtualAddress();
  const from = reader.choice('from', ['poise', 'haproxy']);
  if (values.cert === '') reader.fault('--cert is missing', 'name the PEM file with the certificate of the Exchange servers, its chain and its key: --cert /etc/ssl/mail.pem');
  const mail: readonly MailProtocol[] = (['smtp', 'imap', 'pop'] as const).filter((protocol) => values[protocol]);
  const site: ExchangeSite = {
    servers, names, ...virtual, certificate: resolve(folder, values.cert), authority: values.ca === '' ? '' : resolve(folder, values.ca),
    services: reader.services(), mail, mode: reader.choice('mode', ['l7', 'tcp']), from, inside: reader.inside(), nodes: reader.nodes(),
    device: reader.device(virtual.vip, links), routerId: reader.routerId(), alert: reader.alert(names[0]), webhook: reader.webhook(from),
  };
  if (reader.faults.length === 0) compareAddresses(reader, site);
  return reader.faults.length > 0 ? { faults: reader.faults } : { site, out: resolve(folder, values.out), force: values.force };
}
