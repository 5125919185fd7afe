/** Letters about changes and the mail servers that take them. Letters are made by control/ and vrrp/, relays by config/; both used by mail/. Plain data: a letter is kept on disk as JSON. */
import type { Place } from './problem.ts';

export interface Letter {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** Letters of one topic that come quickly after one another are folded into one. */
  readonly topic: string;
  /** Date.now() when it happened. */
  readonly atMs: number;
  /** `X-Mailer`; '' = none. */
  readonly mailer: string;
  /** Name of the `mailers` section whose relays take it; '' = the node's own relays. */
  readonly mailers: string;
  /** What the relay is greeted with; '' = as the relay says. */
  readonly helo: string;
}

/** A mail server to try. */
export interface Relay {
  readonly place: Place;
  readonly host: string;
  readonly port: number;
  /** `opportunistic`: STARTTLS when the server offers it. `required`: nothing without it. `tls`: TLS from the first byte. */
  readonly security: 'opportunistic' | 'required' | 'tls';
  readonly user: string;
  /** Never logged, never shown. */
  readonly password: string;
  readonly helo: string;
  readonly connectTimeoutMs: number;
  /** From the connection to the answer to the last byte: a relay that is slower has not taken the letter. */
  readonly sendTimeoutMs: number;
  /** False for a relay in the own network whose certificate nobody signed. */
  readonly verifyCertificate: boolean;
}

/** A `mailers` section. */
export interface Mailers {
  readonly name: string;
  readonly place: Place;
  readonly relays: readonly Relay[];
}

/** The `email-alert` lines of a proxy, complete. */
export interface EmailAlert {
  /** Index into Model.mailers. */
  readonly mailers: number;
  readonly from: string;
  readonly to: readonly string[];
  /** Least severe syslog level that is mailed. */
  readonly levelMax: number;
  /** '' = the system's host name. */
  readonly myhostname: string;
}
