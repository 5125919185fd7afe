/** `show vrrp`: the virtual addresses of this node. HAProxy has no such command; the words are those of `poise vrrp status`. Called by commands.ts. */
import { statusTable } from '../vrrp/status-text.ts';
import type { Command } from './command.ts';
import { command } from './command.ts';

export const vrrpCommands: readonly Command[] = [
  command('show vrrp', 'user', 'show vrrp [json]', 'tell who has the virtual addresses, since when and why', (call) => {
    const instances = call.context.virtualAddresses();
    if (call.args[0] === 'json') return `${JSON.stringify(instances)}\n`;
    return instances.length === 0 ? 'This process runs without virtual addresses (--keepalived).\n' : statusTable(instances, call.context.clock.dateMs());
  }),
];
