/**
 * The control thread's HTTP server (statistics pages, prometheus-exporter) as one more server, for Dispatch.startInternal().
 * Appears in no backend and no report.
 */
import type { Server } from '../../model/model.ts';
import { serverStateFieldCount } from '../../model/server-state.ts';
import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { Compiler } from '../../rules/compile.ts';
import { ServerPlan } from '../plan.ts';
import { Tally } from '../tally.ts';

export function internalServer(socketPath: string, compiler: Compiler, wheel: TimerWheel): ServerPlan {
  const server: Server = {
    index: -1, sid: 0, guid: '', name: '<STATS>', proxy: -1, place: { file: '', line: 0 }, address: { kind: 'unix', path: socketPath, abstract: false },
    portMode: 'fixed', portOffset: 0, weight: 1, backup: false, disabled: false, cookie: '', maxconn: 0, minconn: 0, maxqueue: 0, slowstartMs: 0,
    sendProxy: 'none', proxyV2Options: [], checkSendProxy: false, source: null, tls: null, check: null, track: -1, observe: 'none', errorLimit: 10,
    onError: 'fail-check', onMarkedDown: 'none', onMarkedUp: 'none', redirectPrefix: '', poolMaxConn: 0, poolPurgeDelayMs: 0, poolLowConn: 0, maxReuse: -1,
    initAddr: [], initState: 'none', resolvers: '', resolvePrefer: 'ipv6', nonStick: true, tcpUserTimeoutMs: 0,
  };
  return new ServerPlan(server, -1, compiler, Tally.uncounted(), new Int32Array(serverStateFieldCount), wheel);
}
