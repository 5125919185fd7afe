/**
 * What tracked scripts, processes, files, interfaces and the balancer's health make of an instance: its priority, or why it is in FAULT.
 * A function of what is known; holds no sockets and no clock. keepalived.conf(5), "VRRP script(s)" to "track_file". Used by vrrp/engine.ts.
 */
import type { KeepalivedModel, Tracking, VrrpInstance, VrrpSyncGroup } from '../model/keepalived.ts';

/** What is known of everything tracked. Undefined: not yet. */
export interface Known {
  readonly scripts: ReadonlyMap<string, boolean>;
  readonly processes: ReadonlyMap<string, boolean>;
  readonly files: ReadonlyMap<string, number>;
  readonly interfaceUp: (name: string) => boolean;
}

interface Standing {
  readonly priority: number;
  /** Empty: none. */
  readonly fault: string;
}

const [priorityMin, priorityMax, owner] = [1, 254, 255];
/** A tracked file's value times its weight at or below this is FAULT. */
const fileFault = -254;

interface Sum { priority: number; fault: string }

export function standing(instance: VrrpInstance, group: VrrpSyncGroup | undefined, model: KeepalivedModel, known: Known): Standing {
  const sum: Sum = { priority: instance.priority, fault: '' };
  if (instance.trackPrimary && !known.interfaceUp(instance.interface)) sum.fault = `interface ${instance.interface} is down`;
  for (const one of group === undefined ? [instance] : [instance, group]) {
    for (const use of one.trackInterfaces) weigh(sum, use, 0, false, known.interfaceUp(use.name), `tracked interface ${use.name} is down`);
    for (const use of one.trackScripts) {
      const script = model.scripts.find((candidate) => candidate.name === use.name);
      const ok = known.scripts.get(use.name);
      weigh(sum, use, script?.weight ?? 0, script?.weightReverse ?? false, ok, ok === undefined ? `script ${use.name} has not run yet` : `script ${use.name} failed`);
    }
    for (const use of one.trackProcesses) {
      const process = model.processes.find((candidate) => candidate.name === use.name);
      weigh(sum, use, process?.weight ?? 1, process?.weightReverse ?? false, known.processes.get(use.name), `too few processes of ${use.name}`);
    }
    for (const use of one.trackFiles) weighFile(sum, use, model, known);
  }
  if (instance.priority === owner) return { priority: owner, fault: sum.fault };
  return { priority: Math.min(priorityMax, Math.max(priorityMin, sum.priority)), fault: sum.fault };
}

/** Weight 0: failure is FAULT. Above: added while well. Below: taken off while not. Reverse turns the direction round. */
function weigh(sum: Sum, use: Tracking, ownWeight: number, ownReverse: boolean, ok: boolean | undefined, why: string): void {
  const weight = use.weight ?? ownWeight;
  const reverse = use.weight === undefined ? ownReverse : use.weightReverse;
  const sign = reverse ? -1 : 1;
  if (weight === 0) {
    if (ok !== !reverse && sum.fault === '') sum.fault = ok === true ? `${use.name} is well, which counts as a failure` : why;
  } else if (weight > 0) {
    if (ok === true) sum.priority += sign * weight;
  } else if (ok === false) {
    sum.priority += sign * weight;
  }
}

function weighFile(sum: Sum, use: Tracking, model: KeepalivedModel, known: Known): void {
  const file = model.trackedFiles.find((candidate) => candidate.name === use.name);
  const weight = use.weight ?? file?.weight ?? 1;
  const reverse = use.weight === undefined ? file?.weightReverse ?? false : use.weightReverse;
  const value = known.files.get(use.name) ?? 0;
  const change = value * weight * (reverse ? -1 : 1);
  const fault = weight === 0 ? (value !== 0) !== reverse : change <= fileFault;
  if (fault) sum.fault = sum.fault === '' ? `tracked file ${use.name} says ${value}` : sum.fault;
  else sum.priority += change;
}
