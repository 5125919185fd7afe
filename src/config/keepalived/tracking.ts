/** vrrp_script, vrrp_track_process, vrrp_track_file and the track_* blocks that use them. Called by load.ts, instance.ts and group.ts. */
import type { TrackedFile, TrackedProcess, Tracking, VrrpScript } from '../../model/keepalived.ts';
import { type Line, listed, readBlock, type Row, type Rows } from './line.ts';

const weightMax = 253;
const fileWeightMax = 254;
const dayMs = 86_400_000;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readWeight(line: Line, draft: { weight: number; weightReverse: boolean }, max: number): void {
  draft.weight = line.whole(line.first, -max, max, 0);
  draft.weightReverse = line.args[1] === 'reverse';
  if (line.args[1] !== undefined && line.args[1] !== 'reverse') line.error(line.args[1], `unexpected '${line.args[1]}' after the weight`, 'only reverse may follow');
}

export const scriptRows: Rows<Writable<VrrpScript> & { user: string; group: string }> = {
  script: { args: [1, 64], read: (line, draft) => {
    const made = line.args.length === 1 ? line.command(line.first, '', '') : { place: line.place, words: line.args, user: '', group: '' };
    draft.command = made;
  } },
  interval: { args: [1, 1], read: (line, draft) => { draft.intervalMs = line.seconds(line.first, 1, dayMs, 1000); } },
  timeout: { args: [1, 1], read: (line, draft) => { draft.timeoutMs = line.seconds(line.first, 1, dayMs, 0); } },
  weight: { args: [1, 2], read: (line, draft) => { readWeight(line, draft, weightMax); } },
  rise: { args: [1, 1], read: (line, draft) => { draft.rise = line.whole(line.first, 1, 1_000_000, 1); } },
  fall: { args: [1, 1], read: (line, draft) => { draft.fall = line.whole(line.first, 1, 1_000_000, 1); } },
  user: { args: [1, 2], read: (line, draft) => { [draft.user, draft.group] = [line.first, line.args[1] ?? '']; } },
  init_fail: { args: [0, 0], read: (_line, draft) => { draft.initFail = true; } },
};

export function readScript(line: Line): VrrpScript {
  const nothing = { place: line.place, words: [], user: '', group: '' };
  const draft = { name: line.first, place: line.place, command: nothing, intervalMs: 1000, timeoutMs: 0, weight: 0, weightReverse: false, rise: 1, fall: 1, initFail: false, user: '', group: '' };
  readBlock(line.statement.block ?? [], scriptRows, draft, `vrrp_script ${line.first}`, line.problems);
  if (draft.command.words.length === 0) line.error('script', `vrrp_script ${line.first} has no 'script' line`);
  const { user, group, ...script } = draft;
  return { ...script, command: { ...script.command, user, group }, timeoutMs: script.timeoutMs === 0 ? script.intervalMs : script.timeoutMs };
}

export const processRows: Rows<Writable<TrackedProcess>> = {
  process: { args: [1, 64], read: (line, draft) => { [draft.process, draft.parameters] = [line.first, line.args.slice(1)]; } },
  param_match: { args: [1, 1], unsupported: 'name the process only, or its whole command line with full_command' },
  weight: { args: [1, 2], read: (line, draft) => { readWeight(line, draft, fileWeightMax); } },
  quorum: { args: [1, 1], read: (line, draft) => { draft.quorum = line.whole(line.first, 1, 65_535, 1); } },
  quorum_max: { args: [1, 1], read: (line, draft) => { draft.quorumMax = line.whole(line.first, 0, 65_535, 65_535); } },
  fork_delay: { args: [1, 1], read: (line, draft) => { draft.delayMs = line.seconds(line.first, 0, dayMs, 0); } },
  terminate_delay: { args: [1, 1], read: (line, draft) => { draft.terminateDelayMs = line.seconds(line.first, 0, dayMs, 0); } },
  delay: { args: [1, 1], read: (line, draft) => { draft.delayMs = draft.terminateDelayMs = line.seconds(line.first, 0, dayMs, 0); } },
  full_command: { args: [0, 0], read: (_line, draft) => { draft.fullCommand = true; } },
};

export function readTrackedProcess(line: Line): TrackedProcess {
  const draft = { name: line.first, place: line.place, process: '', parameters: [], quorum: 1, quorumMax: Number.MAX_SAFE_INTEGER, fullCommand: false, weight: 1, weightReverse: false, delayMs: 0, terminateDelayMs: 0 };
  readBlock(line.statement.block ?? [], processRows, draft, `vrrp_track_process ${line.first}`, line.problems);
  if (draft.process === '') line.error('process', `vrrp_track_process ${line.first} has no 'process' line`);
  return draft;
}

export const fileRows: Rows<Writable<TrackedFile>> = {
  file: { args: [1, 1], read: (line, draft) => { draft.file = line.first; } },
  weight: { args: [1, 2], read: (line, draft) => { readWeight(line, draft, fileWeightMax); } },
  init_file: { args: [0, 2], read: (line, draft) => { draft.initFile = line.first === '' || line.first === 'overwrite' ? 0 : line.whole(line.first, -254, 254, 0); } },
};

export function readTrackedFile(line: Line): TrackedFile {
  const draft = { name: line.first, place: line.place, file: '', weight: 1, weightReverse: false, initFile: undefined };
  readBlock(line.statement.block ?? [], fileRows, draft, `vrrp_track_file ${line.first}`, line.problems);
  if (draft.file === '') line.error('file', `vrrp_track_file ${line.first} has no 'file' line`);
  return draft;
}

/** What instances and groups may track. */
export interface TrackingDraft {
  trackScripts: Tracking[];
  trackInterfaces: Tracking[];
  trackProcesses: Tracking[];
  trackFiles: Tracking[];
}

function tracks(pick: (draft: TrackingDraft) => Tracking[], max: number): Row<TrackingDraft> {
  return { args: [0, 0], block: true, read: (line, draft) => { for (const entry of listed(line)) pick(draft).push(readTracking(entry, max)); } };
}

/** `NAME [weight N [reverse|noreverse]]`. */
function readTracking(line: Line, max: number): Tracking {
  const [word, number, direction] = line.args;
  if (word !== undefined && word !== 'weight') line.error(word, `unexpected '${word}' after '${line.keyword}'`, 'only weight N may follow');
  const weight = word === 'weight' ? line.whole(number ?? '', -max, max, 0) : undefined;
  if (direction !== undefined && !['reverse', 'noreverse', 'no_reverse'].includes(direction)) line.error(direction, `unexpected '${direction}' after the weight`, 'reverse or noreverse');
  return { name: line.keyword, place: line.place, weight, weightReverse: direction === 'reverse' };
}

export const trackingRows: Rows<TrackingDraft> = {
  track_script: tracks((draft) => draft.trackScripts, weightMax),
  track_interface: tracks((draft) => draft.trackInterfaces, weightMax),
  track_process: tracks((draft) => draft.trackProcesses, fileWeightMax),
  track_file: tracks((draft) => draft.trackFiles, fileWeightMax),
  track_bfd: { args: [0, 0], block: true, unsupported: 'BFD is not spoken here; track a script or an interface instead' },
};
