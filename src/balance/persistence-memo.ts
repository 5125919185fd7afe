/** What one exchange remembers between the choice of its server and its answer. Embedded in the exchange, reset between requests. */
import type { SampleValue } from '../rules/subject.ts';

/** A stick table entry to be written once the server is known. */
interface PendingStore {
  readonly table: number;
  readonly key: SampleValue;
}

export class PersistenceMemo {
  /** Server that choose() gave, -1 = none. */
  server = -1;
  /** The server is down and used nevertheless (force-persist, option persist): no redispatch with force-persist. */
  forced = false;
  /** ignore-persist applies: no cookie is read or set, no table used. */
  ignored = false;
  /** Third log letter of the termination state. */
  cookieLetter = 'N';
  /** Dates of the cookie, Unix seconds, 0 = none. */
  firstSeenSeconds = 0;
  lastSeenSeconds = 0;
  /** Made on first use. */
  stores: PendingStore[] | null = null;

  reset(): void {
    this.server = -1;
    this.forced = false;
    this.ignored = false;
    this.cookieLetter = 'N';
    this.firstSeenSeconds = 0;
    this.lastSeenSeconds = 0;
    this.stores = null;
  }
}
