/**
 * What Poise has noticed while it runs and an administrator should know: one entry per trouble and place, with words that say
 * what to do. Kept by control/watch, shown by admin/. Plain data.
 */
export type AdviceCode =
  /** The certificate of a bind is not the one of a server behind it. */
  | 'certificate-of-bind'
  /** Servers of one backend have different certificates. */
  | 'certificates-of-servers'
  /** healthcheck.htm was answered by a server of another name. */
  | 'other-server'
  /** Two servers of a backend answer with the same name. */
  | 'same-server-twice'
  /** healthcheck.htm is answered with 200 and nothing in it. */
  | 'empty-healthcheck'
  /** Every server of a `last-resort` backend is down: requests go to all of them. */
  | 'last-resort'
  /** All probes of a service fail on servers whose other services pass. */
  | 'service-down'
  /** A client is refused with 401 again and again. */
  | 'login-refused'
  /** A client that has logged in on OWA's form is sent back to it again and again. */
  | 'owa-login-loop'
  /** Requests fall to the default backend because a path rule does not ignore case. */
  | 'rule-misses-case';

export interface Advice {
  readonly code: AdviceCode;
  readonly severity: 'warning' | 'advice';
  /** Index into Model.proxies: whose log targets hear of it. */
  readonly proxy: number;
  /** Index into Model.servers, -1 = none in particular. */
  readonly server: number;
  /** What the entry is about, unique within its code: `be/s1`, `10.0.0.21:443 10.0.0.10:443`. */
  readonly subject: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly lastMs: number;
  /** Times seen. */
  readonly count: number;
  /** False: was seen, is over. */
  readonly active: boolean;
}
