/**
 * Says so while a backend of the line `last-resort` sends requests to servers that are all down. The sending itself is balance/balancer.ts's;
 * the states stay what the checks found. Listens to the events of server states; started by process/control-plan.ts.
 */
import type { Model } from '../../model/model.ts';
import type { Events } from '../events.ts';
import type { AdviceList } from './advice-list.ts';

/** Gives what ends it. */
export function watchLastResorts(model: Model, events: Events, advice: AdviceList, isStopped: (server: number) => boolean): () => void {
  const { lastResort } = model.poise;
  const look = (index: number): void => {
    const proxy = model.proxies[index];
    if (proxy === undefined) return;
    if (!proxy.servers.every(isStopped)) {
      advice.clear('last-resort', proxy.name);
      return;
    }
    advice.raise({
      code: 'last-resort', severity: 'warning', proxy: index, server: -1, subject: proxy.name,
      text: `Backend ${proxy.name}: every probe fails. Requests go to all of its ${proxy.servers.length} servers all the same, because the poise section names it under last-resort. Look whether the probe is at fault or the service.`,
    });
  };
  if (lastResort.length === 0) return () => undefined;
  // A reload may find them as they were.
  for (const index of lastResort) look(index);
  return events.listen((event) => {
    if (event.kind !== 'advice' && lastResort.includes(event.proxy)) look(event.proxy);
  });
}
