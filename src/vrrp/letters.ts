/**
 * VRRP changes as letters, with keepalived's subjects and first lines, then the reason and the numbers. Pure; used by process/node-mail.ts.
 */
import { formatIp } from '../base/ip.ts';
import type { Letter } from '../model/mail.ts';
import type { KeepalivedModel } from '../model/keepalived.ts';
import type { VrrpReport, VrrpState } from '../model/vrrp-messages.ts';

const owning = '=> VRRP Instance is now owning VRRP VIPs <=';
const notOwning = '=> VRRP Instance is no longer owning VRRP VIPs <=';
const groupWords: Readonly<Partial<Record<VrrpState, string>>> = {
  MASTER: '=> All VRRP group instances are now in MASTER state <=', BACKUP: '=> All VRRP group instances are now in BACKUP state <=', FAULT: '=> All VRRP group instances are now in FAULT state <=',
};

/** Undefined when nobody wants to read of it. */
export function vrrpLetter(report: VrrpReport, model: KeepalivedModel, atMs: number): Letter | undefined {
  const { globals } = model;
  const letter = (topic: string, subject: string, text: string): Letter => ({
    from: globals.notificationEmailFrom, to: globals.notificationEmail, subject: `[${globals.routerId}] ${subject}`, topic, atMs, mailer: 'Keepalived', mailers: '', helo: '',
    text: `${text}\n\nNode: ${globals.routerId}\nTime: ${new Date(atMs).toISOString()}\n`,
  });
  if (report.kind === 'state') {
    if (!wanted(model.instances, report.instance) || report.to === 'INIT' || report.to === 'FAULT' && !globals.smtpFaults) return undefined;
    // A node that starts or stops as backup tells nothing new.
    if (report.from === 'INIT' && report.to === 'BACKUP' || report.to === 'STOP' && report.from !== 'MASTER') return undefined;
    const words = report.to === 'MASTER' ? owning : notOwning;
    return letter(`vrrp ${report.instance}`, `VRRP Instance ${report.instance} - Entering ${report.to === 'STOP' ? 'BACKUP' : report.to} state`,
      `${words}\n\nReason: ${report.why}\nState before: ${report.from}\nPriority: ${report.priority}${addressLines(model, report.instance)}`);
  }
  if (report.kind === 'group') {
    const words = groupWords[report.to];
    if (words === undefined || !wanted(model.groups, report.group) || report.to === 'FAULT' && !globals.smtpFaults) return undefined;
    return letter(`vrrp group ${report.group}`, `VRRP Group ${report.group} - ${report.to} transition`, words);
  }
  if (report.kind === 'two masters' && wanted(model.instances, report.instance)) {
    return letter(`vrrp two masters ${report.instance}`, `VRRP Instance ${report.instance} - There were two masters`,
      `${report.peer} (priority ${report.peerPriority}) had the virtual addresses at the same time; this node ${report.outcome}.\n\nThe nodes could not hear each other for a while: look for a network that was split, a filter for IP protocol 112, or a machine that had been stopped and went on.${addressLines(model, report.instance)}`);
  }
  if (report.kind === 'foreign owner' && wanted(model.instances, report.instance)) {
    return letter(`vrrp foreign ${report.instance}`, `VRRP Instance ${report.instance} - Somebody else uses ${report.address}`, `${report.hardware} answers for ${report.address}, which this node has. Clients may reach the wrong machine until it stops.`);
  }
  return undefined;
}

function wanted(list: readonly { readonly name: string; readonly notify: { readonly smtpAlert: boolean } }[], name: string): boolean {
  return list.find((one) => one.name === name)?.notify.smtpAlert === true;
}

function addressLines(model: KeepalivedModel, name: string): string {
  const instance = model.instances.find((one) => one.name === name);
  if (instance === undefined) return '';
  return `\nInterface: ${instance.interface}, virtual router ${instance.virtualRouterId}\nAddresses: ${instance.addresses.map((one) => `${formatIp(one.address)}/${one.prefixLength}`).join(' ')}`;
}
