/**
 * Fields of a server's shared state: one Int32 array per server, written only by the control thread (through the one door in
 * control/server-states.ts), read by every traffic thread. A backend's `epoch` grows after every change of one of its
 * servers; a picker whose epoch is older rebuilds itself before it picks.
 */
const serverStateFields = [
  /** Operating state, see `op`. */
  'op',
  /** Administrative flags, see `admin`. */
  'admin',
  /** Weight set by the user (0..256), and now in force after slow start and drain: effective × 1. */
  'uweight', 'eweight', 'iweight',
  /** Health counter 0..rise+fall-1 as HAProxy keeps it, and result of the last check (index into checkStatuses). */
  'health', 'check_status', 'check_code', 'check_duration_ms', 'check_running',
  'chkfail', 'chkdown',
  /** Unix seconds of the last state change; total down time in seconds before it. */
  'lastchg_s', 'downtime_s',
  /** Address in force may be changed at run time: version counts up when it does. */
  'addr_version',
  /** Percent of slow start reached, 100 = done. */
  'throttle',
  /** Maximum connections now in force (0 = no limit). */
  'maxconn',
  /** 1 while the process waits for the first check result. */
  'starting',
  /** Weight in force × 16, as balancing uses it: slow start moves in steps finer than one. */
  'lbweight',
] as const;
type ServerStateField = (typeof serverStateFields)[number];
export const S: Readonly<Record<ServerStateField, number>> = Object.freeze(
  Object.fromEntries(serverStateFields.map((name, index) => [name, index])) as Record<ServerStateField, number>,
);
export const serverStateFieldCount = serverStateFields.length;

/** Operating states, numbers as in `show servers state`. */
export const op = { stopped: 0, starting: 1, running: 2, stopping: 3 } as const;

/** Administrative flags, numbers as in `show servers state`. */
export const admin = {
  forcedMaint: 0x01, inheritedMaint: 0x02, configMaint: 0x04, forcedDrain: 0x08, inheritedDrain: 0x10, resolutionMaint: 0x20, helperMaint: 0x40,
  /** configMaint and helperMaint only tell where a state came from: `enable server` leaves them set. */
  anyMaint: 0x23, anyDrain: 0x18,
} as const;

/** Check results in HAProxy's order and words (management manual 9.1, column check_status). */
export const checkStatuses = [
  'UNK', 'INI', 'SOCKERR', 'L4OK', 'L4TOUT', 'L4CON', 'L6OK', 'L6TOUT', 'L6RSP', 'L7OK', 'L7OKC', 'L7TOUT', 'L7RSP', 'L7STS', 'PROCERR', 'PROCTOUT', 'PROCOK', 'HANA',
] as const;
export type CheckStatus = (typeof checkStatuses)[number];

/** HAProxy's numbers of check results (column srv_check_status). */
export const checkStatusNumbers: Readonly<Record<CheckStatus, number>> = {
  UNK: 0, INI: 1, HANA: 4, SOCKERR: 5, L4OK: 6, L4TOUT: 7, L4CON: 8, L6OK: 9, L6TOUT: 10, L6RSP: 11, L7TOUT: 12, L7RSP: 13,
  L7OK: 15, L7OKC: 16, L7STS: 17, PROCERR: 18, PROCTOUT: 19, PROCOK: 20,
};
/** Flags of the column srv_check_state. */
export const checkFlags = { configured: 2, enabled: 4, paused: 8 } as const;

/** Long forms, as health-check log lines spell them. */
export const checkStatusTexts: Readonly<Record<CheckStatus, string>> = {
  UNK: 'Unknown', INI: 'Initializing', SOCKERR: 'Socket error', L4OK: 'Layer4 check passed', L4TOUT: 'Layer4 timeout',
  L4CON: 'Layer4 connection problem', L6OK: 'Layer6 check passed', L6TOUT: 'Layer6 timeout', L6RSP: 'Layer6 invalid response',
  L7OK: 'Layer7 check passed', L7OKC: 'Layer7 check conditionally passed', L7TOUT: 'Layer7 timeout', L7RSP: 'Layer7 invalid response',
  L7STS: 'Layer7 wrong status', PROCERR: 'External check error', PROCTOUT: 'External check timeout', PROCOK: 'External check passed',
  HANA: 'Health analyze',
};

/** Fields of a backend's shared state, one Int32 array per backend, written by the control thread only. */
const backendStateFields = ['epoch', 'active', 'backup', 'weight', 'up', 'lastchg_s', 'downtime_s', 'chkdown', 'frontend_stopped'] as const;
type BackendStateField = (typeof backendStateFields)[number];
export const B: Readonly<Record<BackendStateField, number>> = Object.freeze(
  Object.fromEntries(backendStateFields.map((name, index) => [name, index])) as Record<BackendStateField, number>,
);
export const backendStateFieldCount = backendStateFields.length;
