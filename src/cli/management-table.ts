/**
 * The table of runtime commands in docs/management.md: what there is, at which level, what differs from HAProxy, and what HAProxy has that is
 * not here. Made from the command table; used by write-docs.ts only.
 */
import { commands } from '../admin/commands.ts';

/** By the words of a command that is here. */
const differences: Readonly<Record<string, string>> = {
  'add acl': 'needs level operator; takes a payload too',
  'add map': 'needs level operator',
  'add server': 'numbers and names are checked as in the configuration',
  'clear acl': 'needs level operator',
  'clear map': 'needs level operator',
  'clear table': 'needs level operator',
  'commit acl': 'needs level operator',
  'commit map': 'needs level operator',
  'del acl': 'needs level operator',
  'del map': 'needs level operator',
  'disable agent': 'agent checks are not active yet',
  'dump stats-file': 'of HAProxy 3.0; objects without a `guid` stand with their names',
  'enable agent': 'agent checks are not active yet',
  'expert-mode': 'there are no such commands',
  'experimental-mode': 'there are no such commands',
  'help': 'texts are our own',
  'prepare acl': 'needs level operator',
  'prepare map': 'needs level operator',
  'reload': 'on the runtime socket too; HAProxy has it on the socket of the master only',
  'set map': 'needs level operator',
  'set maxconn frontend': 'numbers must be numbers',
  'set maxconn global': 'numbers must be numbers',
  'set maxconn server': 'not below 0',
  'set rate-limit': 'numbers must be numbers',
  'set server': 'agent words and `fqdn` are answered as for a server without agent and resolvers; ports end at 65535',
  'set severity-output': 'accepted without effect',
  'commit ssl ca-file': 'servers without a certificate of their own take it as well',
  'commit ssl crl-file': 'servers without a certificate of their own take it as well',
  'set ssl cert': 'one file at a time; `.ocsp`, `.issuer` and `.sctl` are not taken',
  'set table': 'counters cannot be set before stick counters are active',
  'show activity': 'figures of our own threads',
  'show advice': 'not in HAProxy',
  'show errors': 'says in words why a message was refused',
  'show events': 'one sink, `buf0`: changes of servers, and commands with who gave them',
  'show info': 'fields of HAProxy 3.5',
  'show peers': 'peers are not active yet: names only',
  'show pools': 'memory by kind',
  'show removed': 'not in HAProxy',
  'show resolvers': 'resolvers are not active yet: names only',
  'show sess': 'what concerns the inner state of HAProxy is 0',
  'show ssl ca-file': '`@system-ca` only where a line names it',
  'show ssl crt-list': 'lists only, no folders',
  'show stat': 'columns of HAProxy 3.5',
  'show tasks': 'always empty',
  'show threads': 'figures of our own threads',
  'show vrrp': 'not in HAProxy',
  'upgrade': 'not in HAProxy',
  'wait': 'of HAProxy 3.0',
};

/** What HAProxy 2.6 has and Poise has not, with the reason. */
const missing: readonly (readonly [usage: string, why: string])[] = [
  ['disable / enable dynamic-cookie backend, set dynamic-cookie-key backend', 'write the line and `reload`'],
  ['get var', 'variables of the process are kept by each thread'],
  ['set profiling, show profiling', 'of the inside of HAProxy'],
  ['set ssl ocsp-response, show ssl ocsp-response', 'OCSP answers are not stapled'],
  ['set ssl tls-key, show tls-keys', 'tickets have one key, new at every start'],
  ['show cache', 'there is no cache yet'],
  ['show fd, show libs, show ssl providers, show trace, trace', 'of the inside of HAProxy'],
  ['show schema json', ''],
];

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

export function managementTable(): string {
  const here = commands.map(({ words, usage, level, help }) => {
    const name = words.join(' ');
    return `| \`${usage.replace(/\s+\(DEPRECATED\)/, '').replaceAll('|', '\\|')}\` | ${level} | yes | ${cell(help)} | ${cell(differences[name] ?? '')} |`;
  });
  const absent = missing.map(([usage, why]) => `| ${cell(usage)} | | **no** | | ${cell(why)} |`);
  return ['| command | level | here | what it does | difference from HAProxy |', '| --- | --- | --- | --- | --- |', ...here, ...absent, ''].join('\n');
}
