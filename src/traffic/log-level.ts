/** Syslog levels of log lines. Used by the rooms that log. */
const levels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** Number of the level a line is sent at: set-log-level's, else info, or err for failures with `option log-separate-errors`. */
export function levelOf(name: string, separateError: boolean): number {
  const set = levels.indexOf(name);
  if (set >= 0) return set;
  return levels.indexOf(separateError ? 'err' : 'info');
}
