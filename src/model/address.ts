/** Addresses as binds, servers, log targets and sockets name them. Parsed by config/address.ts. */

export interface InetAddress {
  readonly kind: 'inet';
  readonly family: 4 | 6;
  /** Numeric address, '0.0.0.0' or '::' for any. */
  readonly host: string;
  /** First port of the range; 0 when the port is absent or chosen by the system. */
  readonly port: number;
  /** Last port of the range, equal to `port` for a single port. */
  readonly portLast: number;
}

export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
  /** True for `abns@`: Linux abstract namespace. */
  readonly abstract: boolean;
}

/** `fd@N`: a socket that the parent process passed on. */
export interface FdAddress {
  readonly kind: 'fd';
  readonly fd: number;
}

/** A host name to be resolved (servers and log targets only). */
export interface NameAddress {
  readonly kind: 'name';
  readonly name: string;
  readonly family: 0 | 4 | 6;
  readonly port: number;
}

export type BindAddress = InetAddress | UnixAddress | FdAddress;
export type PeerAddress = InetAddress | UnixAddress | NameAddress;
