/** vrrp_instance and its addresses and routes. Called by load.ts. */
import { type IpValue, parseIp } from '../../base/ip.ts';
import type { KeepalivedGlobals, UnicastPeer, VirtualAddress, VirtualRoute, VrrpInstance } from '../../model/keepalived.ts';
import type { InstanceDefaults } from './globals.ts';
import { ignored, type Line, listed, readBlock, type Rows, unsupported } from './line.ts';
import { emptyNotify, notifications, type NotifyDraft, notifyRows } from './notify.ts';
import { type TrackingDraft, trackingRows } from './tracking.ts';

const dayMs = 86_400_000;
const passwordBytesMax = 8;

interface InstanceDraft extends NotifyDraft, TrackingDraft {
  version: 2 | 3 | undefined;
  initialState: 'MASTER' | 'BACKUP';
  interface: string;
  virtualRouterId: number;
  priority: number;
  advertMs: number;
  downTimerAdverts: number | undefined;
  preempt: boolean;
  preemptDelayMs: number;
  sourceAddress: IpValue | undefined;
  unicastPeers: UnicastPeer[];
  unicastTtl: number;
  unicast: boolean;
  checkUnicastSource: boolean | undefined;
  trackSourceAddress: boolean;
  multicastGroup: IpValue | undefined;
  password: string;
  authenticated: boolean;
  addresses: VirtualAddress[];
  routes: VirtualRoute[];
  trackPrimary: boolean;
  garpDelayMs: number | undefined;
  garpRepeat: number | undefined;
  garpLowerDelayMs: number | undefined;
  garpLowerRepeat: number | undefined;
  garpRefreshMs: number | undefined;
  garpRefreshRepeat: number | undefined;
  lowerPriorityNoAdvert: boolean | undefined;
  higherPrioritySendAdvert: boolean | undefined;
}

function emptyInstance(): InstanceDraft {
  return {
    notify: emptyNotify(), trackScripts: [], trackInterfaces: [], trackProcesses: [], trackFiles: [], version: undefined, initialState: 'BACKUP', interface: '', virtualRouterId: 0, priority: 100,
    advertMs: 1000, downTimerAdverts: undefined, preempt: true, preemptDelayMs: 0, sourceAddress: undefined, unicastPeers: [], unicastTtl: 255, unicast: false, checkUnicastSource: undefined, trackSourceAddress: false,
    multicastGroup: undefined, password: '', authenticated: false, addresses: [], routes: [], trackPrimary: true, garpDelayMs: undefined, garpRepeat: undefined, garpLowerDelayMs: undefined, garpLowerRepeat: undefined,
    garpRefreshMs: undefined, garpRefreshRepeat: undefined, lowerPriorityNoAdvert: undefined, higherPrioritySendAdvert: undefined,
  };
}

export const authenticationRows: Rows<InstanceDraft> = {
  auth_type: { args: [1, 1], read: (line, draft) => {
    draft.authenticated = line.first === 'PASS';
    if (line.first === 'AH') line.problems.unsupported(line.place, 'AH', 'auth_type AH is not supported', 'use auth_type PASS, or leave the block out and filter protocol 112 in the network');
    else if (line.first !== 'PASS') line.error(line.first, `unknown auth_type '${line.first}'`, 'PASS');
  } },
  auth_pass: { args: [1, 1], read: (line, draft) => {
    draft.password = line.first.slice(0, passwordBytesMax);
    if (line.first.length > passwordBytesMax) line.problems.warning(line.place, '', `only the first ${passwordBytesMax} characters of auth_pass are used`, 'shorten it on both nodes, so that nobody relies on the rest');
  } },
};

/** Words of an address line that take a word after them, and those that stand alone. */
const addressFlags = new Set(['home', '-nodad', 'mngtmpaddr', 'noprefixroute', 'autojoin', 'no_track']);

function readAddress(line: Line, advertised: boolean): VirtualAddress | undefined {
  const [text = '', mask] = line.keyword.split('/');
  const address = parseIp(text);
  if (address === undefined) {
    line.error(line.keyword, `'${text}' is not an address`, 'write 10.0.0.10/24 or 2001:db8::10/64');
    return undefined;
  }
  const bits = address.family === 4 ? 32 : 128;
  let [device, label, broadcast] = ['', '', undefined as IpValue | undefined];
  let scope: VirtualAddress['scope'] = '';
  for (let index = 0; index < line.args.length; index++) {
    const word = line.args[index] ?? '';
    const value = line.args[index + 1] ?? '';
    if (addressFlags.has(word)) continue;
    index += 1;
    if (word === 'dev') device = value;
    else if (word === 'label') label = value;
    else if (word === 'brd' || word === 'broadcast') broadcast = value === '+' || value === '-' ? undefined : line.address(value);
    else if (word === 'scope' && ['site', 'link', 'host', 'nowhere', 'global'].includes(value)) scope = value as VirtualAddress['scope'];
    else if (word === 'preferred_lft') continue;
    else if (word === 'use_vmac' || word === 'peer') line.problems.unsupported(line.place, word, `'${word}' of an address is not supported`, 'remove the word');
    else line.error(word, `unexpected '${word}' in an address line`, 'dev, label, brd, scope and their words may follow');
  }
  const prefixLength = mask === undefined ? bits : line.whole(mask, 0, bits, bits);
  return { place: line.place, address, prefixLength, device, label, scope, broadcast, advertised };
}

function readAddresses(line: Line, draft: InstanceDraft, advertised: boolean): void {
  for (const entry of listed(line)) {
    const made = readAddress(entry, advertised);
    if (made !== undefined) draft.addresses.push(made);
  }
}

function readPeers(line: Line, draft: InstanceDraft): void {
  draft.unicast = true;
  for (const entry of listed(line)) {
    const peer = entry.address(entry.keyword);
    let [ttlMin, ttlMax] = [undefined as number | undefined, 255];
    for (let index = 0; index < entry.args.length; index += 2) {
      const [word = '', value = ''] = entry.args.slice(index);
      if (word === 'min_ttl') ttlMin = entry.whole(value, 0, 255, 255);
      else if (word === 'max_ttl') ttlMax = entry.whole(value, 0, 255, 255);
      else entry.error(word, `unexpected '${word}' after a unicast peer`, 'min_ttl and max_ttl with a number may follow');
    }
    if (ttlMax < 255) ttlMin ??= 0;
    if (peer !== undefined) draft.unicastPeers.push({ address: peer, ttlMin, ttlMax });
  }
}

/** Words of ip route, with keepalived's own for three of them. */
function readRoutes(line: Line, draft: InstanceDraft): void {
  for (const { place, statement, problems } of listed(line)) {
    if (statement.words.includes('or')) problems.unsupported(place, 'or', '\'or\' of a route is not supported', 'write nexthop via ADDRESS nexthop via ADDRESS');
    draft.routes.push({ place, words: statement.words.filter((word) => word !== 'no_track').map((word) => word === 'gw' ? 'via' : word) });
  }
}

export const instanceRows: Rows<InstanceDraft> = {
  ...notifyRows as Rows<InstanceDraft>,
  ...trackingRows as Rows<InstanceDraft>,
  state: { args: [1, 1], read: (line, draft) => {
    if (line.first === 'MASTER' || line.first === 'BACKUP') draft.initialState = line.first;
    else line.error(line.first, `unknown state '${line.first}'`, 'MASTER or BACKUP');
  } },
  interface: { args: [1, 1], read: (line, draft) => { draft.interface = line.first; } },
  virtual_router_id: { args: [1, 1], read: (line, draft) => { draft.virtualRouterId = line.whole(line.first, 1, 255, 1); } },
  priority: { args: [1, 1], read: (line, draft) => { draft.priority = line.whole(line.first, 1, 255, 100); } },
  advert_int: { args: [1, 1], read: (line, draft) => { draft.advertMs = line.seconds(line.first, 10, 255_000, 1000); } },
  version: { args: [1, 1], read: (line, draft) => { draft.version = line.whole(line.first, 2, 3, 2) === 3 ? 3 : 2; } },
  down_timer_adverts: { args: [1, 1], read: (line, draft) => { draft.downTimerAdverts = line.whole(line.first, 1, 100, 3); } },
  nopreempt: { args: [0, 0], read: (_line, draft) => { draft.preempt = false; } },
  preempt: { args: [0, 0], read: (_line, draft) => { draft.preempt = true; } },
  preempt_delay: { args: [1, 1], read: (line, draft) => { draft.preemptDelayMs = line.seconds(line.first, 0, 1_000_000, 0); } },
  mcast_src_ip: { args: [1, 1], read: (line, draft) => { draft.sourceAddress = line.address(line.first); } },
  unicast_src_ip: { args: [1, 1], read: (line, draft) => { draft.sourceAddress = line.address(line.first); } },
  mcast_dst_ip: { args: [1, 1], read: (line, draft) => { draft.multicastGroup = line.address(line.first); } },
  track_src_ip: { args: [0, 0], read: (_line, draft) => { draft.trackSourceAddress = true; } },
  unicast_peer: { args: [0, 0], block: true, read: readPeers },
  unicast_fault_no_peer: { args: [0, 0], read: (_line, draft) => { draft.unicast = true; } },
  check_unicast_src: { args: [0, 1], read: (line, draft) => { draft.checkUnicastSource = line.flag(); } },
  authentication: { args: [0, 0], block: true, read: (line, draft) => { readBlock(line.statement.block ?? [], authenticationRows, draft, 'authentication', line.problems); } },
  virtual_ipaddress: { args: [0, 0], block: true, read: (line, draft) => { readAddresses(line, draft, true); } },
  virtual_ipaddress_excluded: { args: [0, 0], block: true, read: (line, draft) => { readAddresses(line, draft, false); } },
  virtual_routes: { args: [0, 0], block: true, read: readRoutes },
  dont_track_primary: { args: [0, 0], read: (_line, draft) => { draft.trackPrimary = false; } },
  garp_master_delay: { args: [1, 1], read: (line, draft) => { draft.garpDelayMs = line.seconds(line.first, 0, dayMs, 5000); } },
  garp_master_repeat: { args: [1, 1], read: (line, draft) => { draft.garpRepeat = line.whole(line.first, 0, 1000, 5); } },
  garp_lower_prio_delay: { args: [1, 1], read: (line, draft) => { draft.garpLowerDelayMs = line.seconds(line.first, 0, dayMs, 5000); } },
  garp_lower_prio_repeat: { args: [1, 1], read: (line, draft) => { draft.garpLowerRepeat = line.whole(line.first, 0, 1000, 5); } },
  garp_master_refresh: { args: [1, 1], read: (line, draft) => { draft.garpRefreshMs = line.seconds(line.first, 0, dayMs, 0); } },
  garp_master_refresh_repeat: { args: [1, 1], read: (line, draft) => { draft.garpRefreshRepeat = line.whole(line.first, 1, 1000, 1); } },
  garp_extra_if: { args: [1, 2], ignored: 'announcements go out on the interface of each address' },
  lower_prio_no_advert: { args: [0, 1], read: (line, draft) => { draft.lowerPriorityNoAdvert = line.flag(); } },
  higher_prio_send_advert: { args: [0, 1], read: (line, draft) => { draft.higherPrioritySendAdvert = line.flag(); } },
  accept: { args: [0, 0] },
  native_ipv6: { args: [0, 0], ignored: 'the addresses say which IP version it is' },
  skip_check_adv_addr: { args: [0, 1], ignored: 'the addresses of an advert are compared once per change of master' },
  ...ignored('debug', 'kernel_rx_buf_size', 'linkbeat_use_polling', 'linkbeat_interfaces', 'promote_secondaries', 'lvs_sync_daemon_interface'),
  no_accept: { args: [0, 0], unsupported: 'a load balancer has to accept connections to its virtual address; remove the word' },
  ...unsupported('remove it: the virtual address moves with gratuitous ARP and keeps the machine\'s own MAC address', 'use_vmac', 'use_vmac_addr', 'vmac_xmit_base', 'use_ipvlan'),
  vrf: { args: [1, 1], unsupported: 'name the interface' },
  virtual_rules: { args: [0, 0], block: true, unsupported: 'set the rule with ip rule, outside' },
  strict_mode: { args: [0, 1], unsupported: 'remove it: it refuses unicast, authentication and every second thing that pairs in the field use' },
  old_unicast_checksum: { args: [0, 1], ignored: 'both kinds of checksum are taken' },
  unicast_ttl: { args: [1, 1], read: (line, draft) => { draft.unicastTtl = line.whole(line.first, 0, 255, 255); } },
};

export function readInstance(line: Line, defaults: InstanceDefaults, globals: KeepalivedGlobals): VrrpInstance {
  const draft = emptyInstance();
  draft.notify.priorityChanges = defaults.priorityChanges;
  readBlock(line.statement.block ?? [], instanceRows, draft, `vrrp_instance ${line.first}`, line.problems);
  const family = draft.addresses.find((one) => one.advertised)?.address.family ?? draft.addresses[0]?.address.family ?? draft.sourceAddress?.family ?? 4;
  const version = family === 6 ? 3 : draft.version ?? defaults.version;
  if (family === 6 && draft.version === 2) line.warning('version', `vrrp_instance ${line.first} has IPv6 addresses: version 3 is used`, 'write version 3');
  warnOfPassword(line, draft, version);
  const { unicast, authenticated, garpDelayMs, garpRepeat, garpLowerDelayMs, garpLowerRepeat, garpRefreshMs, garpRefreshRepeat, notify, ...rest } = draft;
  if (unicast && draft.unicastPeers.length === 0) line.error('unicast_peer', `vrrp_instance ${line.first} is unicast and has no peers`, 'write the other node\'s address in unicast_peer { }');
  const delayMs = garpDelayMs ?? defaults.garpDelayMs ?? 5000;
  const repeat = garpRepeat ?? defaults.garpRepeat ?? 5;
  return {
    ...rest, name: line.first, place: line.place, family, version,
    advertMs: advertInterval(line, draft.advertMs, version),
    downTimerAdverts: draft.downTimerAdverts ?? defaults.downTimerAdverts,
    multicastGroup: draft.multicastGroup ?? (family === 4 ? globals.multicastGroupV4 : globals.multicastGroupV6),
    checkUnicastSource: draft.checkUnicastSource ?? defaults.checkUnicastSource,
    password: version === 2 && authenticated ? draft.password : '',
    addresses: draft.addresses.map((address) => ({ ...address, device: address.device === '' ? draft.interface : address.device })),
    garp: {
      delayMs, repeat,
      refreshMs: garpRefreshMs ?? defaults.garpRefreshMs,
      refreshRepeat: garpRefreshRepeat ?? defaults.garpRefreshRepeat,
      lowerPriorityDelayMs: garpLowerDelayMs ?? defaults.garpLowerDelayMs ?? delayMs,
      lowerPriorityRepeat: garpLowerRepeat ?? defaults.garpLowerRepeat ?? repeat,
    },
    lowerPriorityNoAdvert: draft.lowerPriorityNoAdvert ?? defaults.lowerPriorityNoAdvert,
    higherPrioritySendAdvert: draft.higherPrioritySendAdvert ?? defaults.higherPrioritySendAdvert,
    notify: notifications(notify, defaults.smtpAlert),
  };
}

/** A password that keepalived does not send either: whoever relies on it should know. */
function warnOfPassword(line: Line, draft: InstanceDraft, version: 2 | 3): void {
  if (draft.password === '') return;
  if (version === 3) line.warning('', `auth_pass of ${line.first} has no effect: version 3 has no authentication`, 'remove the block authentication');
  else if (!draft.authenticated) line.warning('', `auth_pass of ${line.first} has no effect without auth_type`, 'write auth_type PASS on both nodes, or remove the block');
}

/** Version 2 has whole seconds up to 255, version 3 hundredths up to 40.95 s. */
function advertInterval(line: Line, ms: number, version: 2 | 3): number {
  if (version === 3) {
    if (ms > 40_950) line.error('advert_int', 'advert_int of version 3 is at most 40.95 s');
    return Math.min(Math.round(ms / 10) * 10, 40_950);
  }
  const whole = Math.max(1000, Math.floor(ms / 1000) * 1000);
  if (whole !== ms) line.warning('advert_int', `advert_int of version 2 has whole seconds: ${whole / 1000} is used`, 'write version 3 on both nodes for shorter intervals');
  return whole;
}
