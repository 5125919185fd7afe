/**
 * `poise check --probe`: asks the servers of a configuration and tells what does not fit together, with the lines of the file. Called by
 * check.ts. Starts no balancer; what is concluded is what the running balancer concludes too.
 */
import { systemClock } from '../base/clock.ts';
import { Events } from '../control/events.ts';
import { AdviceList } from '../control/watch/advice-list.ts';
import { addressOf, probeServers } from '../control/watch/probe-once.ts';
import { ProbeWatch } from '../control/watch/probe-watch.ts';
import type { Probe } from '../control/watch/probe-once.ts';
import type { Model } from '../model/model.ts';
import type { Place, Problem } from '../model/problem.ts';

/** Of an answer that is shown. */
const healthcheckLengthMax = 100;

/** What one server said. */
export interface ProbeRow {
  readonly file: string;
  readonly line: number;
  /** `backend/server` */
  readonly server: string;
  readonly address: string;
  /** SHA-256, '' = none was seen. */
  readonly fingerprint: string;
  /** The answer to healthcheck.htm, '' = not asked or not answered. */
  readonly healthcheck: string;
  readonly trouble: string;
}

export async function probe(model: Model): Promise<{ readonly rows: readonly ProbeRow[]; readonly problems: readonly Problem[] }> {
  const probes = await probeServers(model);
  const advice = new AdviceList(systemClock, new Events());
  const watch = new ProbeWatch(model, advice, (server) => placeOf(model, server));
  for (const { server, sighting } of probes) if (sighting.fingerprint !== '') watch.certificateSeen(server.index, sighting.fingerprint);
  // A service counts as down alone when others pass after it has failed.
  for (const one of probes.toSorted((left, right) => Number(left.trouble === '') - Number(right.trouble === ''))) watch.checked(one.server.index, one.trouble === '', one.sighting);
  const rows = probes.map((one) => rowOf(one, model));
  return {
    rows,
    problems: [
      ...probes.flatMap(({ server, address, trouble }, at) => (trouble === '' ? [] : warning(server.place, `server ${rows[at]?.server ?? server.name} (${address}): ${trouble}`))),
      ...advice.entries().filter((entry) => entry.active).map((entry) =>
        warning(model.servers[entry.server]?.place ?? model.proxies[entry.proxy]?.place ?? { file: '', line: 0 }, entry.text.replace(/\.$/, ''))),
    ],
  };
}

/** One line for each TLS bind and each server. */
export function probeText(model: Model, rows: readonly ProbeRow[]): string {
  const binds = model.binds.flatMap(({ tls, text, place }) => (tls === null ? [] : [
    `[${place.file}:${place.line}] bind ${text}: certificate ${tls.certificates.map(({ certificate }) => model.certificates[certificate]?.fingerprint ?? '').join(', ')}`,
  ]));
  const servers = rows.map(({ file, line, server, address, fingerprint, healthcheck, trouble }) =>
    `[${file}:${line}] server ${server} (${address}): certificate ${fingerprint === '' ? 'not seen' : fingerprint}${healthcheck === '' ? '' : `, healthcheck.htm says ${JSON.stringify(healthcheck)}`}${trouble === '' ? '' : `, ${trouble}`}`);
  return [...binds, ...servers].join('\n');
}

function rowOf({ server, address, sighting, trouble }: Probe, model: Model): ProbeRow {
  const healthcheck = sighting.answer()?.body.trim().slice(0, healthcheckLengthMax) ?? '';
  return { file: server.place.file, line: server.place.line, server: `${model.proxies[server.proxy]?.name ?? ''}/${server.name}`, address, fingerprint: sighting.fingerprint, healthcheck, trouble };
}

function placeOf(model: Model, index: number): { readonly host: string; readonly port: number } {
  const server = model.servers[index];
  return server === undefined ? { host: '', port: 0 } : addressOf(server);
}

function warning(place: Place, message: string): Problem {
  return { severity: 'warning', place, word: '', message, remedy: '' };
}
