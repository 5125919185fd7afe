/**
 * Bytes both ways between two transports until both sides have ended: mode tcp, and http/ after an upgrade or CONNECT.
 * Half-closes pass through, a slow reader pauses the other side, timeouts are the proxies'. Looks at no byte.
 */
import type { Fault } from '../../model/fault.ts';
import type { LogFacts } from '../../rules/subject.ts';
import type { Transport } from '../contract.ts';
import type { Tally } from '../tally.ts';
import type { ThreadContext } from '../thread-context.ts';

/** Who started a tunnel; told once, after both transports were ended or destroyed by the tunnel. */
export interface TunnelOwner {
  /** Null: both sides ended well. */
  onTunnelEnd(fault: Fault | null): void;
}

export interface TunnelSetup {
  readonly context: ThreadContext;
  readonly owner: TunnelOwner;
  readonly client: Transport;
  readonly server: Transport;
  /** bytesToClient and bytesFromClient grow as bytes pass. */
  readonly facts: LogFacts;
  /** Counted per chunk: frontend, listener, backend, server; bin from the client, bout to the client. */
  readonly tallies: readonly Tally[];
  /** Milliseconds, 0 = none. With a tunnel timeout the other two do not apply. */
  readonly clientTimeoutMs: number;
  readonly serverTimeoutMs: number;
  readonly tunnelTimeoutMs: number;
  readonly clientFinTimeoutMs: number;
  readonly serverFinTimeoutMs: number;
}

export class Tunnel {
  readonly setup: TunnelSetup;

  constructor(setup: TunnelSetup) {
    this.setup = setup;
  }

  /** Ends both sides with these letters (server marked down, administrator, drain). The owner is told. */
  kill(fault: Fault): void {
    this.setup.client.destroy();
    this.setup.server.destroy();
    this.setup.owner.onTunnelEnd(fault);
  }
}

/** Takes both transports over. Bytes that were read before are given as arguments and are sent first. */
export function startTunnel(setup: TunnelSetup, fromClient: readonly Uint8Array[], fromServer: readonly Uint8Array[]): Tunnel {
  for (const chunk of fromClient) setup.server.write(chunk);
  for (const chunk of fromServer) setup.client.write(chunk);
  return new Tunnel(setup);
}
