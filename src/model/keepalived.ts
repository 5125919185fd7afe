/**
 * A checked keepalived.conf: plain, frozen data, words and defaults as in keepalived.conf(5) of 2.2.7. Made by config/keepalived, used by
 * vrrp and process. Durations are milliseconds, priorities 1 … 255, weights −253 … 253.
 */
import type { IpValue } from '../base/ip.ts';
import type { Place } from './problem.ts';

/** A command as words; run without a shell. */
export interface Command { readonly place: Place; readonly words: readonly string[]; readonly user: string; readonly group: string }

export interface KeepalivedGlobals {
  readonly routerId: string;
  readonly notificationEmail: readonly string[];
  readonly notificationEmailFrom: string;
  /** Empty host: no mail. */
  readonly smtpServer: { readonly host: string; readonly port: number; readonly place: Place };
  readonly smtpHeloName: string;
  readonly smtpConnectTimeoutMs: number;
  /** False after no_email_faults: FAULT is not mailed. */
  readonly smtpFaults: boolean;
  readonly enableScriptSecurity: boolean;
  readonly notifyFifo: string;
  readonly notifyFifoScript: Command | undefined;
  /** vrrp_startup_delay: nothing is sent or decided before. */
  readonly startupDelayMs: number;
  readonly multicastGroupV4: IpValue;
  readonly multicastGroupV6: IpValue;
}

/** What happens to an interface must last this long to count. */
export interface InterfaceDelay { readonly place: Place; readonly interface: string; readonly downMs: number; readonly upMs: number }

export interface VrrpScript {
  readonly name: string;
  readonly place: Place;
  readonly command: Command;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** 0: a failure is FAULT. */
  readonly weight: number;
  readonly weightReverse: boolean;
  readonly rise: number;
  readonly fall: number;
  readonly initFail: boolean;
}

/** vrrp_track_process: at least `quorum` (and at most `quorumMax`) processes of this name. */
export interface TrackedProcess {
  readonly name: string;
  readonly place: Place;
  readonly process: string;
  readonly parameters: readonly string[];
  readonly quorum: number;
  readonly quorumMax: number;
  readonly fullCommand: boolean;
  readonly weight: number;
  readonly weightReverse: boolean;
  readonly delayMs: number;
  readonly terminateDelayMs: number;
}

/** vrrp_track_file: the number in the file times `weight` is added to the priority; weight 0: −254 … is FAULT. */
export interface TrackedFile { readonly name: string; readonly place: Place; readonly file: string; readonly weight: number; readonly weightReverse: boolean; readonly initFile: number | undefined }

/** An instance's or group's use of a script, process, file or interface. `weight` undefined: the tracked thing's own. */
export interface Tracking { readonly name: string; readonly place: Place; readonly weight: number | undefined; readonly weightReverse: boolean }

export interface VirtualAddress {
  readonly place: Place;
  readonly address: IpValue;
  readonly prefixLength: number;
  /** Interface to set it on. */
  readonly device: string;
  /** Empty: none. */
  readonly label: string;
  readonly scope: '' | 'site' | 'link' | 'host' | 'nowhere' | 'global';
  readonly broadcast: IpValue | undefined;
  /** Sent in adverts; false for virtual_ipaddress_excluded. */
  readonly advertised: boolean;
}

/** Route as the words of `ip route`; `device` is the instance's interface when none was written. */
export interface VirtualRoute { readonly place: Place; readonly words: readonly string[] }

export interface Notifications {
  readonly master: Command | undefined;
  readonly backup: Command | undefined;
  readonly fault: Command | undefined;
  readonly stop: Command | undefined;
  readonly any: Command | undefined;
  /** notify_master_rx_lower_pri: a lower priority was heard while MASTER. */
  readonly masterHeardLower: Command | undefined;
  /** Changes of the priority are written to the notify_fifo. */
  readonly priorityChanges: boolean;
  readonly smtpAlert: boolean;
}

export interface UnicastPeer {
  readonly address: IpValue;
  /** Undefined: `unicastTtl` from a peer on the interface's own networks, anything from one behind a router. */
  readonly ttlMin: number | undefined;
  readonly ttlMax: number;
}

export interface VrrpInstance {
  readonly name: string;
  readonly place: Place;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly initialState: 'MASTER' | 'BACKUP';
  readonly interface: string;
  readonly virtualRouterId: number;
  /** 255: the owner of the address. */
  readonly priority: number;
  /** Whole seconds in version 2, hundredths in version 3. */
  readonly advertMs: number;
  /** Adverts that may be missed before a master is taken for dead. */
  readonly downTimerAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelayMs: number;
  /** Undefined: the interface's primary (link-local in IPv6) address. */
  readonly sourceAddress: IpValue | undefined;
  /** Empty: multicast. */
  readonly unicastPeers: readonly UnicastPeer[];
  /** TTL of the adverts that go to unicast peers. */
  readonly unicastTtl: number;
  /** In unicast: packets from others than the peers are no adverts. */
  readonly checkUnicastSource: boolean;
  /** A source address that is not on this machine is FAULT. */
  readonly trackSourceAddress: boolean;
  readonly multicastGroup: IpValue;
  /** PASS of version 2, at most 8 bytes; empty: none. */
  readonly password: string;
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly VirtualRoute[];
  readonly trackScripts: readonly Tracking[];
  readonly trackInterfaces: readonly Tracking[];
  readonly trackProcesses: readonly Tracking[];
  readonly trackFiles: readonly Tracking[];
  /** dont_track_primary: loss of the instance's own interface is no FAULT. */
  readonly trackPrimary: boolean;
  readonly notify: Notifications;
  readonly garp: {
    /** Second set of announcements this long after entering MASTER. 0: none. */
    readonly delayMs: number;
    readonly repeat: number;
    /** 0: no refresh while MASTER. */
    readonly refreshMs: number;
    readonly refreshRepeat: number;
    /** Second set after a lower priority was heard while MASTER; the first goes out at once. 0: none. */
    readonly lowerPriorityDelayMs: number;
    readonly lowerPriorityRepeat: number;
  };
  /** vrrp_lower_prio_no_advert: keep silent to a lower priority instead of answering at once. */
  readonly lowerPriorityNoAdvert: boolean;
  /** higher_prio_send_advert: one last advert to a higher priority before yielding. */
  readonly higherPrioritySendAdvert: boolean;
}

/** Instances that are all MASTER or all not. */
export interface VrrpSyncGroup {
  readonly name: string;
  readonly place: Place;
  readonly instances: readonly string[];
  /** sync_group_tracking_weight: members keep weights of their own. */
  readonly ownWeights: boolean;
  readonly notify: Notifications;
  readonly trackScripts: readonly Tracking[];
  readonly trackInterfaces: readonly Tracking[];
  readonly trackProcesses: readonly Tracking[];
  readonly trackFiles: readonly Tracking[];
}

export interface KeepalivedModel {
  readonly files: readonly string[];
  readonly globals: KeepalivedGlobals;
  readonly scripts: readonly VrrpScript[];
  readonly processes: readonly TrackedProcess[];
  readonly trackedFiles: readonly TrackedFile[];
  readonly groups: readonly VrrpSyncGroup[];
  readonly instances: readonly VrrpInstance[];
  readonly interfaceDelays: readonly InterfaceDelay[];
}
