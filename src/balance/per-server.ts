/**
 * Values of a backend's servers, by index in Model.servers. Used wherever balance/ asks something of a server on the hot path. A
 * backend's servers stand together in the Model, so the array starts at its first one: with ten thousand backends, arrays that start at
 * 0 take gigabytes. Gives undefined for servers of other backends.
 */
export class PerServer<T> {
  private readonly first: number;
  private readonly values: (T | undefined)[];

  constructor(servers: readonly number[]) {
    let first = Infinity;
    let last = -1;
    for (const server of servers) {
      if (server < first) first = server;
      if (server > last) last = server;
    }
    this.first = last < 0 ? 0 : first;
    this.values = Array.from({ length: last < 0 ? 0 : last - first + 1 }, () => undefined);
  }

  get(server: number): T | undefined {
    const at = server - this.first;
    return at < 0 ? undefined : this.values[at];
  }

  /** `server` is one of those given to the constructor. */
  set(server: number, value: T): void {
    this.values[server - this.first] = value;
  }
}
