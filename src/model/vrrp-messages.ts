/**
 * What the VRRP process and the process that started it tell each other, one JSON object per line. Made and read by vrrp/ and process/.
 */

export type VrrpState = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT' | 'STOP';

/** To the VRRP process. Without any for `vrrpSilenceMsMax`, it takes its master for hung and gives the addresses up. */
export type VrrpCommand =
  /** Answered with `alive`. */
  | { readonly kind: 'beat' }
  /** Its master reads a configuration and may be silent meanwhile, for so long at most; 0: it has read it. */
  | { readonly kind: 'busy'; readonly forMs: number }
  /** The balancer's checks have run once. */
  | { readonly kind: 'ready' }
  /** Why this node must not have the addresses; empty: it may. */
  | { readonly kind: 'health'; readonly why: string }
  | { readonly kind: 'script'; readonly name: string; readonly ok: boolean }
  | { readonly kind: 'process'; readonly name: string; readonly ok: boolean }
  | { readonly kind: 'file'; readonly name: string; readonly value: number }
  | { readonly kind: 'status' }
  | { readonly kind: 'clear statistics' }
  /** Adverts end with priority 0 now; the addresses stay until `release` or until `lingerMs` have passed. */
  | { readonly kind: 'stop'; readonly lingerMs: number }
  | { readonly kind: 'release' };

/** From the VRRP process. */
export type VrrpReport =
  | { readonly kind: 'alive' }
  | { readonly kind: 'state'; readonly instance: string; readonly from: VrrpState; readonly to: VrrpState; readonly priority: number; readonly why: string }
  | { readonly kind: 'group'; readonly group: string; readonly to: VrrpState }
  | { readonly kind: 'priority'; readonly instance: string; readonly state: VrrpState; readonly priority: number; readonly why: string }
  | { readonly kind: 'two masters'; readonly instance: string; readonly peer: string; readonly peerPriority: number; readonly outcome: 'stayed master' | 'yielded' }
  | { readonly kind: 'foreign owner'; readonly instance: string; readonly address: string; readonly hardware: string }
  | { readonly kind: 'lower priority'; readonly instance: string; readonly peer: string; readonly priority: number }
  | { readonly kind: 'log'; readonly level: 'info' | 'notice' | 'warning' | 'err'; readonly text: string }
  | { readonly kind: 'status'; readonly instances: readonly InstanceStatus[] }
  | { readonly kind: 'stopped' };

/** Counters of one instance as keepalived's SIGUSR2 file names them. */
export interface VrrpCounters {
  advertsReceived: number;
  advertsSent: number;
  becameMaster: number;
  releasedMaster: number;
  priorityZeroReceived: number;
  priorityZeroSent: number;
  packetLengthErrors: number;
  timeToLiveErrors: number;
  invalidTypeReceived: number;
  advertIntervalErrors: number;
  addressListErrors: number;
  invalidAuthType: number;
  authTypeMismatch: number;
  authFailure: number;
  versionErrors: number;
  checksumErrors: number;
  otherRouterIds: number;
  foreignSources: number;
  /** Adverts of this node that the network has brought back. */
  ownAdverts: number;
}

export interface InstanceStatus {
  readonly name: string;
  readonly state: VrrpState;
  readonly since: number;
  readonly why: string;
  readonly priority: number;
  readonly basePriority: number;
  readonly masterFrom: string;
  readonly masterPriority: number;
  readonly addresses: readonly string[];
  readonly counters: VrrpCounters;
}
