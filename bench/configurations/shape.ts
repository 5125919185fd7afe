/** What a subject is started with, and where everything is. The words of the configurations, subjects and workloads. */

/** Where this run of the bench takes place. All ports below are on the one address. */
export interface Site {
  readonly address: string;
  readonly folder: string;
  readonly crt: Readonly<Record<'P-256' | 'RSA-2048', { readonly certificate: string; readonly key: string; readonly both: string }>>;
}

export const ports = {
  clear: 8080,
  /** TLS with the P-256 certificate. */
  tls: 8443,
  /** TLS with the RSA-2048 certificate. */
  rsa: 8444,
  /** mode tcp. */
  tcp: 8025,
  statistics: 8404,
  log: 5514,
} as const;

export interface Shape {
  readonly what: string;
  /** As a haproxy.cfg; HAProxy and Poise read the same file. */
  readonly configuration: string;
  /** Ports that listen when it is ready. */
  readonly ports: readonly number[];
  readonly threads: number;
  /** nginx and the Node libraries do only the Exchange site: clear or TLS towards the servers. Null: they cannot play. */
  readonly exchange: 'clear' | 'bridged' | null;
}
