/** `source <addr>[:port] [interface X | usesrc …]`, on a line of its own and on server lines. */
import type { FdAddress } from '../../model/address.ts';
import type { ForeignSource, SourceAddress } from '../../model/model.ts';
import { parseSample } from '../expression/sample.ts';
import { sourceAddressRules } from './reading.ts';
import type { ProxyReading } from './reading.ts';

type Source = Exclude<NonNullable<SourceAddress['address']>, FdAddress>;

/** The kernel chooses among all free ports. */
function withoutRange(reading: ProxyReading, text: string, address: Source): Source {
  if (address.kind !== 'inet' || address.portLast === address.port) return address;
  reading.warning(text, 'the port range of a source address has no effect: the kernel chooses the port', 'sysctl net.ipv4.ip_local_port_range gives the range to choose from');
  return { ...address, port: 0, portLast: 0 };
}

/** `client`, `clientip`, `hdr_ip(<name>[,<number>])` or an address. Undefined: reported. */
function readForeign(reading: ProxyReading, text: string): ForeignSource | undefined {
  if (text === 'client' || text === 'clientip') return { kind: text };
  if (text.startsWith('hdr_ip(')) {
    const expr = parseSample(`req.${text}`, reading.scope('http-request'));
    return expr === undefined ? undefined : { kind: 'header', expr };
  }
  const parsed = reading.address(text, { ...sourceAddressRules, range: false });
  if (parsed === undefined) return undefined;
  if (parsed.address.kind === 'inet') return { kind: 'address', host: parsed.address.host, port: parsed.address.port };
  reading.error(text, `'usesrc' needs an IP address, not '${text}'`, 'write an address, client, clientip or hdr_ip(<name>)');
  return undefined;
}

/** Undefined: reported. `used` tells a server line how many words belonged to it. HAProxy takes a range of ports on server lines only. */
export function readSourceWords(reading: ProxyReading, words: readonly string[], range: boolean): { readonly source: SourceAddress; readonly used: number } | undefined {
  const parsed = reading.address(words[0] ?? '', { ...sourceAddressRules, range });
  if (parsed === undefined) return undefined;
  const address: Exclude<typeof parsed.address, FdAddress> | undefined = parsed.address.kind === 'fd' ? undefined : withoutRange(reading, words[0] ?? '', parsed.address);
  let bound = '';
  let usesrc: ForeignSource | null = null;
  let used = 1;
  for (;;) {
    const word = words[used];
    if (word !== 'interface' && word !== 'usesrc') break;
    const value = words[used + 1] ?? '';
    if (value === '') {
      reading.error(word, `'source … ${word}' needs a value`);
      return undefined;
    }
    if (word === 'interface') {
      bound = value;
      reading.warning('interface', "'interface' has no effect: the source address and the routes decide", 'give the source address of that interface');
    } else {
      const read = readForeign(reading, value);
      if (read === undefined) return undefined;
      usesrc = read;
    }
    used += 2;
  }
  return { source: { address: address ?? null, interface: bound, usesrc }, used };
}

export function readSource(reading: ProxyReading): SourceAddress | undefined {
  const found = readSourceWords(reading, reading.args, false);
  if (found === undefined) return undefined;
  const extra = reading.args[found.used];
  if (extra !== undefined) {
    reading.error(extra, `'source' does not know '${extra}'`, "it takes 'interface <name>' and 'usesrc <address>|client|clientip|hdr_ip(<name>)'");
    return undefined;
  }
  return found.source;
}
