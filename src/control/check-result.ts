/**
 * What a health check found, and what is kept of it for reports. Made by health/, stored by server-states.ts.
 */
import type { CheckStatus } from '../model/server-state.ts';

export interface CheckResult {
  /** `conditional`: passed, but the server wants no new traffic (disable-on-404). */
  readonly outcome: 'passed' | 'conditional' | 'failed';
  readonly status: CheckStatus;
  /** Status code of the protocol; printed only for layer 7 results. */
  readonly code: number;
  /** -1: not measured. */
  readonly durationMs: number;
  /** Cause in words, '' = none: `Connection refused`. */
  readonly description: string;
}

/** Last result of a server's check. One per server, mutable, owned by ServerStates. */
export interface CheckInfo {
  /** INI before the first result. */
  status: CheckStatus;
  code: number;
  durationMs: number;
  /** Column last_chk. */
  description: string;
  /** Date.now() when the last check ended, 0 = never. */
  endedAtMs: number;
  /** As `show servers state` numbers it: 0 unknown, 2 failed, 3 passed, 4 conditionally passed. */
  result: 0 | 2 | 3 | 4;
  /** Checks are configured for this server. */
  readonly configured: boolean;
  /** False after `disable health`, and for servers without `check`. */
  enabled: boolean;
  /** True in maintenance: no checks until it ends. */
  paused: boolean;
  /** A check is under way. */
  running: boolean;
  /** Where checks go by command (`set server … check-addr`); '' and 0 = as the configuration says. */
  host: string;
  port: number;
  /** Times that `observe` reached its error limit (column hanafail). */
  observedErrors: number;
}

/** Results that carry a protocol code (L7OK and worse). */
export function hasCode(status: CheckStatus): boolean {
  return status === 'L7OK' || status === 'L7OKC' || status === 'L7STS' || status === 'PROCOK' || status === 'PROCERR';
}
