/**
 * The door of keepalived.conf: a path in, a checked KeepalivedModel or the list of everything that is wrong out. Called by cli/ and
 * process/. Synchronous, keeps no state, never throws for anything a file can contain.
 */
import { hostname } from 'node:os';
import type { InterfaceDelay, KeepalivedModel, TrackedFile, TrackedProcess, VrrpInstance, VrrpScript, VrrpSyncGroup } from '../../model/keepalived.ts';
import type { Problem } from '../../model/problem.ts';
import { type ConfigFiles, diskFiles } from '../files.ts';
import { Problems } from '../problems.ts';
import { emptyGlobals, globalsRows, readGlobals } from './globals.ts';
import { groupRows, readGroup } from './group.ts';
import { authenticationRows, instanceRows, readInstance } from './instance.ts';
import { ignored, type Line, listed, readBlock, type Row, type Rows, unsupported } from './line.ts';
import { readStatements } from './lines.ts';
import { fileRows, processRows, readScript, readTrackedFile, readTrackedProcess, scriptRows } from './tracking.ts';
import { verifyKeepalived } from './verify.ts';

interface KeepalivedOptions {
  readonly files?: ConfigFiles;
  /** `--config-id`: what `@id` lines are compared with. */
  readonly configId?: string;
}

interface KeepalivedLoaded {
  /** Undefined when any problem is an `error` or `unsupported`. */
  readonly model: KeepalivedModel | undefined;
  readonly problems: readonly Problem[];
}

interface Draft {
  readonly globals: ReturnType<typeof emptyGlobals>;
  readonly scripts: VrrpScript[];
  readonly processes: TrackedProcess[];
  readonly trackedFiles: TrackedFile[];
  readonly groups: VrrpSyncGroup[];
  readonly instances: VrrpInstance[];
  readonly interfaceDelays: InterfaceDelay[];
  /** Groups and instances wait until global_defs is whole, wherever it stands. */
  readonly later: (() => void)[];
}

const delayMsMax = 255_000;

function readInterfaceDelays(line: Line, draft: Draft): void {
  for (const entry of listed(line)) {
    const [down = '', up = down] = entry.args;
    draft.interfaceDelays.push({ place: entry.place, interface: entry.keyword, downMs: entry.seconds(down, 0, delayMsMax, 0), upMs: entry.seconds(up, 0, delayMsMax, 0) });
  }
}

const trackedFileRow = { args: [1, 1], block: true, read: (line: Line, draft: Draft) => { draft.trackedFiles.push(readTrackedFile(line)); } } as const;

const rows: Rows<Draft> = {
  global_defs: { args: [0, 0], block: true, read: (line, draft) => { readGlobals(line, draft.globals); } },
  vrrp_script: { args: [1, 1], block: true, read: (line, draft) => { draft.scripts.push(readScript(line)); } },
  vrrp_track_process: { args: [1, 1], block: true, read: (line, draft) => { draft.processes.push(readTrackedProcess(line)); } },
  vrrp_track_file: trackedFileRow,
  track_file: trackedFileRow,
  vrrp_sync_group: { args: [1, 1], block: true, read: (line, draft) => { draft.later.push(() => { draft.groups.push(readGroup(line, draft.globals.defaults.smtpAlert)); }); } },
  vrrp_instance: { args: [1, 1], block: true, read: (line, draft) => { draft.later.push(() => { draft.instances.push(readInstance(line, draft.globals.defaults, draft.globals)); }); } },
  interface_up_down_delays: { args: [0, 0], block: true, read: readInterfaceDelays },
  ...ignored('use_pid_dir', 'instance', 'linkbeat_use_polling', 'linkbeat_interfaces', 'child_wait_time', 'garp_group', 'namespace_with_ipsets'),
  ...unsupported('Poise balances itself: write the servers in haproxy.cfg', 'virtual_server', 'virtual_server_group', 'SSL'),
  ...unsupported('set it with ip, outside', 'static_ipaddress', 'static_routes', 'static_rules', 'track_group'),
  ...unsupported('start the program inside the namespace: ip netns exec NAME poise …', 'net_namespace', 'net_namespace_ipvs'),
  bfd_instance: { args: [1, 1], block: true, unsupported: 'BFD is not spoken here; track a script or an interface instead' },
};

/** Every word of every block, for the reference page. */
export const keepalivedTables: Readonly<Record<string, Readonly<Record<string, Pick<Row<never>, 'ignored' | 'unsupported'>>>>> = {
  'top level': rows, global_defs: globalsRows, vrrp_script: scriptRows, vrrp_track_process: processRows, vrrp_track_file: fileRows, vrrp_sync_group: groupRows, vrrp_instance: instanceRows,
  authentication: authenticationRows,
};

export function loadKeepalived(path: string, options: KeepalivedOptions = {}): KeepalivedLoaded {
  const problems = new Problems();
  const hostName = hostname();
  const files = options.files ?? diskFiles(process.cwd());
  const { statements, paths } = readStatements(path, { files, problems, configId: options.configId ?? hostName, hostName });
  const draft: Draft = { globals: emptyGlobals(hostName), scripts: [], processes: [], trackedFiles: [], groups: [], instances: [], interfaceDelays: [], later: [] };
  readBlock(statements, rows, draft, 'keepalived.conf', problems);
  for (const read of draft.later) read();
  const { defaults, ...globals } = draft.globals;
  const user = (command: VrrpScript['command']): VrrpScript['command'] => command.user === '' ? { ...command, user: defaults.scriptUser, group: defaults.scriptGroup } : command;
  const named = <T extends { readonly notify: VrrpInstance['notify'] }>(one: T): T => {
    const notify = Object.fromEntries(Object.entries(one.notify).map(([name, value]) => [name, typeof value === 'object' ? user(value) : value])) as unknown as VrrpInstance['notify'];
    return { ...one, notify };
  };
  const made: KeepalivedModel = {
    files: paths, globals, processes: draft.processes, trackedFiles: draft.trackedFiles, interfaceDelays: draft.interfaceDelays,
    scripts: draft.scripts.map((script) => ({ ...script, command: user(script.command) })),
    groups: draft.groups.map(named),
    instances: draft.instances.map(named),
  };
  const model = verifyKeepalived(made, problems);
  return { model: problems.fatal ? undefined : model, problems: problems.sorted(paths) };
}
