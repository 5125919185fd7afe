/**
 * What no single line of keepalived.conf can tell: names that must exist, numbers that must not repeat, weights that cannot work.
 * Called by load.ts after all sections are read; gives the model with tracking of grouped instances made even.
 */
import { formatIp } from '../../base/ip.ts';
import type { KeepalivedModel, Tracking, VrrpInstance, VrrpSyncGroup } from '../../model/keepalived.ts';
import type { Place } from '../../model/problem.ts';
import { advertAddressesMax } from '../../wire/vrrp.ts';
import { didYouMean, type Problems } from '../problems.ts';

/** What the other node most likely has when this file cannot tell. */
const usualPriority = 100;

export function verifyKeepalived(model: KeepalivedModel, problems: Problems): KeepalivedModel {
  if (model.instances.length === 0) problems.error({ file: model.files[0] ?? '', line: 0 }, 'vrrp_instance', 'there is no vrrp_instance', 'write one: vrrp_instance VI_1 { … }');
  unique('vrrp_script', model.scripts, problems);
  unique('vrrp_track_process', model.processes, problems);
  unique('vrrp_track_file', model.trackedFiles, problems);
  unique('vrrp_instance', model.instances, problems);
  unique('vrrp_sync_group', model.groups, problems);
  for (const one of [...model.instances, ...model.groups]) verifyTracking(one, model, problems);
  for (const instance of model.instances) verifyInstance(instance, model, problems);
  verifyRouterIds(model, problems);
  for (const group of model.groups) verifyGroup(group, model, problems);
  for (const one of [...model.instances, ...model.groups]) {
    if (one.notify.smtpAlert && (model.globals.smtpServer.host === '' || model.globals.notificationEmail.length === 0)) {
      problems.warning(one.place, 'smtp_alert', `smtp_alert of ${one.name} has nobody to write to`, 'add smtp_server and notification_email to global_defs');
    }
  }
  return { ...model, instances: model.instances.map((instance) => evenWeights(instance, model, problems)) };
}

function unique(kind: string, list: readonly { readonly name: string; readonly place: Place }[], problems: Problems): void {
  const seen = new Map<string, Place>();
  for (const one of list) {
    const before = seen.get(one.name);
    if (before !== undefined) problems.error(one.place, one.name, `${kind} ${one.name} stands twice`, `the first is in line ${before.line}`);
    seen.set(one.name, one.place);
  }
}

function verifyTracking(one: VrrpInstance | VrrpSyncGroup, model: KeepalivedModel, problems: Problems): void {
  const known = (tracked: readonly Tracking[], kind: string, names: readonly string[]): void => {
    for (const use of tracked) if (!names.includes(use.name)) problems.error(use.place, use.name, `there is no ${kind} ${use.name}`, didYouMean(use.name, names));
  };
  known(one.trackScripts, 'vrrp_script', model.scripts.map((script) => script.name));
  known(one.trackProcesses, 'vrrp_track_process', model.processes.map((process) => process.name));
  known(one.trackFiles, 'vrrp_track_file', model.trackedFiles.map((file) => file.name));
}

function verifyInstance(instance: VrrpInstance, model: KeepalivedModel, problems: Problems): void {
  const { name, place } = instance;
  if (instance.interface === '') problems.error(place, 'interface', `vrrp_instance ${name} has no interface`, 'write interface eth0');
  if (instance.interface === 'lo') problems.error(place, 'lo', `vrrp_instance ${name} cannot use the loopback interface: no other node hears adverts there`, 'name the interface that both nodes share; an address line may have dev lo');
  if (instance.virtualRouterId === 0) problems.error(place, 'virtual_router_id', `vrrp_instance ${name} has no virtual_router_id`, 'write virtual_router_id 1 … 255, the same on both nodes');
  if (instance.addresses.length === 0) problems.error(place, 'virtual_ipaddress', `vrrp_instance ${name} has no address`, 'write virtual_ipaddress { 10.0.0.10/24 }');
  const advertised = instance.addresses.filter((address) => address.advertised);
  if (advertised.length > advertAddressesMax) problems.error(place, 'virtual_ipaddress', `an advert holds ${advertAddressesMax} addresses, not ${advertised.length}`, 'move the rest to virtual_ipaddress_excluded');
  for (const address of advertised) {
    if (address.address.family !== instance.family) problems.error(address.place, formatIp(address.address), `vrrp_instance ${name} mixes IPv4 and IPv6`, 'move the other family to virtual_ipaddress_excluded');
  }
  for (const { address } of instance.unicastPeers) if (address.family !== instance.family) problems.error(place, formatIp(address), `unicast peer ${formatIp(address)} is not IPv${instance.family}`);
  if (instance.sourceAddress !== undefined && instance.sourceAddress.family !== instance.family) problems.error(place, formatIp(instance.sourceAddress), `source address ${formatIp(instance.sourceAddress)} is not IPv${instance.family}`);
  if (instance.initialState === 'MASTER' && !instance.preempt) problems.warning(place, 'nopreempt', `nopreempt of ${name} has no effect beside state MASTER in keepalived; here it has`, 'write state BACKUP on both nodes');
  if (instance.initialState === 'MASTER' && instance.preemptDelayMs > 0) problems.warning(place, 'preempt_delay', `preempt_delay of ${name} has no effect beside state MASTER in keepalived; here it has`, 'write state BACKUP on both nodes');
  if (instance.password !== '') problems.notice(place, '', `the password of ${name} goes over the wire in clear text: it keeps out mistakes, not people`);
  verifyWeights(instance, model, problems);
}

/** A failed check must bring the priority below the other node's, or a dead balancer keeps the address. */
function verifyWeights(instance: VrrpInstance, model: KeepalivedModel, problems: Problems): void {
  const gap = instance.priority - usualPriority;
  if (instance.initialState !== 'MASTER' || gap <= 0) return;
  for (const use of instance.trackScripts) {
    const weight = Math.abs(use.weight ?? model.scripts.find((script) => script.name === use.name)?.weight ?? 0);
    if (weight === 0 || weight > gap) continue;
    problems.warning(use.place, use.name, `weight ${weight} of ${use.name} cannot move the address: priority ${instance.priority} stays at or above ${usualPriority}, which the other node usually has`,
      `give it a weight above ${gap}, or none at all: then a failure is FAULT`);
  }
}

function verifyRouterIds(model: KeepalivedModel, problems: Problems): void {
  const seen = new Map<string, VrrpInstance>();
  for (const instance of model.instances) {
    const key = `${instance.interface} ${instance.virtualRouterId} ${instance.family} ${instance.unicastPeers.map((peer) => formatIp(peer.address)).join(' ')} ${formatIp(instance.multicastGroup)}`;
    const before = seen.get(key);
    if (before !== undefined) problems.error(instance.place, String(instance.virtualRouterId), `${instance.name} and ${before.name} have the same virtual_router_id on ${instance.interface}`, 'give one of them another number, on both nodes');
    seen.set(key, instance);
  }
}

function verifyGroup(group: VrrpSyncGroup, model: KeepalivedModel, problems: Problems): void {
  if (group.instances.length === 0) problems.error(group.place, 'group', `vrrp_sync_group ${group.name} has no instances`, 'write group { VI_1 VI_2 }');
  const names = model.instances.map((instance) => instance.name);
  for (const name of group.instances) {
    if (!names.includes(name)) problems.error(group.place, name, `there is no vrrp_instance ${name}`, didYouMean(name, names));
    const other = model.groups.find((one) => one !== group && one.instances.includes(name));
    if (other !== undefined) problems.error(group.place, name, `vrrp_instance ${name} is in the groups ${group.name} and ${other.name}`, 'an instance belongs to one group');
  }
}

/** Instances of a group must not drift apart: a weight on one of them counts as none, unless the group says otherwise. */
function evenWeights(instance: VrrpInstance, model: KeepalivedModel, problems: Problems): VrrpInstance {
  const group = model.groups.find((one) => one.instances.includes(instance.name));
  if (group === undefined || group.ownWeights) return instance;
  const even = (tracked: readonly Tracking[], weightOf: (name: string) => number): readonly Tracking[] => tracked.map((use) => {
    if ((use.weight ?? weightOf(use.name)) === 0) return use;
    problems.warning(use.place, use.name, `${instance.name} is in the group ${group.name}: a failure of ${use.name} is FAULT, its weight does not count`, 'track it in the group');
    return { ...use, weight: 0 };
  });
  return {
    ...instance,
    trackScripts: even(instance.trackScripts, (name) => model.scripts.find((one) => one.name === name)?.weight ?? 0),
    trackProcesses: even(instance.trackProcesses, (name) => model.processes.find((one) => one.name === name)?.weight ?? 0),
    trackInterfaces: even(instance.trackInterfaces, () => 0),
  };
}
