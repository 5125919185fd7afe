/** vrrp_sync_group. Called by load.ts. */
import type { VrrpSyncGroup } from '../../model/keepalived.ts';
import { type Line, listed, readBlock, type Rows } from './line.ts';
import { emptyNotify, notifications, type NotifyDraft, notifyRows } from './notify.ts';
import { type TrackingDraft, trackingRows } from './tracking.ts';

interface GroupDraft extends NotifyDraft, TrackingDraft { instances: string[]; ownWeights: boolean }

export const groupRows: Rows<GroupDraft> = {
  ...notifyRows as Rows<GroupDraft>,
  ...trackingRows as Rows<GroupDraft>,
  group: { args: [0, 0], block: true, read: (line, draft) => { draft.instances = listed(line).flatMap((entry) => entry.statement.words); } },
  sync_group_tracking_weight: { args: [0, 0], read: (_line, draft) => { draft.ownWeights = true; } },
  global_tracking: { args: [0, 0], ignored: 'tracking of a group counts for all its instances' },
};

export function readGroup(line: Line, smtpAlertDefault: boolean): VrrpSyncGroup {
  const draft: GroupDraft = { notify: emptyNotify(), trackScripts: [], trackInterfaces: [], trackProcesses: [], trackFiles: [], instances: [], ownWeights: false };
  readBlock(line.statement.block ?? [], groupRows, draft, `vrrp_sync_group ${line.first}`, line.problems);
  const { notify, ...rest } = draft;
  return { ...rest, name: line.first, place: line.place, notify: notifications(notify, smtpAlertDefault) };
}
