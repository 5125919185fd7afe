/**
 * The virtual addresses of this node for the statistics page, Prometheus and the runtime socket. Metric names are those of the
 * keepalived exporters that people have dashboards for. Called by html.ts, prometheus.ts and admin/. Shows nothing unescaped.
 */
import type { InstanceStatus, VrrpState } from '../model/vrrp-messages.ts';
import { escape } from './html-cells.ts';

const rowClasses: Readonly<Record<VrrpState, string>> = { MASTER: 'active_up', BACKUP: 'backup_up', FAULT: 'down', INIT: 'no_check', STOP: 'maintain' };
const stateNumbers: Readonly<Record<VrrpState, number>> = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3, STOP: 4 };

/** Empty on a node without virtual addresses. */
export function vrrpHtml(instances: readonly InstanceStatus[]): string {
  if (instances.length === 0) return '';
  const rows = instances.map((one) => `<tr class="${rowClasses[one.state]}"><td class="l">${escape(one.name)}</td><td class="c">${one.state}</td><td class="l">${escape(one.why)}</td><td>${one.priority}</td>` +
    `<td class="l">${escape(one.masterFrom)}</td><td class="l">${escape(one.addresses.join(' '))}</td><td>${one.counters.becameMaster}</td><td>${one.counters.advertsSent}</td><td>${one.counters.advertsReceived}</td></tr>\n`).join('');
  return `<section><h3>Virtual addresses</h3><table class="t"><tr><th>Instance</th><th>State</th><th>Why</th><th>Priority</th><th>Master</th><th>Addresses here</th><th>Became master</th><th>Adverts sent</th><th>Adverts received</th></tr>
${rows}</table></section>
`;
}

interface VrrpMetric { readonly name: string; readonly kind: 'gauge' | 'counter'; readonly help: string; readonly value: (one: InstanceStatus) => number }

export const vrrpMetrics: readonly VrrpMetric[] = [
  { name: 'keepalived_vrrp_state', kind: 'gauge', help: 'State of the VRRP instance: 0 init, 1 backup, 2 master, 3 fault, 4 stopped.', value: (one) => stateNumbers[one.state] },
  { name: 'keepalived_vrrp_priority', kind: 'gauge', help: 'Effective priority of the VRRP instance.', value: (one) => one.priority },
  { name: 'keepalived_vrrp_become_master_total', kind: 'counter', help: 'Times the instance became master.', value: (one) => one.counters.becameMaster },
  { name: 'keepalived_vrrp_release_master_total', kind: 'counter', help: 'Times the instance gave up being master.', value: (one) => one.counters.releasedMaster },
  { name: 'keepalived_vrrp_advertisements_received_total', kind: 'counter', help: 'Adverts received.', value: (one) => one.counters.advertsReceived },
  { name: 'keepalived_vrrp_advertisements_sent_total', kind: 'counter', help: 'Adverts sent.', value: (one) => one.counters.advertsSent },
  { name: 'keepalived_vrrp_authentication_failure_total', kind: 'counter', help: 'Adverts with another password.', value: (one) => one.counters.authFailure },
  { name: 'keepalived_vrrp_checksum_errors_total', kind: 'counter', help: 'Adverts with a wrong checksum.', value: (one) => one.counters.checksumErrors },
  { name: 'keepalived_vrrp_ip_ttl_errors_total', kind: 'counter', help: 'Adverts from outside the network.', value: (one) => one.counters.timeToLiveErrors },
  { name: 'poise_vrrp_own_adverts_total', kind: 'counter', help: 'Adverts of this node that the network has brought back.', value: (one) => one.counters.ownAdverts },
];
