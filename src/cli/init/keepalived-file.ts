/**
 * Writes keepalived.conf of one node: the virtual address and what it depends on. Valid for keepalived 2.2 as well. Called by exchange.ts.
 */
import { formatIp } from '../../base/ip.ts';
import type { Alert, ExchangeSite, Machine } from './site.ts';

/** Far enough apart that no weight, should one be added, is too small by accident. */
const priorities = [150, 100] as const;

export function keepalivedFile(site: ExchangeSite, at: 0 | 1): string {
  const own = site.nodes[at];
  const other = site.nodes[at === 0 ? 1 : 0];
  return [
    `! The virtual address of ${site.names[0]}, node ${own.name}. Written by poise init exchange.`,
    `! The files of ${site.nodes[0].name} and ${site.nodes[1].name} differ in router_id, priority and addresses of the nodes. Compare them with`,
    `!   poise check --keepalived ${keepalivedName(site, 0)} --keepalived ${keepalivedName(site, 1)}`,
    '',
    ...globalDefinitions(site, own),
    '',
    ...script(site),
    '',
    'vrrp_instance VI_EXCHANGE {',
    `    ! Both nodes start as BACKUP, and the address stays where it is until that node fails: each move cuts connections.`,
    `    ! Without nopreempt ${site.nodes[0].name} takes it back whenever it can.`,
    '    state BACKUP',
    '    nopreempt',
    `    priority ${priorities[at]}`,
    `    interface ${site.device}`,
    '    ! The same on both nodes, and of no other pair in this network.',
    `    virtual_router_id ${site.routerId}`,
    ...site.vip.family === 6 ? ['    version 3'] : [],
    '    advert_int 1',
    '',
    ...unicast(own, other, site),
    '',
    '    virtual_ipaddress {',
    `        ${formatIp(site.vip)}/${site.prefixLength}`,
    '    }',
    '    track_script {',
    '        chk_balancer',
    '    }',
    ...site.alert === null ? [] : ['    smtp_alert'],
    '}',
    '',
  ].join('\n');
}

export function keepalivedName(site: ExchangeSite, at: 0 | 1): string {
  return `keepalived-${site.nodes[at].name}.conf`;
}

function globalDefinitions(site: ExchangeSite, own: Machine): string[] {
  return [
    'global_defs {',
    `    router_id ${own.name}`,
    '    ! A node whose network card comes up late waits for it. keepalived would not start at all.',
    '    dynamic_interfaces',
    '    enable_script_security',
    '    ! The script below needs no rights, but keepalived 2.2.7 ends itself in "keepalived -t" when another user is named here.',
    '    script_user root',
    ...site.alert === null ? ['    ! For mail at every change: --mail-to, or these four lines, and smtp_alert in vrrp_instance.', ...mailLines(exampleAlert(site)).map((line) => `    ! ${line}`)]
      : ['    ! Mail about a dead mail system should not have to travel through it.', ...mailLines(site.alert).map((line) => `    ${line}`)],
    '}',
  ];
}

function exampleAlert(site: ExchangeSite): Alert {
  const domain = site.names[0].split('.').slice(1).join('.');
  return { to: [`administrator@${domain}`], from: `balancer@${domain}`, server: '10.0.0.9' };
}

function mailLines(alert: Alert): string[] {
  return [`notification_email { ${alert.to.join(' ')} }`, `notification_email_from ${alert.from}`, `smtp_server ${alert.server}`, 'smtp_connect_timeout 30'];
}

function script(site: ExchangeSite): string[] {
  const asked = '/usr/bin/curl -sf -m 2 -o /dev/null http://127.0.0.1:8404/alive';
  return [
    ...site.from === 'haproxy'
      ? ['! Asks the balancer a question: one that hangs gives the address up like one that is dead. Needs curl on both nodes.']
      : ['! Poise answers this itself, by asking its own listeners and threads, and runs no command. Where keepalived reads this file beside', `! Poise, write:  script "${asked}"`],
    '! There is no weight on purpose: a failure is FAULT, and the other node takes over whatever the priorities are.',
    'vrrp_script chk_balancer {',
    `    script "${site.from === 'haproxy' ? asked : 'pidof poise'}"`,
    '    interval 2',
    '    timeout 2',
    '    fall 2',
    '    rise 2',
    '}',
  ];
}

function unicast(own: Machine, other: Machine, site: ExchangeSite): string[] {
  const known = own.address !== '' && other.address !== '';
  const group = site.vip.family === 6 ? 'ff02::12' : '224.0.0.18';
  const lines = [`unicast_src_ip ${own.address === '' ? `ADDRESS-OF-${own.name}` : own.address}`, 'unicast_peer {', `    ${other.address === '' ? `ADDRESS-OF-${other.name}` : other.address}`, '}'];
  return [
    `    ! Adverts go to ${group} (IP protocol 112; the firewalls of the nodes must let it in). Where the network does not carry that, as in most`,
    `    ! clouds, take the exclamation marks away${known ? '' : ' and write the addresses'}, on both nodes:`,
    ...lines.map((line) => `    ! ${line}`),
  ];
}
