/**
 * Certificates that a runtime command has put in place of those of the configuration: the listeners and servers of this thread take them for the
 * next handshake. Called by traffic-thread.ts. The control thread has tried them before.
 */
import type { SecureContext } from 'node:tls';
import type { ToTraffic } from '../../model/messages.ts';
import { ServerTlsContext } from '../dispatch/server-tls.ts';
import type { ThreadContext } from '../thread-context.ts';
import { BindTlsEngine } from './bind-tls.ts';
import type { Listener } from './listener.ts';

export function useCertificates({ certificates, binds, servers }: Extract<ToTraffic, { type: 'certificates' }>, listeners: readonly Listener[], context: ThreadContext): void {
  const { plan, world } = context;
  const model = { ...plan.model, certificates };
  try {
    for (const { slot, tls } of binds) {
      for (const { plan: { slot: own }, tls: engine } of listeners) if (own === slot && engine !== null) engine.become(BindTlsEngine.prepare(tls, model, engine.prepared));
    }
    const made = new Map<string, SecureContext>();
    for (const { slot, certificate } of servers) {
      const server = plan.serverAt(slot);
      const tls = server?.server.tls ?? null;
      if (server !== undefined && tls !== null) server.replaceTls(new ServerTlsContext(tls, server, plan, context, made, certificates[certificate]));
    }
  } catch (error) {
    world.warn(`certificates that a command changed cannot be used: ${(error as Error).message}`);
  }
}
