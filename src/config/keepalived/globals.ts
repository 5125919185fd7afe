/** global_defs, and the defaults it gives to instances. Called by load.ts. */
import { parseIp, type IpValue } from '../../base/ip.ts';
import type { Command, KeepalivedGlobals } from '../../model/keepalived.ts';
import { ignored, type Line, listed, readBlock, type Rows, unsupported } from './line.ts';

const dayMs = 86_400_000;

/** Words of global_defs that only set what instances start from. */
export interface InstanceDefaults {
  version: 2 | 3;
  smtpAlert: boolean;
  scriptUser: string;
  scriptGroup: string;
  /** Undefined: keepalived's own default, which may depend on another word. */
  garpDelayMs: number | undefined;
  garpRepeat: number | undefined;
  garpLowerDelayMs: number | undefined;
  garpLowerRepeat: number | undefined;
  garpRefreshMs: number;
  garpRefreshRepeat: number;
  lowerPriorityNoAdvert: boolean;
  higherPrioritySendAdvert: boolean;
  downTimerAdverts: number;
  checkUnicastSource: boolean;
  priorityChanges: boolean;
}

type GlobalsDraft = { -readonly [K in keyof KeepalivedGlobals]: KeepalivedGlobals[K] } & { defaults: InstanceDefaults };

export function emptyGlobals(hostName: string): GlobalsDraft {
  return {
    routerId: hostName, notificationEmail: [], notificationEmailFrom: `keepalived@${hostName}`, smtpServer: { host: '', port: 25, place: { file: '', line: 0 } }, smtpHeloName: hostName,
    smtpConnectTimeoutMs: 30_000, smtpFaults: true, enableScriptSecurity: false, notifyFifo: '', notifyFifoScript: undefined, startupDelayMs: 0,
    multicastGroupV4: parseIp('224.0.0.18') as IpValue, multicastGroupV6: parseIp('ff02::12') as IpValue,
    defaults: {
      version: 2, smtpAlert: false, scriptUser: '', scriptGroup: '', garpDelayMs: undefined, garpRepeat: undefined, garpLowerDelayMs: undefined, garpLowerRepeat: undefined,
      garpRefreshMs: 0, garpRefreshRepeat: 1, lowerPriorityNoAdvert: false, higherPrioritySendAdvert: false, downTimerAdverts: 3, checkUnicastSource: false, priorityChanges: false,
    },
  };
}

function fifoScript(line: Line): Command {
  return line.notifyCommand();
}

function group(line: Line, family: 4 | 6, fallback: IpValue): IpValue {
  const found = line.address(line.first);
  const multicast = found !== undefined && (family === 4 ? ((found.bytes[0] ?? 0) >> 4) === 14 : found.bytes[0] === 0xff);
  if (found?.family === family && multicast) return found;
  line.error(line.first, `'${line.first}' is not an IPv${family} multicast address`);
  return fallback;
}

export const globalsRows: Rows<GlobalsDraft> = {
  notification_email: { args: [0, 0], block: true, read: (line, draft) => { draft.notificationEmail = listed(line).flatMap((entry) => entry.statement.words); } },
  notification_email_from: { args: [1, 1], read: (line, draft) => { draft.notificationEmailFrom = line.first; } },
  smtp_server: { args: [1, 2], read: (line, draft) => { draft.smtpServer = { host: line.first, port: line.args[1] === undefined ? 25 : line.whole(line.args[1], 1, 65_535, 25), place: line.place }; } },
  smtp_helo_name: { args: [1, 1], read: (line, draft) => { draft.smtpHeloName = line.first; } },
  smtp_connect_timeout: { args: [1, 1], read: (line, draft) => { draft.smtpConnectTimeoutMs = line.seconds(line.first, 1, dayMs, 30_000); } },
  smtp_alert: { args: [0, 1], read: (line, draft) => { draft.defaults.smtpAlert = line.flag(); } },
  smtp_alert_vrrp: { args: [0, 1], read: (line, draft) => { draft.defaults.smtpAlert = line.flag(); } },
  smtp_alert_checker: { args: [0, 1], ignored: 'there are no virtual_server checks' },
  no_email_faults: { args: [0, 0], read: (_line, draft) => { draft.smtpFaults = false; } },
  router_id: { args: [1, 1], read: (line, draft) => { draft.routerId = line.first; } },
  vrrp_mcast_group4: { args: [1, 1], read: (line, draft) => { draft.multicastGroupV4 = group(line, 4, draft.multicastGroupV4); } },
  vrrp_mcast_group6: { args: [1, 1], read: (line, draft) => { draft.multicastGroupV6 = group(line, 6, draft.multicastGroupV6); } },
  vrrp_startup_delay: { args: [1, 1], read: (line, draft) => { draft.startupDelayMs = line.seconds(line.first, 0, dayMs, 0); } },
  vrrp_garp_master_delay: { args: [1, 1], read: (line, draft) => { draft.defaults.garpDelayMs = line.seconds(line.first, 0, dayMs, 5000); } },
  vrrp_garp_master_repeat: { args: [1, 1], read: (line, draft) => { draft.defaults.garpRepeat = line.whole(line.first, 0, 1000, 5); } },
  vrrp_garp_lower_prio_delay: { args: [1, 1], read: (line, draft) => { draft.defaults.garpLowerDelayMs = line.seconds(line.first, 0, dayMs, 5000); } },
  vrrp_garp_lower_prio_repeat: { args: [1, 1], read: (line, draft) => { draft.defaults.garpLowerRepeat = line.whole(line.first, 0, 1000, 5); } },
  vrrp_garp_master_refresh: { args: [1, 1], read: (line, draft) => { draft.defaults.garpRefreshMs = line.seconds(line.first, 0, dayMs, 0); } },
  vrrp_garp_master_refresh_repeat: { args: [1, 1], read: (line, draft) => { draft.defaults.garpRefreshRepeat = line.whole(line.first, 1, 1000, 1); } },
  vrrp_min_garp: { args: [0, 1], read: (line, draft) => { if (line.flag()) [draft.defaults.garpRepeat, draft.defaults.garpDelayMs] = [1, 0]; } },
  vrrp_lower_prio_no_advert: { args: [0, 1], read: (line, draft) => { draft.defaults.lowerPriorityNoAdvert = line.flag(); } },
  vrrp_higher_prio_send_advert: { args: [0, 1], read: (line, draft) => { draft.defaults.higherPrioritySendAdvert = line.flag(); } },
  vrrp_down_timer_adverts: { args: [1, 1], read: (line, draft) => { draft.defaults.downTimerAdverts = line.whole(line.first, 1, 100, 3); } },
  vrrp_version: { args: [1, 1], read: (line, draft) => { draft.defaults.version = line.whole(line.first, 2, 3, 2) === 3 ? 3 : 2; } },
  vrrp_check_unicast_src: { args: [0, 1], read: (line, draft) => { draft.defaults.checkUnicastSource = line.flag(); } },
  vrrp_notify_priority_changes: { args: [0, 1], read: (line, draft) => { draft.defaults.priorityChanges = line.flag(); } },
  script_user: { args: [1, 2], read: (line, draft) => { [draft.defaults.scriptUser, draft.defaults.scriptGroup] = [line.first, line.args[1] ?? '']; } },
  enable_script_security: { args: [0, 0], read: (_line, draft) => { draft.enableScriptSecurity = true; } },
  notify_fifo: { args: [1, 3], read: (line, draft) => { draft.notifyFifo = line.first; } },
  notify_fifo_script: { args: [1, 3], read: (line, draft) => { draft.notifyFifoScript = fifoScript(line); } },
  vrrp_notify_fifo: { args: [1, 3], read: (line, draft) => { draft.notifyFifo = line.first; } },
  vrrp_notify_fifo_script: { args: [1, 3], read: (line, draft) => { draft.notifyFifoScript = fifoScript(line); } },
  // Always so here: an instance whose interface is not there is in FAULT until it comes.
  dynamic_interfaces: { args: [0, 1], read: () => undefined },
  vrrp_strict: { args: [0, 0], unsupported: 'remove it: it refuses unicast, authentication and every second thing that pairs in the field use' },
  vrrp_skip_check_adv_addr: { args: [0, 1], ignored: 'the addresses of an advert are compared once per change of master' },
  vrrp_garp_extra_if: { args: [1, 2], ignored: 'announcements go out on the interface of each address' },
  vrrp_garp_interval: { args: [1, 1], ignored: 'announcements of one address follow each other at once' },
  vrrp_gna_interval: { args: [1, 1], ignored: 'announcements of one address follow each other at once' },
  ...ignored('process_names', 'process_name', 'vrrp_process_name', 'checker_process_name', 'bfd_process_name', 'tmp_config_directory', 'config_save_dir', 'default_interface', 'lvs_sync_daemon',
    'lvs_timeouts', 'lvs_flush', 'lvs_flush_on_stop', 'checker_log_all_failures', 'disable_local_igmp', 'max_auto_priority', 'min_auto_priority_delay', 'vrrp_priority', 'checker_priority', 'bfd_priority',
    'vrrp_no_swap', 'checker_no_swap', 'bfd_no_swap', 'vrrp_cpu_affinity', 'checker_cpu_affinity', 'bfd_cpu_affinity', 'vrrp_rt_priority', 'checker_rt_priority', 'bfd_rt_priority', 'vrrp_rlimit_rttime',
    'checker_rlimit_rttime', 'bfd_rlimit_rttime', 'snmp_socket', 'enable_snmp_vrrp', 'enable_snmp_checker', 'enable_snmp_rfc', 'enable_snmp_rfcv2', 'enable_snmp_rfcv3', 'enable_traps', 'enable_dbus',
    'dbus_service_name', 'lvs_notify_fifo', 'lvs_notify_fifo_script', 'fifo_write_vrrp_states_on_reload', 'vrrp_netlink_cmd_rcv_bufs', 'vrrp_netlink_cmd_rcv_bufs_force',
    'vrrp_netlink_monitor_rcv_bufs', 'vrrp_netlink_monitor_rcv_bufs_force', 'lvs_netlink_cmd_rcv_bufs', 'lvs_netlink_cmd_rcv_bufs_force', 'lvs_netlink_monitor_rcv_bufs', 'lvs_netlink_monitor_rcv_bufs_force',
    'process_monitor_rcv_bufs', 'process_monitor_rcv_bufs_force', 'vrrp_rx_bufs_policy', 'vrrp_rx_bufs_multiplier', 'rs_init_notifies', 'no_checker_emails', 'umask', 'random_seed', 'reload_check_config',
    'reload_file', 'reload_repeat', 'include_check', 'nftables', 'nftables_priority', 'nftables_counters', 'nftables_ifindex', 'vrrp_iptables', 'vrrp_ipsets', 'json_version', 'iproute_etc_dir', 'iproute_usr_dir',
    'data_use_instance', 'log_unknown_vrids', 'reload_time_file', 'vmac_prefix', 'vmac_addr_prefix', 'nftables_ipvs', 'nftables_ipvs_priority', 'nftables_ipvs_start_fwmark'),
  ...unsupported('run it from the service manager instead', 'startup_script', 'shutdown_script', 'startup_script_timeout', 'shutdown_script_timeout'),
};

export function readGlobals(line: Line, draft: GlobalsDraft): void {
  readBlock(line.statement.block ?? [], globalsRows, draft, 'global_defs', line.problems);
}
