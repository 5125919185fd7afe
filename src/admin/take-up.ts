/**
 * The configuration in force with a change, taken up in place like a reload, but with all that commands have changed. Used by commands that add
 * or take away what threads plan with. Files are not read.
 */
import type { Model } from '../model/model.ts';
import type { AdminContext } from './context.ts';

/** With the patterns and certificates that commands have put in place. */
function inForce(context: AdminContext): Model {
  return context.certificates.inForce({ ...context.model, patterns: context.patterns.inForce(context.model.patterns) });
}

/** Takes the changed model up; gives '' or why not. What commands have said of TLS to servers is said again. */
export async function takeUp(context: AdminContext, change: (model: Model) => Model): Promise<string> {
  const clear = context.model.servers.filter(({ index, tls }) => tls !== null && !context.servers.usesTls(index)).map(({ index }) => index);
  context.patterns.flush();
  const { ok, lines } = await context.edit(() => change(inForce(context)));
  if (!ok) return `${lines.join('\n')}\n`;
  for (const index of clear) if (context.model.servers[index]?.tls) context.servers.setTls(index, false);
  return '';
}
