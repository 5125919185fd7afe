/** notify_*, notify and smtp_alert, which instances and sync groups share. Called by instance.ts and group.ts. */
import type { Notifications } from '../../model/keepalived.ts';
import type { Rows } from './line.ts';

export interface NotifyDraft { notify: { -readonly [K in keyof Notifications]: Notifications[K] } & { smtpAlertSaid: boolean } }

export function emptyNotify(): NotifyDraft['notify'] {
  return { master: undefined, backup: undefined, fault: undefined, stop: undefined, any: undefined, masterHeardLower: undefined, priorityChanges: false, smtpAlert: false, smtpAlertSaid: false };
}

/** The draft as the Model has it: an instance that says nothing of smtp_alert follows the global word. */
export function notifications({ smtpAlertSaid, ...notify }: NotifyDraft['notify'], smtpAlertDefault: boolean): Notifications {
  return { ...notify, smtpAlert: smtpAlertSaid ? notify.smtpAlert : smtpAlertDefault };
}

export const notifyRows: Rows<NotifyDraft> = {
  notify_master: { args: [1, 3], read: (line, draft) => { draft.notify.master = line.notifyCommand(); } },
  notify_backup: { args: [1, 3], read: (line, draft) => { draft.notify.backup = line.notifyCommand(); } },
  notify_fault: { args: [1, 3], read: (line, draft) => { draft.notify.fault = line.notifyCommand(); } },
  notify_stop: { args: [1, 3], read: (line, draft) => { draft.notify.stop = line.notifyCommand(); } },
  notify_deleted: { args: [0, 3], ignored: 'instances are not deleted while it runs' },
  notify: { args: [1, 3], read: (line, draft) => { draft.notify.any = line.notifyCommand(); } },
  notify_master_rx_lower_pri: { args: [1, 3], read: (line, draft) => { draft.notify.masterHeardLower = line.notifyCommand(); } },
  notify_priority_changes: { args: [0, 1], read: (line, draft) => { draft.notify.priorityChanges = line.flag(); } },
  smtp_alert: { args: [0, 1], read: (line, draft) => { [draft.notify.smtpAlert, draft.notify.smtpAlertSaid] = [line.flag(), true]; } },
};
