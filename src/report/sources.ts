/**
 * What a report needs beside the Model and the shared memory: facts that only the control thread has. process/ builds it once
 * (through admin/context.ts); tests pass a fake. Read only: nothing here changes state.
 */
import type { Counting } from '../control/counting.ts';
import type { ProcessRates } from '../control/sampler.ts';
import type { ServerStates } from '../control/server-states.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';

export type FrontendState = 'OPEN' | 'PAUSED' | 'STOP';

/** The reading side of the door to server states. */
export type ServerReports = Pick<ServerStates, 'statusText' | 'checkInfo' | 'address' | 'downtimeSeconds' | 'backendDowntimeSeconds'>;

export interface ReportSources {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly startedAtMs: number;
  readonly pid: number;
  /** `node` of the configuration, else the host name. */
  readonly nodeName: string;
  readonly frontendState: (proxy: number) => FrontendState;
  /** Limits in force: `set maxconn`, `set rate-limit` change them. */
  readonly frontendMaxconn: (proxy: number) => number;
  readonly processLimits: ProcessLimits;
  readonly servers: ServerReports;
  readonly counting: Pick<Counting, 'lasts' | 'sinceMs' | 'base'>;
  readonly rates: ProcessRates;
  /** Limit of file descriptors of the process. */
  readonly descriptorsMax: number;
  readonly bootMs: number;
  readonly warnings: () => number;
  readonly stopping: () => boolean;
  readonly patternsAdded: () => number;
  readonly patternsFreed: () => number;
  /** What the master process has told of the VRRP instances. */
  readonly virtualAddresses: () => readonly InstanceStatus[];
}

export interface ProcessLimits {
  maxconn: number;
  readonly hardMaxconn: number;
  connRate: number;
  sessRate: number;
  sslRate: number;
}
