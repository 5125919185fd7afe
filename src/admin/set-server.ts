/**
 * `set server <backend>/<server> …`: weight, state, health, addresses, ports, TLS. Every change goes through control/server-states.ts. Used by
 * server-commands.ts, which finds the server. The answers are HAProxy's, its missing line ends too.
 */
import { isIP } from 'node:net';
import type { Server } from '../model/model.ts';
import type { AdminContext } from './context.ts';

const usage =
  'usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | ssl | state | weight\n';
const noAgent = 'agent checks are not enabled on this server';
/** Who changed an address, in logs and answers. */
const addressChangedBy = 'stats socket command';
/** Answers of the door that HAProxy ends without a line end. */
const unended = /^(?:Empty weight string|Trailing garbage)/;

/** What the door answers, with the line end that HAProxy puts behind it. */
export function lineOf(text: string): string {
  return text === '' || text.endsWith('\n') || unended.test(text) ? text : `${text}\n`;
}

export function setWeight(context: AdminContext, server: Server, weight: string | undefined): string {
  return weight === undefined ? 'Require <weight> or <weight%>.\n' : lineOf(context.servers.setWeight(server.index, weight));
}

export function setState(context: AdminContext, server: Server, state: string | undefined): string {
  if (state !== 'ready' && state !== 'drain' && state !== 'maint') return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
  context.servers.setAdmin(server.index, state);
  return '';
}

function setHealth(context: AdminContext, server: Server, health: string | undefined): string {
  if (health !== 'up' && health !== 'stopping' && health !== 'down') return "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n";
  return lineOf(context.servers.setHealth(server.index, health));
}

function setAddress({ servers }: AdminContext, server: Server, words: readonly string[]): string {
  const [host, keyword, portText = ''] = words;
  if (host === undefined) return 'set server <b>/<s> addr requires an address and optionally a port.\n';
  if (isIP(host) === 0) return `Invalid addr '${host}' by '${addressChangedBy}'\n`;
  if (keyword !== 'port') return lineOf(servers.setAddress(server.index, host, null, addressChangedBy));
  const by = ` by '${addressChangedBy}'`;
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : -1;
  if (port >= 1 && port <= 65535) return lineOf(servers.setAddress(server.index, host, port, addressChangedBy));
  // The address is changed all the same.
  const changed = servers.setAddress(server.index, host, null, addressChangedBy).replace(by, '');
  if (/^[+-]\d+$/.test(portText)) {
    return `${changed}, can't change <port> to port map because it is incompatible with current health check port configuration (use 'port' statement from the 'server' directive.${by}\n`;
  }
  return `${changed}, problem converting port '${portText}' to an int${by}\n`;
}

/** A port as the commands about checks read it, or what is wrong with it. */
function checkPort(text: string): number | string {
  if (!/^\d+$/.test(text)) return 'provided port is not an integer';
  const port = Number(text);
  return port > 65535 ? 'provided port is invalid' : port;
}

function setCheckPort({ servers }: AdminContext, { index }: Server, text: string | undefined): string {
  if (text === undefined) return 'set server <b>/<s> check-port requires a port.\n';
  if (!servers.checkInfo(index).enabled) return 'health checks are not enabled on this server';
  const port = checkPort(text);
  if (typeof port === 'string') return port;
  servers.setCheckPlace(index, null, port);
  return '';
}

function setCheckAddress({ servers }: AdminContext, { index }: Server, words: readonly string[]): string {
  const [host, keyword, portText = ''] = words;
  if (host === undefined) return 'set server <b>/<s> check-addr requires an address and optionally a port.\n';
  if (!servers.checkInfo(index).enabled) return 'health checks are not enabled on this server';
  if (isIP(host) === 0) return `invalid addr '${host}'`;
  const port = keyword === 'port' ? checkPort(portText) : null;
  if (typeof port === 'string') return port;
  servers.setCheckPlace(index, host, port);
  return '';
}

function setTls({ servers }: AdminContext, server: Server, word: string | undefined): string {
  if (server.tls === null) return "'set server <srv> ssl' cannot be set.  default-server should define ssl settings\n";
  if (word !== 'on' && word !== 'off') return "'set server <srv> ssl' expects 'on' or 'off'.\n";
  servers.setTls(server.index, word === 'on');
  return 'server ssl setting updated.\n';
}

/** `words` follow the name of the server. */
export function setServer(context: AdminContext, server: Server, words: readonly string[]): string {
  const [what, ...values] = words;
  switch (what) {
    case 'weight': return setWeight(context, server, values[0]);
    case 'state': return setState(context, server, values[0]);
    case 'health': return setHealth(context, server, values[0]);
    case 'addr': return setAddress(context, server, values);
    case 'check-port': return setCheckPort(context, server, values[0]);
    case 'check-addr': return setCheckAddress(context, server, values);
    case 'agent': case 'agent-send': return `${noAgent}.\n`;
    case 'agent-addr': return values[0] === undefined ? 'set server <b>/<s> agent-addr requires an address and optionally a port.\n' : noAgent;
    case 'agent-port': return values[0] === undefined ? 'set server <b>/<s> agent-port requires a port.\n' : noAgent;
    case 'fqdn': return values[0] === undefined ? 'set server <b>/<s> fqdn requires a FQDN.\n' : 'set server <b>/<s> fqdn failed because no resolution is configured.\n';
    case 'ssl': return setTls(context, server, values[0]);
    default: return usage;
  }
}
