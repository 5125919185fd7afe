/**
 * The state of a node's instances in words: a table for people, keepalived's `keepalived.stats`, `keepalived.json` and the part of
 * `keepalived.data` that tools read (formats seen with 2.2.7). Pure; used by cli/vrrp.ts, process/node-status.ts and admin/.
 */
import { formatIp } from '../base/ip.ts';
import type { KeepalivedModel, VirtualAddress, VrrpInstance } from '../model/keepalived.ts';
import type { InstanceStatus, VrrpState } from '../model/vrrp-messages.ts';

const stateNumbers: Readonly<Record<VrrpState, number>> = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3, STOP: 98 };

/** `1d2h`, `3h4m`, `5m6s`, `7s` */
function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days}d${hours}h`;
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

export function statusTable(instances: readonly InstanceStatus[], nowMs: number): string {
  return instances.map((one) => {
    const { counters } = one;
    const refused = counters.packetLengthErrors + counters.timeToLiveErrors + counters.invalidTypeReceived + counters.advertIntervalErrors + counters.invalidAuthType +
      counters.authTypeMismatch + counters.authFailure + counters.versionErrors + counters.checksumErrors + counters.foreignSources;
    return `${one.name}: ${one.state} for ${ageText(nowMs - one.since)} (${one.why})
  priority ${one.priority} (configured ${one.basePriority}), master ${one.masterFrom === '' ? 'not heard yet' : `${one.masterFrom}, priority ${one.masterPriority}`}
  addresses here: ${one.addresses.length === 0 ? 'none' : one.addresses.join(' ')}
  adverts: ${counters.advertsSent} sent, ${counters.advertsReceived} received, ${refused} refused, ${counters.otherRouterIds} of other routers${counters.ownAdverts > 0 ? `, ${counters.ownAdverts} of its own that came back` : ''}; became master ${counters.becameMaster} times
`;
  }).join('');
}

export function keepalivedStats(instances: readonly InstanceStatus[]): string {
  return instances.map(({ name, counters }) => `VRRP Instance: ${name}
  Advertisements:
    Received: ${counters.advertsReceived}
    Sent: ${counters.advertsSent}
  Became master: ${counters.becameMaster}
  Released master: ${counters.releasedMaster}
  Packet Errors:
    Length: ${counters.packetLengthErrors}
    TTL: ${counters.timeToLiveErrors}
    Invalid Type: ${counters.invalidTypeReceived}
    Advertisement Interval: ${counters.advertIntervalErrors}
    Address List: ${counters.addressListErrors}
  Authentication Errors:
    Invalid Type: ${counters.invalidAuthType}
    Type Mismatch: ${counters.authTypeMismatch}
    Failure: ${counters.authFailure}
  Priority Zero:
    Received: ${counters.priorityZeroReceived}
    Sent: ${counters.priorityZeroSent}
`).join('');
}

function addressText(one: VirtualAddress, isSet: boolean): string {
  return `${formatIp(one.address)}/${one.prefixLength} dev ${one.device} scope ${one.scope === '' ? 'global' : one.scope}${one.label === '' ? '' : ` label ${one.label}`}${isSet ? ' set' : ''}`;
}

function jsonData(instance: VrrpInstance, status: InstanceStatus): object {
  const { garp } = instance;
  const addresses = (advertised: boolean): string[] => instance.addresses.filter((one) => one.advertised === advertised).map((one) => addressText(one, status.state === 'MASTER'));
  return {
    iname: instance.name, dont_track_primary: instance.trackPrimary ? 0 : 1, skip_check_adv_addr: 0, strict_mode: 0, vmac_ifname: '', ifp_ifname: instance.interface,
    master_priority: status.state === 'MASTER' ? 0 : status.masterPriority, last_transition: status.since / 1000,
    garp_delay: garp.delayMs / 1000, garp_refresh: garp.refreshMs / 1000, garp_rep: garp.repeat, garp_refresh_rep: garp.refreshRepeat,
    garp_lower_prio_delay: garp.lowerPriorityDelayMs / 1000, garp_lower_prio_rep: garp.lowerPriorityRepeat,
    lower_prio_no_advert: instance.lowerPriorityNoAdvert ? 1 : 0, higher_prio_send_advert: instance.higherPrioritySendAdvert ? 1 : 0,
    vrid: instance.virtualRouterId, base_priority: instance.priority, effective_priority: status.priority, vipset: status.state === 'MASTER', promote_secondaries: false,
    adver_int: instance.advertMs / 1000, master_adver_int: instance.advertMs / 1000, accept: 1, nopreempt: !instance.preempt, preempt_delay: instance.preemptDelayMs / 1000,
    state: stateNumbers[status.state], wantstate: stateNumbers[instance.initialState], version: instance.version, smtp_alert: instance.notify.smtpAlert, notify_deleted: false,
    vips: addresses(true), ...(instance.addresses.every((one) => one.advertised) ? {} : { evips: addresses(false) }),
    // The password is not told: keepalived writes it here, readable by root only.
    auth_type: instance.password === '' ? 0 : 1,
  };
}

export function keepalivedJson(instances: readonly InstanceStatus[], model: KeepalivedModel): string {
  return JSON.stringify(instances.flatMap((status) => {
    const instance = model.instances.find((one) => one.name === status.name);
    const { counters } = status;
    return instance === undefined ? [] : [{
      data: jsonData(instance, status),
      stats: {
        advert_rcvd: counters.advertsReceived, advert_sent: counters.advertsSent, become_master: counters.becameMaster, release_master: counters.releasedMaster,
        packet_len_err: counters.packetLengthErrors, advert_interval_err: counters.advertIntervalErrors, ip_ttl_err: counters.timeToLiveErrors, invalid_type_rcvd: counters.invalidTypeReceived,
        addr_list_err: counters.addressListErrors, invalid_authtype: counters.invalidAuthType, authtype_mismatch: counters.authTypeMismatch, auth_failure: counters.authFailure,
        pri_zero_rcvd: counters.priorityZeroReceived, pri_zero_sent: counters.priorityZeroSent,
      },
    }];
  }));
}

/** The instances' part of keepalived.data. */
export function keepalivedData(instances: readonly InstanceStatus[], model: KeepalivedModel): string {
  const { globals } = model;
  const head = `------< Global definitions >------
 Router ID = ${globals.routerId}
 Smtp server = ${globals.smtpServer.host}
 Smtp server port = ${globals.smtpServer.port}
 Email notification from = ${globals.notificationEmailFrom}
------< VRRP Topology >------
`;
  return head + instances.map((status) => {
    const instance = model.instances.find((one) => one.name === status.name);
    if (instance === undefined) return '';
    const seconds = (status.since / 1000).toFixed(6);
    return ` VRRP Instance = ${status.name}
   VRRP Version = ${instance.version}
   State = ${status.state}
   Wantstate = ${instance.initialState}
   Last transition = ${seconds} (${new Date(status.since).toISOString()})
   Interface = ${instance.interface}
   Virtual Router ID = ${instance.virtualRouterId}
   Priority = ${instance.priority}
   Effective priority = ${status.priority}
   Advert interval = ${instance.version === 2 ? `${instance.advertMs / 1000} sec` : `${instance.advertMs} milli-sec`}
   Preempt = ${instance.preempt ? 'enabled' : 'disabled'}
   Virtual IP (${instance.addresses.length}):
${instance.addresses.map((one) => `     ${addressText(one, status.state === 'MASTER')}`).join('\n')}
`;
  }).join('');
}
