/**
 * Picks a server for a request by the backend's `balance` algorithm. One BackendBalancer per backend and traffic thread, used by
 * traffic/dispatch. It rebuilds its fast picker when the backend's epoch in shared memory has moved, and then picks without
 * allocating. Never returns a server that may not take traffic; never changes server state.
 */
import type { Model, Proxy } from '../model/model.ts';
import type { Compiler } from '../rules/compile.ts';
import type { Subject } from '../rules/subject.ts';
import type { Segments } from '../shared/segments.ts';

export class BackendBalancer {
  constructor(proxy: Proxy, model: Model, segments: Segments, compiler: Compiler) {
    void proxy; void model; void segments; void compiler;
  }

  /**
   * Index in Model.servers, or -1. `avoid`: server to skip when another one is usable (redispatch), -1 = none.
   * -1 with hasUsable() true means: every server that could take it is full, wait in the backend's queue.
   */
  pick(subject: Subject, avoid: number): number {
    void subject; void avoid;
    return -1;
  }

  /** True when the server may take new balanced requests now (up, no maintenance or drain, weight above 0). */
  usable(server: number): boolean {
    void server;
    return false;
  }

  /** True when at least one server, backups included, may take new requests. */
  hasUsable(): boolean {
    return false;
  }
}
