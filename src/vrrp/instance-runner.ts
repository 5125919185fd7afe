/**
 * One VRRP instance at work: its state machine between its sockets, the kernel's addresses and the reports to the master process.
 * Driven by vrrp/engine.ts; never waits.
 */
import { formatIp, type IpValue, ipEquals } from '../base/ip.ts';
import { limits } from '../model/limits.ts';
import type { VirtualAddress, VrrpInstance } from '../model/keepalived.ts';
import type { InstanceStatus, VrrpCounters, VrrpReport } from '../model/vrrp-messages.ts';
import { arpProbe, gratuitousArp, neighbourAdvert } from '../wire/announce.ts';
import type { InterfaceAddress } from '../wire/netlink.ts';
import { encodeVrrp, type VrrpPacket } from '../wire/vrrp.ts';
import { type Link, type Links, onLink } from './links.ts';
import { VrrpMachine } from './machine.ts';
import { readAdvert } from './receive.ts';
import { changeRoute } from './routes.ts';
import { AdvertSocket, AnnounceSocket, type ReceivedAdvert } from './sockets.ts';
import { SpokenOnce } from './spoken-once.ts';

/** After becoming master: the one before may still be saying goodbye. */
const foreignOwnerGraceMs = 2000;
/**
 * Beside one advert: a node that preempts may be heard announcing the addresses before its advert has come, and one that was master in a split
 * network before it has heard of us. Whoever still answers after that is a stranger.
 */
const foreignOwnerSureMs = 1000;
const packetsPerTurnMax = 64;
/** Priorities of adverts that the network may still bring back. */
const sentPrioritiesKept = 3;

export function noCounters(): VrrpCounters {
  return {
    advertsReceived: 0, advertsSent: 0, becameMaster: 0, releasedMaster: 0, priorityZeroReceived: 0, priorityZeroSent: 0, packetLengthErrors: 0, timeToLiveErrors: 0,
    invalidTypeReceived: 0, advertIntervalErrors: 0, addressListErrors: 0, invalidAuthType: 0, authTypeMismatch: 0, authFailure: 0, versionErrors: 0, checksumErrors: 0,
    otherRouterIds: 0, foreignSources: 0, ownAdverts: 0,
  };
}

export class InstanceRunner {
  readonly instance: VrrpInstance;
  readonly machine: VrrpMachine;
  /** Why it may not be master for reasons of its own; empty: none. The group's come on top, in the engine. */
  ownFault = '';
  counters = noCounters();
  /** Its addresses stay set after it has given them up, until `release`. */
  lingers = false;
  readonly #links: Links;
  readonly #report: (report: VrrpReport) => void;
  readonly #spoken: SpokenOnce;
  #adverts: AdvertSocket | undefined;
  readonly #announcers = new Map<string, AnnounceSocket>();
  /** Why the sockets cannot be had, and why the addresses cannot be set. */
  #systemFault = '';
  #addressFault = '';
  #why = 'start';
  #sinceDateMs = Date.now();
  #probeAtMs = 0;
  /** Since when somebody else is met who has one of the addresses. */
  #stranger: { readonly sinceMs: number } | undefined;
  #sentPriorities: readonly number[] = [];

  constructor(instance: VrrpInstance, links: Links, report: (report: VrrpReport) => void) {
    this.instance = instance;
    this.#links = links;
    this.#report = report;
    this.#spoken = new SpokenOnce(instance.name, report);
    this.machine = new VrrpMachine(instance, {
      sendAdvert: (priority) => { this.#sendAdvert(priority); },
      takeAddresses: () => {
        this.#setAddresses();
        this.#setRoutes();
      },
      releaseAddresses: () => { if (!this.lingers) this.#removeAddresses(); },
      announce: (times) => { this.#announce(times); },
      changed: (change) => {
        this.#why = change.why;
        this.#sinceDateMs = Date.now();
        report({ kind: 'state', instance: instance.name, ...change });
      },
      twoMasters: (found) => { this.#spoken.say(`two masters ${found.peer}`, { kind: 'two masters', instance: instance.name, ...found }); },
      heardLowerPriority: (advert) => { report({ kind: 'lower priority', instance: instance.name, peer: advert.from, priority: advert.priority }); },
    }, false);
  }

  /** Sockets that can be read. */
  fds(): number[] {
    return [...this.#adverts === undefined ? [] : [this.#adverts.fd], ...[...this.#announcers.values()].map((socket) => socket.fd)];
  }

  /** Opens what the interfaces allow, closes what is gone. Gives why the instance cannot run, or ''. */
  attach(): string {
    const { instance } = this;
    const link = this.#links.byName(instance.interface);
    if (this.#adverts !== undefined && (link === undefined || !link.up || link.index !== this.#adverts.link.index)) {
      this.#adverts.close();
      this.#adverts = undefined;
    }
    for (const [name, socket] of this.#announcers) {
      if (this.#links.byName(name)?.index === socket.link.index) continue;
      socket.close();
      this.#announcers.delete(name);
    }
    if (link === undefined) return `there is no interface ${instance.interface}`;
    // Whether that is a fault, and after what delay, is for the tracking of the interface to say.
    if (!link.up) return '';
    const missing = instance.addresses.find((one) => this.#links.byName(one.device) === undefined);
    if (missing !== undefined) return `there is no interface ${missing.device} for ${formatIp(missing.address)}`;
    try {
      if (this.#adverts === undefined) this.#open(link);
      this.#openAnnouncers();
    } catch (fault) {
      this.#systemFault = (fault as Error).message;
      return this.#systemFault;
    }
    if (instance.trackSourceAddress && instance.sourceAddress !== undefined && !this.#links.hasAnywhere(instance.sourceAddress)) return `source address ${formatIp(instance.sourceAddress)} is not on this machine`;
    return this.#systemFault || this.#addressFault;
  }

  #open(link: Link): void {
    const own = this.instance.addresses.map((one) => one.address);
    const source = this.instance.sourceAddress ?? this.#links.primary(link, this.instance.family, own);
    if (source === undefined) throw new Error(`interface ${link.name} has no IPv${this.instance.family} address to send adverts from`);
    this.#adverts = new AdvertSocket(this.instance, link, source);
    this.#systemFault = '';
  }

  #openAnnouncers(): void {
    for (const { device } of this.instance.addresses) {
      const other = this.#links.byName(device);
      if (other !== undefined && !this.#announcers.has(device)) this.#announcers.set(device, new AnnounceSocket(other));
    }
  }

  close(): void {
    this.#adverts?.close();
    this.#adverts = undefined;
    for (const socket of this.#announcers.values()) socket.close();
    this.#announcers.clear();
  }

  // ---- packets in

  readPackets(nowMs: number): void {
    const socket = this.#adverts;
    if (socket === undefined) return;
    try {
      for (let count = 0; count < packetsPerTurnMax; count++) {
        const packet = socket.receive();
        if (packet === undefined) break;
        if (packet === 'malformed') this.#refuse('packetLengthErrors', 'a packet', 'its IP header is cut short');
        else this.#take(packet, socket, nowMs);
      }
    } catch {
      // The interface went; netlink tells the same.
    }
    if (this.machine.state === 'MASTER' && nowMs - this.machine.sinceMs > foreignOwnerGraceMs) this.#lookForForeignOwner(nowMs);
    else {
      this.#stranger = undefined;
      for (const announcer of this.#announcers.values()) announcer.foreignOwner([]);
    }
  }

  #lookForForeignOwner(nowMs: number): void {
    if (nowMs >= this.#probeAtMs) {
      this.#probeAtMs = nowMs + limits.vrrpProbeMs;
      this.#probe();
      // After a split network has healed a keepalived yields without a word, and the network would go on sending to it.
      this.#announce(1);
    }
    for (const announcer of this.#announcers.values()) {
      const found = announcer.foreignOwner(this.instance.addresses.map((one) => one.address));
      if (found !== undefined) this.#met(found, nowMs);
    }
  }

  /** Asked again before it is told. */
  #met(found: { readonly address: IpValue; readonly hardware: string }, nowMs: number): void {
    const sureMs = this.instance.advertMs + foreignOwnerSureMs;
    if (this.#stranger === undefined || nowMs - this.#stranger.sinceMs > limits.vrrpProbeMs * 2) {
      this.#stranger = { sinceMs: nowMs };
      this.#probeAtMs = nowMs + sureMs;
    } else if (nowMs - this.#stranger.sinceMs >= sureMs) {
      this.#spoken.say(`owner ${found.hardware}`, { kind: 'foreign owner', instance: this.instance.name, address: formatIp(found.address), hardware: found.hardware });
    }
  }

  #take(packet: ReceivedAdvert, socket: AdvertSocket, nowMs: number): void {
    const from = formatIp(packet.source);
    const advert = readAdvert(packet, this.instance, { source: socket.source, sentPriorities: this.#sentPriorities, onLink: (address) => onLink(socket.link, address) });
    if ('counter' in advert) { this.#refuse(advert.counter, from, advert.why); return; }
    this.#compareAddresses(advert, from);
    this.counters.advertsReceived += 1;
    this.machine.handle({ kind: 'advert', advert: { priority: advert.priority, advertMs: advert.advertMs, from, senderIsHigher: Buffer.compare(packet.source.bytes, socket.source.bytes) > 0, sentAsMaster: packet.sentAsMaster } }, nowMs);
  }

  /** Refusing other addresses would make two masters of a pair whose addresses are being changed one node at a time. */
  #compareAddresses(advert: VrrpPacket, from: string): void {
    const advertised = this.instance.addresses.filter((one) => one.advertised);
    if (advert.addresses.length === advertised.length && advertised.every((one) => advert.addresses.some((other) => ipEquals(other, one.address)))) return;
    this.counters.addressListErrors += 1;
    this.#spoken.say(`addresses ${from}`, { kind: 'log', level: 'warning', text: `(${this.instance.name}) ${from} has other virtual addresses: ${advert.addresses.map(formatIp).join(' ')}` });
  }

  #refuse(counter: keyof VrrpCounters, from: string, why: string): void {
    this.counters[counter] += 1;
    if (why !== '') this.#spoken.say(`${counter} ${from}`, { kind: 'log', level: 'warning', text: `(${this.instance.name}) advert from ${from} refused: ${why}` });
  }

  // ---- effects

  #sendAdvert(priority: number): void {
    this.counters.advertsSent += 1;
    if (priority === 0) this.counters.priorityZeroSent += 1;
    const socket = this.#adverts;
    if (socket === undefined) return;
    const { instance } = this;
    if (priority !== 0 && this.#sentPriorities[0] !== priority) this.#sentPriorities = [priority, ...this.#sentPriorities.filter((one) => one !== priority)].slice(0, sentPrioritiesKept);
    const addresses = instance.addresses.filter((one) => one.advertised).map((one) => one.address);
    const packet: VrrpPacket = { version: instance.version, virtualRouterId: instance.virtualRouterId, priority, advertMs: instance.advertMs, password: instance.password, addresses };
    for (const destination of this.#destinations(socket)) {
      this.#attempt(`adverts to ${formatIp(destination)}`, () => { socket.send(encodeVrrp(packet, socket.source, destination), destination, this.machine.sentAsMaster); });
    }
  }

  /** One list of peers for all nodes names this one too. */
  #destinations(socket: AdvertSocket): readonly IpValue[] {
    const { unicastPeers, multicastGroup } = this.instance;
    return unicastPeers.length > 0 ? unicastPeers.map((peer) => peer.address).filter((address) => !ipEquals(address, socket.source)) : [multicastGroup];
  }

  #announce(times: number): void {
    for (const { address, device } of this.instance.addresses) {
      const socket = this.#announcers.get(device);
      if (socket?.link.hardwareAddress.length !== 6) continue;
      const { hardwareAddress } = socket.link;
      const frame = address.family === 4 ? gratuitousArp(address, hardwareAddress) : neighbourAdvert(address, hardwareAddress);
      this.#attempt(`announcements on ${device}`, () => {
        for (let count = 0; count < times; count++) socket.send(frame);
      });
    }
  }

  /** Whoever believes that it has an address answers. */
  #probe(): void {
    for (const { address, device } of this.instance.addresses) {
      const socket = this.#announcers.get(device);
      if (address.family === 4 && socket?.link.hardwareAddress.length === 6) this.#attempt(`ARP probes on ${device}`, () => { socket.send(arpProbe(address, socket.link.hardwareAddress)); });
    }
  }

  #attempt(what: string, send: () => void): void {
    try {
      send();
    } catch (fault) {
      this.#spoken.say(what, { kind: 'log', level: 'warning', text: `(${this.instance.name}) cannot send ${what}: ${(fault as Error).message}` });
    }
  }

  #interfaceAddress(one: VirtualAddress, index: number): InterfaceAddress {
    return { index, address: one.address, prefixLength: one.prefixLength, label: one.label, scope: one.scope, broadcast: one.broadcast };
  }

  /** Sets what is missing while MASTER, and announces it again. */
  restoreAddresses(): void {
    const restored = this.#setAddresses();
    if (restored === 0) return;
    this.#report({ kind: 'log', level: 'warning', text: `(${this.instance.name}) ${restored} of its addresses had been removed by somebody else and were set again` });
    this.#setRoutes();
    this.#announce(this.instance.garp.repeat);
  }

  /** Gives how many were missing. */
  #setAddresses(): number {
    let restored = 0;
    for (const one of this.instance.addresses) {
      const link = this.#links.byName(one.device);
      if (link !== undefined && this.#links.has(link, one.address)) continue;
      const error = link === undefined ? `there is no interface ${one.device}` : this.#links.change('add', this.#interfaceAddress(one, link.index));
      if (error === undefined) restored += 1;
      else this.#addressFault = `cannot set ${formatIp(one.address)} on ${one.device}: ${error}`;
    }
    this.#links.readChanges();
    return restored;
  }

  #setRoutes(): void {
    for (const route of this.instance.routes) {
      const error = changeRoute('replace', route);
      if (error !== undefined) this.#spoken.say(`route ${route.words.join(' ')}`, { kind: 'log', level: 'err', text: `(${this.instance.name}) cannot set the route ${route.words.join(' ')}: ${error}` });
    }
  }

  #removeAddresses(): void {
    // One that leads through an address that is gone, or was taken off by somebody, is gone already.
    for (const route of this.instance.routes) changeRoute('del', route);
    for (const one of this.instance.addresses) {
      const link = this.#links.byName(one.device);
      if (link === undefined) continue;
      const error = this.#links.change('remove', this.#interfaceAddress(one, link.index));
      if (error !== undefined) this.#report({ kind: 'log', level: 'err', text: `(${this.instance.name}) cannot remove ${formatIp(one.address)} from ${one.device}: ${error}` });
    }
    this.#links.readChanges();
  }

  /** Ends what `lingers` began. */
  release(): void {
    if (this.lingers) this.#removeAddresses();
    this.lingers = false;
  }

  /** Addresses that a program which was killed has left behind. */
  removeLeftOvers(): void {
    const left = this.instance.addresses.some((one) => {
      const link = this.#links.byName(one.device);
      return link !== undefined && this.#links.has(link, one.address);
    });
    if (left) for (const route of this.instance.routes) changeRoute('del', route);
    for (const one of this.instance.addresses) {
      const link = this.#links.byName(one.device);
      if (link === undefined || !this.#links.has(link, one.address)) continue;
      this.#report({ kind: 'log', level: 'notice', text: `(${this.instance.name}) ${formatIp(one.address)} was still set on ${one.device}: removed` });
      this.#links.change('remove', this.#interfaceAddress(one, link.index));
    }
    this.#links.readChanges();
  }

  /** What the system refused is tried again. An address is set and taken off at once: whoever takes it from a healthy master has to be able to set it. */
  tryAgain(): void {
    this.#systemFault = '';
    if (this.#addressFault === '') return;
    for (const one of this.instance.addresses) {
      const link = this.#links.byName(one.device);
      if (link === undefined || this.#links.has(link, one.address)) continue;
      const error = this.#links.change('add', this.#interfaceAddress(one, link.index));
      if (error !== undefined) return;
      this.#links.change('remove', this.#interfaceAddress(one, link.index));
    }
    this.#links.readChanges();
    this.#addressFault = '';
  }

  status(): InstanceStatus {
    const { instance, machine } = this;
    const addresses: readonly IpValue[] = machine.state === 'MASTER' ? instance.addresses.map((one) => one.address) : [];
    return {
      name: instance.name, state: machine.state, since: this.#sinceDateMs, why: this.#why, priority: machine.priority, basePriority: instance.priority,
      masterFrom: machine.state === 'MASTER' ? 'this node' : machine.masterFrom, masterPriority: machine.state === 'MASTER' ? machine.priority : machine.masterPriority,
      addresses: addresses.map(formatIp),
      counters: { ...this.counters, becameMaster: machine.adverts.becameMaster, releasedMaster: machine.adverts.releasedMaster, priorityZeroReceived: machine.adverts.prioritiesZeroReceived },
    };
  }
}
