/** W3 (a TLS connection per request) and W5 (a clear or tunnelled connection per request). */
import { exchangeShape, servicePaths } from '../configurations/exchange.ts';
import { ports } from '../configurations/shape.ts';
import { durations } from '../durations.ts';
import { handshakes, openLoop } from '../load/timed.ts';
import type { Measured, Row } from '../row.ts';
import { ratioMax } from '../targets.ts';
import { smallRequests } from './keep-alive.ts';
import { compileSeconds, cpuPerUnit, latencyOf, loadSeconds, type Cell, type Context, type Workload } from './workload.ts';

const atOnce = 8;
const handshakesPerSecond = 100;
const connectionsPerSecond = 300;

interface Kind { readonly name: string; readonly port: number; readonly resumed: boolean; readonly target: number }
const kinds: readonly Kind[] = [
  { name: 'full handshakes, P-256', port: ports.tls, resumed: false, target: ratioMax['W3 full'] },
  { name: 'full handshakes, RSA-2048', port: ports.rsa, resumed: false, target: ratioMax['W3 full'] },
  { name: 'resumed handshakes, P-256', port: ports.tls, resumed: true, target: ratioMax['W3 resumed'] },
];

async function shakeHands(context: Context, kind: Kind): Promise<Measured> {
  const target = { host: context.stage.site.address, port: kind.port, resumed: kind.resumed, connections: atOnce };
  const { handshakeWarmSeconds, handshakeSeconds: seconds, rateSeconds } = durations[context.size];
  await handshakes({ ...target, seconds: handshakeWarmSeconds + (kind === kinds[0] ? compileSeconds(context.size, context.subject) : 0), ratePerSecond: 0 });
  // The connection that fetches the first session is one answer that is not counted as a unit; its cost is below the spread.
  const cost = await cpuPerUnit(context, async () => {
    const done = await handshakes({ ...target, seconds, ratePerSecond: 0 });
    return { answers: done.answered, underWayMax: 1, units: done.answered, seconds };
  });
  if (context.size === 'quick' || kind !== kinds[0]) return cost;
  return { ...cost, ...latencyOf(await handshakes({ ...target, seconds: rateSeconds, ratePerSecond: handshakesPerSecond }), handshakesPerSecond) };
}

const handshakeRow = (kind: Kind): Row => ({ workload: 'W3', name: kind.name, kind: 'cpu', unit: 'connection', target: kind.target, headline: !kind.resumed });

const handshakeCell: Cell = {
  rows: kinds.map(handshakeRow),
  shape: (site) => exchangeShape(site, { bridged: false }),
  seconds: (size, subject) => {
    const { handshakeWarmSeconds, handshakeSeconds, rateSeconds } = durations[size];
    return compileSeconds(size, subject) + kinds.length * loadSeconds(handshakeWarmSeconds, handshakeSeconds) + (size === 'quick' ? 0 : loadSeconds(rateSeconds));
  },
  measure: async (context) => {
    const rows = new Map<string, Measured>();
    for (const kind of kinds) rows.set(kind.name, await shakeHands(context, kind));
    return rows;
  },
};

export const newTls: Workload = {
  name: 'W3', what: 'a TLS 1.3 connection per request (X25519), clear towards the servers', peers: ['nginx'], rounds: { quick: 2, full: 5, dry: 1 }, roundsOfOthers: 1,
  cells: [handshakeCell],
};

const clearName = 'connection per request, clear';
const tcpName = 'connection per request, mode tcp';

const connectionCell: Cell = {
  rows: [clearName, tcpName].map((name) => ({ workload: 'W5', name, kind: 'cpu', unit: 'connection', target: ratioMax.W5, headline: true })),
  shape: (site) => exchangeShape(site, { bridged: false }),
  seconds: (size, subject) => {
    const { warmSeconds, connectionSeconds, rateSeconds } = durations[size];
    return 2 * compileSeconds(size, subject) + 2 * loadSeconds(warmSeconds, connectionSeconds, rateSeconds);
  },
  measure: async (context) => {
    const { warmSeconds, connectionSeconds, rateSeconds } = durations[context.size];
    const rows = new Map<string, Measured>();
    for (const [name, port] of [[clearName, ports.clear], [tcpName, ports.tcp]] as const) {
      await smallRequests(context, { tls: false, seconds: warmSeconds + compileSeconds(context.size, context.subject), close: true, port });
      const cost = await cpuPerUnit(context, () => smallRequests(context, { tls: false, seconds: connectionSeconds, close: true, port }));
      const timed = await openLoop({ host: context.stage.site.address, port, tls: false, seconds: rateSeconds, connections: 0, ratePerSecond: connectionsPerSecond, keepAlive: false, paths: servicePaths });
      rows.set(name, { ...cost, ...latencyOf(timed, connectionsPerSecond) });
    }
    return rows;
  },
};

export const newClear: Workload = {
  name: 'W5', what: 'a connection per request, clear, mode http and mode tcp', peers: [], rounds: { quick: 1, full: 5, dry: 1 }, roundsOfOthers: 1, cells: [connectionCell],
};
