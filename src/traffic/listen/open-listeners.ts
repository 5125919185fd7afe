/** Opens what a `bind` line says in one thread. Called at the start and by a reload; leaves nothing open when one of its addresses fails. */
import type { InheritedListener } from '../../model/messages.ts';
import type { ListenerPlan } from '../plan.ts';
import type { ThreadContext } from '../thread-context.ts';
import type { Admission } from './admission.ts';
import { BindTlsEngine } from './bind-tls.ts';
import { Listener, listenPlaces } from './listener.ts';

/** `inherited`: sockets of the process before, of all binds. Rejects with the system's error. */
export async function openListeners(plan: ListenerPlan, context: ThreadContext, admission: Admission, inherited: readonly InheritedListener[]): Promise<Listener[]> {
  const { bind } = plan;
  const tls = bind.tls === null ? null : new BindTlsEngine(BindTlsEngine.prepare(bind.tls, plan.proxy.plan.model, null), context.start.ticketKeys);
  const opened: Listener[] = [];
  try {
    for (const place of listenPlaces(bind, context.threadIndex, inherited)) {
      const listener = new Listener(context, admission, plan, tls, place);
      await listener.open();
      opened.push(listener);
    }
    return opened;
  } catch (error) {
    for (const listener of opened) listener.close();
    throw error;
  }
}

/** As messages tell it. The runtimes' own codes (ERR_…) say less than their messages. */
export function bindFailure(error: unknown): { readonly code: string; readonly message: string } {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return { code: code.startsWith('ERR_') ? '' : code, message };
}
