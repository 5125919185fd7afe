/** Letters about changes and the mail servers that take them. Letters are made by control/ and vrrp/, relays by config/; both used by mail/. Plain data: a letter is kept on disk as JSON. */
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
}

/** A mail server to try. */
export interface Relay {
  readonly host: string;
  readonly port: number;
  /** `opportunistic`: STARTTLS when the server offers it. `required`: nothing without it. `tls`: TLS from the first byte. */
  readonly security: 'opportunistic' | 'required' | 'tls';
  readonly user: string;
  /** Never logged, never shown. */
  readonly password: string;
  readonly helo: string;
  readonly connectTimeoutMs: number;
  /** False for a relay in the own network whose certificate nobody signed. */
  readonly verifyCertificate: boolean;
}
