/**
 * Runtime commands that change frontends and the limits of the process, and `clear counters`. The state is kept in frontends.ts,
 * the traffic threads hear of it by message. The answers are HAProxy's.
 */
import type { Command, CommandCall } from './command.ts';
import { command, levels, number, permissionDenied } from './command.ts';

function onFrontend(call: CommandCall, change: (frontend: number) => string): string {
  const [name] = call.args;
  if (name === undefined) return 'A frontend name is expected.\n';
  const frontend = call.context.frontends.find(name);
  return frontend < 0 ? 'No such frontend.\n' : change(frontend);
}

function setEnabled(call: CommandCall, enabled: boolean): string {
  return onFrontend(call, (frontend) => {
    const { frontends } = call.context;
    const verb = enabled ? 'enable' : 'disable';
    const state = frontends.state(frontend);
    if (state === 'STOP') return `Frontend was previously shut down, cannot ${verb}.\n`;
    if ((state === 'OPEN') === enabled) return `All sockets are already ${verb}d.\n`;
    frontends.setEnabled(frontend, enabled);
    return '';
  });
}

function shutdown(call: CommandCall): string {
  return onFrontend(call, (frontend) => {
    if (call.context.frontends.state(frontend) === 'STOP') return 'Frontend was already shut down.\n';
    call.context.frontends.shutdown(frontend);
    return '';
  });
}

function setMaxconnFrontend(call: CommandCall): string {
  return onFrontend(call, (frontend) => {
    const text = call.args[1];
    if (text === undefined) return 'Integer value expected.\n';
    const maxconn = number(text);
    if (maxconn === undefined || maxconn < 0) return 'Value out of range.\n';
    call.context.frontends.setMaxconn(frontend, maxconn);
    return '';
  });
}

function setMaxconnGlobal(call: CommandCall): string {
  const [text] = call.args;
  if (text === undefined) return 'Expects an integer value.\n';
  const maxconn = number(text);
  const { limits } = call.context.frontends;
  if (maxconn === undefined || maxconn < 0 || maxconn > limits.hardMaxconn) return 'Value out of range.\n';
  call.context.frontends.setProcessMaxconn(maxconn === 0 ? limits.hardMaxconn : maxconn);
  return '';
}

const rateLimitUsage = `'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s
`;

function setRateLimit(call: CommandCall): string {
  const [which, scope, text] = call.args;
  const known = which === 'connections' || which === 'sessions' || which === 'ssl-sessions' || which === 'http-compression';
  if (!known || scope !== 'global') return rateLimitUsage;
  if (text === undefined) return 'Expects an integer value.\n';
  const limit = number(text);
  if (limit === undefined || limit < 0) return 'Value out of range.\n';
  if (which !== 'http-compression') call.context.frontends.setRateLimit(which, limit);
  return '';
}

/** The sums are for those who may change everything. */
function clearCounters(call: CommandCall, all: boolean): string {
  if (all && levels[call.session.level] < levels.admin) return permissionDenied;
  call.context.clearCounters(all);
  return '';
}

export const frontendCommands: readonly Command[] = [
  command('enable frontend', 'admin', 'enable frontend <frontend>', 'let a frontend accept connections again', call => setEnabled(call, true)),
  command('disable frontend', 'admin', 'disable frontend <frontend>', 'stop accepting connections for a while', call => setEnabled(call, false)),
  command('shutdown frontend', 'admin', 'shutdown frontend <frontend>', 'stop a frontend for good', shutdown),
  command('set maxconn frontend', 'admin', 'set maxconn frontend <frontend> <value>', "change a frontend's maxconn", setMaxconnFrontend),
  command('set maxconn global', 'admin', 'set maxconn global <value>', 'change the maxconn of the process', setMaxconnGlobal),
  command('set rate-limit', 'admin', 'set rate-limit <setting> <value>', 'change a rate limit of the process', setRateLimit),
  command('clear counters', 'operator', 'clear counters [all]', 'clear the highest values, or all counters', call => clearCounters(call, call.args[0] === 'all')),
];
