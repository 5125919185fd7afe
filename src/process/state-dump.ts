/**
 * The lines that HAProxy writes on SIGHUP (state of every proxy and server) and when its proxies stop. Used by
 * process/balancer.ts. Reads shared memory, changes nothing.
 */
import { C, G } from '../model/counters.ts';
import type { CounterField } from '../model/counters.ts';
import type { Model, Proxy } from '../model/model.ts';
import { B, S, op } from '../model/server-state.ts';
import type { Segments } from '../shared/segments.ts';

function total(segments: Segments, object: number, field: CounterField): number {
  let sum = 0;
  for (let thread = 0; thread <= segments.threads; thread += 1) sum += segments.counters(object, thread)[C[field]] ?? 0;
  return sum;
}

function gauge(segments: Segments, object: number, field: number): number {
  return Atomics.load(segments.gauges(object), field);
}

/** `act(FE+BE): 0+0, 0 pend (0 unass), tot(FE+BE): 0+0` */
function connections(proxy: Proxy, segments: Segments): string {
  const front = segments.frontendObject(proxy.index);
  const back = segments.backendObject(proxy.index);
  const unassigned = gauge(segments, back, G.qcur);
  const pending = proxy.servers.reduce((sum, server) => sum + gauge(segments, segments.serverObject(server), G.qcur), unassigned);
  return `act(FE+BE): ${gauge(segments, front, G.scur)}+${gauge(segments, back, G.scur)}, ${pending} pend (${unassigned} unass), ` +
    `tot(FE+BE): ${total(segments, front, 'conn_tot')}+${total(segments, back, 'stot')}`;
}

/** One line per server and one for the proxy. */
export function stateLines(proxy: Proxy, model: Model, segments: Segments): string[] {
  const lines: string[] = [];
  for (const index of proxy.servers) {
    const server = model.servers[index];
    if (server === undefined) continue;
    const object = segments.serverObject(index);
    const state = Atomics.load(segments.serverState(index), S.op) === op.stopped ? 'DOWN' : 'UP';
    lines.push(`SIGHUP: Server ${proxy.name}/${server.name} is ${state}. Conn: ${gauge(segments, object, G.scur)} act, ` +
      `${gauge(segments, object, G.qcur)} pend, ${total(segments, object, 'stot')} tot.`);
  }
  const backend = segments.backendState(proxy.index);
  const active = Atomics.load(backend, B.active);
  const backup = Atomics.load(backend, B.backup);
  let what = `has ${active} active servers and ${backup} backup servers available.`;
  if (proxy.servers.length === 0) what = 'has no servers.';
  else if (active === 0) what = backup > 0 ? 'is running on backup servers !' : 'has no server available !';
  lines.push(`SIGHUP: Proxy ${proxy.name} ${what} Conn: ${connections(proxy, segments)}.`);
  return lines;
}

export function stoppedLine(proxy: Proxy, segments: Segments): string {
  const front = total(segments, segments.frontendObject(proxy.index), 'conn_tot');
  const back = total(segments, segments.backendObject(proxy.index), 'stot');
  return `Proxy ${proxy.name} stopped (cumulated conns: FE: ${front}, BE: ${back}).`;
}
