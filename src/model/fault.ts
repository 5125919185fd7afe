/**
 * What ends a request, a connection or a check otherwise than well. One table gives the side, the log's termination letters
 * and the status, so that log, counters and the answer to the client never disagree.
 * Letters: configuration manual 8.5. First letter cause, second letter state.
 */
type Cause = '-' | 'C' | 'S' | 'P' | 'L' | 'R' | 'I' | 'D' | 'U' | 'K' | 'c' | 's';
type Stage = '-' | 'R' | 'Q' | 'C' | 'H' | 'D' | 'L' | 'T';

export interface Fault {
  readonly name: string;
  readonly side: 'client' | 'server' | 'proxy';
  readonly cause: Cause;
  readonly stage: Stage;
  /** Status sent when no answer has started; 0 sends nothing. */
  readonly status: number;
  /** True when nothing of the request can have been acted on: a retry is safe. */
  readonly retrySafe: boolean;
  /** In plain words, for logs and `explain`. */
  readonly why: string;
}

function fault(name: string, side: Fault['side'], letters: string, status: number, retrySafe: boolean, why: string): Fault {
  return { name, side, cause: letters[0] as Cause, stage: letters[1] as Stage, status, retrySafe, why };
}

export const faults = {
  clientAbortHead: fault('clientAbortHead', 'client', 'CR', 400, false, 'client closed before it sent a whole request'),
  clientTimeoutHead: fault('clientTimeoutHead', 'client', 'cR', 408, false, 'client did not send a whole request in time'),
  badRequest: fault('badRequest', 'proxy', 'PR', 400, false, 'request is malformed or could be read two ways'),
  headTooLarge: fault('headTooLarge', 'proxy', 'PR', 400, false, 'request head exceeds the limit'),
  rejectedContent: fault('rejectedContent', 'proxy', 'PR', 0, false, 'rejected by a tcp-request content rule'),
  responseRejected: fault('responseRejected', 'proxy', 'PD', 0, false, 'rejected by a tcp-response content rule'),
  clientAbortContent: fault('clientAbortContent', 'client', 'CR', 0, false, 'client closed during content inspection'),
  denied: fault('denied', 'proxy', 'PR', 403, false, 'denied by a rule'),
  tarpit: fault('tarpit', 'proxy', 'PT', 500, false, 'tarpitted by a rule'),
  clientAbortQueue: fault('clientAbortQueue', 'client', 'CQ', 0, false, 'client closed while it waited in the queue'),
  queueTimeout: fault('queueTimeout', 'server', 'sQ', 503, true, 'no server slot was free within timeout queue'),
  queueFull: fault('queueFull', 'server', 'SQ', 503, true, 'queue of the server is full'),
  noServer: fault('noServer', 'server', 'SC', 503, true, 'no server is available'),
  connectRefused: fault('connectRefused', 'server', 'SC', 503, true, 'server refused the connection'),
  connectTimeout: fault('connectTimeout', 'server', 'sC', 503, true, 'server did not accept the connection in time'),
  clientAbortConnect: fault('clientAbortConnect', 'client', 'CC', 0, false, 'client closed while the server was being connected'),
  resources: fault('resources', 'proxy', 'RC', 503, true, 'no socket, port or memory was left'),
  serverAbortHead: fault('serverAbortHead', 'server', 'SH', 502, false, 'server closed before it sent a whole answer head'),
  serverTimeoutHead: fault('serverTimeoutHead', 'server', 'sH', 504, false, 'server did not answer in time'),
  badResponse: fault('badResponse', 'proxy', 'PH', 502, false, 'answer of the server is malformed'),
  responseDenied: fault('responseDenied', 'proxy', 'PH', 502, false, 'answer blocked by a rule'),
  clientAbortHeadWait: fault('clientAbortHeadWait', 'client', 'CH', 0, false, 'client closed while the server was preparing its answer'),
  clientTimeoutBody: fault('clientTimeoutBody', 'client', 'cH', 408, false, 'client stopped sending its request body'),
  clientAbortData: fault('clientAbortData', 'client', 'CD', 0, false, 'client closed during the transfer'),
  clientTimeoutData: fault('clientTimeoutData', 'client', 'cD', 0, false, 'client neither sent nor read in time'),
  clientAbortLast: fault('clientAbortLast', 'client', 'CL', 0, false, 'client closed while it was sent the last data'),
  clientTimeoutLast: fault('clientTimeoutLast', 'client', 'cL', 0, false, 'client did not read the last data in time'),
  serverAbortData: fault('serverAbortData', 'server', 'SD', 0, false, 'server closed during the transfer'),
  serverTimeoutData: fault('serverTimeoutData', 'server', 'sD', 0, false, 'server neither sent nor read in time'),
  badResponseData: fault('badResponseData', 'server', 'SD', 0, false, 'answer body is malformed'),
  badRequestBody: fault('badRequestBody', 'proxy', 'PH', 400, false, 'request body is malformed'),
  badRequestData: fault('badRequestData', 'proxy', 'PD', 0, false, 'request body is malformed, and the answer had begun'),
  serverKilled: fault('serverKilled', 'proxy', 'DD', 0, false, 'session was ended because the server was marked down'),
  adminKilled: fault('adminKilled', 'proxy', 'KD', 0, false, 'session was ended by an administrator'),
  backupKilled: fault('backupKilled', 'proxy', 'UD', 0, false, 'session on a backup server was ended because an active server came up'),
  internal: fault('internal', 'proxy', 'IH', 500, false, 'internal error'),
  local: fault('local', 'proxy', 'LR', 0, false, 'answered by the proxy itself'),
} as const;
