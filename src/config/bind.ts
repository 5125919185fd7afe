/** `bind` lines, and addresses on the section line of old files. Called by the proxy table and section.ts. */
import { isIPv4, isIPv6 } from 'node:net';
import type { BindAddress } from '../model/address.ts';
import { addressText, parseAddress } from './address.ts';
import type { AddressRules } from './address.ts';
import type { Context } from './context.ts';
import type { BindDraft, TlsDraft } from './draft.ts';
import { initialTls } from './initial.ts';
import { idle, option, optionMap, readOptions } from './option-table.ts';
import type { LineOption } from './option-table.ts';
import { groupId, userId } from './accounts.ts';
import type { ProxyReading } from './proxy/reading.ts';
import { tellProtocol, tlsValueRows, tlsVersionRows } from './tls-options.ts';

type Row = LineOption<BindDraft, ProxyReading>;

/** TLS rows speak of a TlsDraft; on a bind line that is the line's own. */
const tlsRows: readonly Row[] = [...tlsVersionRows, ...tlsValueRows].map((row) => ({
  ...row, read: row.read === null ? null : (bind, values, reading) => row.read?.(bind.tls, values, reading),
}));

function tlsFlag(word: string, help: string, change: (tls: TlsDraft, value: string, reading: ProxyReading) => void, values = 0): Row {
  return option(word, values, help, (bind, [value = ''], reading) => change(bind.tls, value, reading));
}

function readVerify(tls: TlsDraft, value: string, reading: ProxyReading): void {
  tls.verify = reading.choice(value, "'verify'", ['none', 'optional', 'required']) ?? '';
}

const errorCodes = (value: string): string[] => value.split(',');

export const bindRows: readonly Row[] = [
  ...tlsRows,
  tlsFlag('ssl', 'TLS.', (tls) => { tls.ssl = true; }),
  tlsFlag('crt', 'Certificate file or folder.', (tls, value) => { tls.crt = [...tls.crt, { path: value, list: false }]; }, 1),
  tlsFlag('crt-list', 'File that lists certificates with names and options.', (tls, value) => { tls.crt = [...tls.crt, { path: value, list: true }]; }, 1),
  tlsFlag('verify', 'Whether clients must show a certificate.', readVerify, 1),
  tlsFlag('ca-verify-file', 'Authorities that are trusted but not announced.', (tls, value) => { tls.caVerifyFile = value; }, 1),
  tlsFlag('ca-ignore-err', 'Errors of authorities that are overlooked.', (tls, value) => { tls.caIgnoreErrors = errorCodes(value); }, 1),
  tlsFlag('crt-ignore-err', 'Errors of client certificates that are overlooked.', (tls, value) => { tls.crtIgnoreErrors = errorCodes(value); }, 1),
  tlsFlag('no-alpn', 'Offers no protocol.', (tls) => { tls.alpn = []; }),
  tlsFlag('strict-sni', 'Refuses names that no certificate has.', (tls) => { tls.strictSni = true; }),
  option('name', 1, 'Name in statistics.', (bind, [value = '']) => { bind.name = value; }),
  option('id', 1, 'Number in statistics.', (bind, [value = ''], reading) => { bind.id = reading.count(value, "'id'", 1) ?? 0; }),
  option('guid-prefix', 1, 'Name in a stats-file; the number of the listener follows.', (bind, [value = '']) => { bind.guidPrefix = value; }),
  option('maxconn', 1, 'Most connections at a time.', (bind, [value = ''], reading) => { bind.maxconn = reading.count(value, "'maxconn'") ?? 0; }),
  option('backlog', 1, 'Connections that may wait to be accepted.', (bind, [value = ''], reading) => { bind.backlog = reading.count(value, "'backlog'") ?? 0; }),
  option('accept-proxy', 0, 'Expects the PROXY protocol.', (bind) => { bind.acceptProxy = true; }),
  option('v6only', 0, 'IPv6 only.', (bind) => { bind.v6only = true; bind.v4v6 = false; }),
  option('v4v6', 0, 'IPv6 and IPv4.', (bind) => { bind.v4v6 = true; bind.v6only = false; }),
  option('transparent', 0, 'Accepts connections to addresses of others.', (bind, _values, reading) => {
    bind.transparent = true;
    reading.warning('transparent', "'transparent' has no effect: addresses of others cannot be bound", 'let the kernel allow it: sysctl net.ipv4.ip_nonlocal_bind=1');
  }),
  option('interface', 1, 'Network interface.', (bind, [value = ''], reading) => {
    bind.interface = value;
    reading.report('unsupported', 'interface', "'interface' on a bind line is not supported yet", 'bind the address of that interface');
  }),
  option('mode', 1, 'File mode of a unix socket.', (bind, [value = '']) => { bind.mode = Number.parseInt(value, 8); }),
  option('uid', 1, 'Owner of a unix socket, by number.', (bind, [value = ''], reading) => { bind.uid = reading.count(value, "'uid'") ?? -1; }),
  option('gid', 1, 'Group of a unix socket, by number.', (bind, [value = ''], reading) => { bind.gid = reading.count(value, "'gid'") ?? -1; }),
  option('user', 1, 'Owner of a unix socket.', (bind, [value = ''], reading) => { bind.uid = userId(reading, value) ?? -1; }),
  option('group', 1, 'Group of a unix socket.', (bind, [value = ''], reading) => { bind.gid = groupId(reading, value) ?? -1; }),
  option('proto', 1, 'Protocol spoken: HTTP/1 until HTTP/2 is built.', (_, [value = ''], reading) => tellProtocol(reading, value)),
  ...idle<BindDraft, ProxyReading>('no effect', {
    'defer-accept': [0, 'Kernel tuning.'], tfo: [0, 'TCP fast open.'], mss: [1, 'Kernel tuning.'], nice: [1, 'Scheduling.'], process: [1, 'Process set-up.'],
    thread: [1, 'Thread set-up.'], shards: [1, 'Thread set-up.'], 'tcp-ut': [1, 'Kernel tuning.'],
    'severity-output': [1, 'Runtime socket only.'], level: [1, 'Runtime socket only.'], 'expose-fd': [1, 'Runtime socket only.'],
    'no-ca-names': [0, 'Names of authorities are not sent.'], 'default-crt': [1, 'The first crt is the default.'],
    'ocsp-update': [1, 'Certificate status is not fetched.'], 'idle-ping': [1, 'HTTP/2 only.'], cc: [1, 'Kernel tuning.'], label: [1, 'Identifiers.'], 'tcp-md5sig': [1, 'Kernel option.'], 'tcp-ss': [1, 'Kernel tuning.'],
  }),
  ...idle<BindDraft, ProxyReading>('later', {
    'tls-ticket-keys': [1, 'Ticket keys are made at start until then.'],
  }),
  ...idle<BindDraft, ProxyReading>('unsupported', {
    'accept-netscaler-cip': [1, 'NetScaler client IP protocol.'], namespace: [1, 'Network namespaces.'], 'generate-certificates': [0, 'Certificates made on the fly.'],
    'ca-sign-file': [1, 'Certificates made on the fly.'], 'ca-sign-pass': [1, 'Certificates made on the fly.'], nbconn: [1, 'Reverse HTTP.'],
    ech: [1, 'Encrypted client hello.'], 'quic-cc-algo': [1, 'QUIC.'], 'quic-force-retry': [0, 'QUIC.'], 'quic-socket': [1, 'QUIC.'],
  }),
];

const bindOptions = optionMap(bindRows);

/** Names of this machine, for binds that name a host. */
function hostsLookup(context: Context): AddressRules['lookup'] {
  return (name, family) => {
    const bytes = context.files.read('/etc/hosts');
    if (typeof bytes === 'string') return name === 'localhost' && family !== 6 ? '127.0.0.1' : undefined;
    let fallback: string | undefined;
    for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
      const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
      if (!names.includes(name)) continue;
      if (isIPv4(address) && family !== 6) return address;
      if (isIPv6(address) && family !== 4) fallback ??= address;
    }
    return fallback;
  };
}

function bindRules(context: Context): AddressRules {
  const lookup = hostsLookup(context);
  return { port: 'required', range: true, offset: false, fd: true, datagram: false, stream: true, names: false, ...(lookup === undefined ? {} : { lookup }) };
}

/** Addresses of protocols that are not built yet: a warning where clients have another way in, otherwise refused. */
function leftOut(reading: ProxyReading, text: string): boolean {
  const prefix = /^(quic[46]|sockpair|rhttp|rev)@/.exec(text)?.[1] ?? '';
  if (prefix === '') return false;
  if (prefix.startsWith('quic')) reading.warning(text, `'${text}' is left out: QUIC is not built yet`, 'nothing to do; clients then use TCP');
  else reading.report('unsupported', text, `addresses with '${prefix}@' are not supported yet: '${text}'`);
  return true;
}

/** One bind line may name several addresses; each becomes a Bind with the same options. */
export function addBinds(reading: ProxyReading, addresses: string, words: readonly string[]): void {
  const { proxy, context } = reading;
  if (proxy === null) return;
  const parsed: BindAddress[] = [];
  for (const text of addresses.split(',')) {
    if (text === '' || leftOut(reading, text)) continue;
    const found = parseAddress(reading.expanded(text), bindRules(context));
    if (found.address === null) {
      proxy.bindAtFault = true;
      reading.error(text, `'bind': ${found.fault}`, "write an address and a port such as ':443' or '10.0.0.1:80'");
    }
    if (found.address !== null && found.address.kind !== 'name') parsed.push(found.address);
  }
  const { global } = context.draft;
  const template: Omit<BindDraft, 'index' | 'address' | 'text' | 'luid'> = {
    name: '', guidPrefix: '', proxy: proxy.index, place: reading.place, maxconn: 0, backlog: 0, v4v6: false, v6only: false, acceptProxy: false, interface: '', mode: null, uid: -1, gid: -1,
    transparent: false, tls: initialTls(), builtTls: null, id: 0,
  };
  const options = { ...template, index: -1, luid: 0, address: { kind: 'fd', fd: -1 }, text: '' } satisfies BindDraft;
  readOptions(bindOptions, words, options, reading, 'bind');
  if (options.mode !== null && Number.isNaN(options.mode)) reading.error('mode', "'mode' needs an octal number such as 660");
  for (const address of parsed) {
    const unix = address.kind === 'unix';
    const placed = unix && !address.abstract && global.unixBindPrefix !== '' ? { ...address, path: `${global.unixBindPrefix}${address.path}` } : address;
    const index = context.draft.binds.length;
    context.draft.binds.push({
      ...options, index, address: placed, text: addressText(placed), mode: options.mode ?? (unix ? global.unixBindMode : null),
      uid: options.uid < 0 && unix ? global.unixBindUid : options.uid, gid: options.gid < 0 && unix ? global.unixBindGid : options.gid,
    });
    proxy.binds.push(index);
  }
}

export function readBind(reading: ProxyReading): void {
  addBinds(reading, reading.arg(0), reading.args.slice(1));
}
