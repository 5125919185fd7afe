/** Runtime commands that put another configuration or another program in place. The work is process/balancer.ts's. */
import { dateText } from './captured-errors.ts';
import type { Command, CommandCall } from './command.ts';
import { command } from './command.ts';

async function reload({ context }: CommandCall): Promise<string> {
  const { ok, lines } = await context.reload();
  return `Success=${ok ? 1 : 0}\n--\n${lines.map((line) => `${line}\n`).join('')}`;
}

function showRemoved({ context }: CommandCall): string {
  return context.removed().map(({ name, removedAtMs, sessions, oldestMs }) => `${name}: removed ${dateText(removedAtMs)}, ${sessions} left, the oldest for ${Math.round(oldestMs / 1000)} s\n`).join('') || 'Nothing that was removed is still in use.\n';
}

export const reloadCommands: readonly Command[] = [
  command('reload', 'admin', 'reload', 'take the configuration files up again, in place', reload),
  command('upgrade', 'admin', 'upgrade', 'let a new worker of the master take over from this one', ({ context }) => context.upgrade() ? 'A new worker is started.\n' : 'There is no master (-W): start the new program with -x and -sf.\n'),
  command('show removed', 'user', 'show removed', 'what a reload removed and somebody still uses', showRemoved),
];
