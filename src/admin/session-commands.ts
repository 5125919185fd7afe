/** Runtime commands about the connection itself: help, prompt, quit, levels, timeouts. Never touches the balancer. */
import type { Command, CommandCall, CommandSession } from './command.ts';
import { command } from './command.ts';

function setTimeoutCli(call: CommandCall): string {
  const [which, text] = call.args;
  if (which !== 'cli') return "'set timeout' only supports 'cli'.\n";
  if (text === undefined) return 'Expects an integer value.\n';
  const timeoutMs = milliseconds(text, 's');
  if (timeoutMs === undefined) return 'Invalid timeout value.\n';
  call.session.idleTimeoutMs = timeoutMs;
  return '';
}

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as HAProxy reads it, undefined when it is none, below a millisecond or too long. `unit`: of a bare number. */
export function milliseconds(text: string, unit: 'ms' | 's'): number | undefined {
  const [, digits, given = unit] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text) ?? [];
  const value = digits === undefined ? 0 : Math.floor(Number(digits) * (unitMs[given] ?? 1000));
  return value < 1 || value > 0x7fffffff ? undefined : value;
}

function lower(session: CommandSession, level: 'operator' | 'user'): string {
  if (session.level === 'admin' || level === 'user') session.level = level;
  return '';
}

/** `experimental-mode [on|off]` and `expert-mode [on|off]`. */
function mode(call: CommandCall, name: 'experimental' | 'expert'): string {
  const [value] = call.args;
  if (value === undefined) return `${name}-mode is ${call.session[name] ? 'ON' : 'OFF'}\n`;
  call.session[name] = value === 'on';
  return '';
}

export const sessionCommands: readonly Command[] = [
  command('set timeout', 'user', 'set timeout [cli] <delay>', 'change how long this connection may be idle', setTimeoutCli),
  command('show cli level', 'user', 'show cli level', 'tell the level of this connection', call => `${call.session.level}\n`),
  command('operator', 'operator', 'operator', 'lower the level of this connection to operator', call => lower(call.session, 'operator')),
  command('user', 'user', 'user', 'lower the level of this connection to user', call => lower(call.session, 'user')),
  command('experimental-mode', 'admin', 'experimental-mode [on|off]', 'allow experimental commands; there are none', call => mode(call, 'experimental')),
  command('expert-mode', 'admin', 'expert-mode [on|off]', 'allow commands for experts; there are none', call => mode(call, 'expert')),
  command('prompt', 'user', 'prompt', 'turn interactive use with a prompt on or off', (call) => {
    call.session.interactive = !call.session.interactive;
    return '';
  }),
  command('quit', 'user', 'quit', 'end this connection', (call) => {
    call.session.closing = true;
    return '';
  }),
];
