/** The objects whose figures are kept, with the names that they have in the file. Used by saved-state.ts and stats-file.ts. */
import type { Model } from '../../model/model.ts';
import type { Segments } from '../../shared/segments.ts';

export interface KeptObject {
  readonly name: string;
  readonly kind: 'frontend' | 'backend' | 'listener' | 'server';
  /** As shared/segments.ts numbers it. */
  readonly object: number;
  /** Index in Model.servers, Model.binds, or else Model.proxies. */
  readonly index: number;
}

export function keptObjects(model: Model, segments: Segments): KeptObject[] {
  const found: KeptObject[] = [];
  for (const { binds, index: proxy, isBackend, isFrontend, name, servers } of model.proxies) {
    if (isFrontend) found.push({ name: `frontend ${name}`, kind: 'frontend', object: segments.frontendObject(proxy), index: proxy });
    if (isBackend) found.push({ name: `backend ${name}`, kind: 'backend', object: segments.backendObject(proxy), index: proxy });
    for (const index of binds) found.push({ name: `listener ${name} ${model.binds[index]?.text ?? index}`, kind: 'listener', object: segments.listenerObject(index), index });
    for (const index of servers) found.push({ name: `server ${name}/${model.servers[index]?.name ?? index}`, kind: 'server', object: segments.serverObject(index), index });
  }
  return found;
}
