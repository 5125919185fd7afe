/** `stats …` of a proxy: the statistics page. Any of these words switches the page on, as in HAProxy. Rows of the proxy table. */
import { active, many } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import type { StatsDraft } from '../draft.ts';
import { initialStats } from '../initial.ts';
import { parseCondition } from '../expression/condition.ts';
import { parseRule } from '../expression/rule.ts';
import type { ProxyReading } from './reading.ts';

const any = 'DFLB';
const proxies = 'FLB';

function change(reading: ProxyReading, values: Partial<StatsDraft>): void {
  reading.settings.stats = { ...(reading.settings.stats ?? initialStats(reading.place)), ...values };
  reading.mark('stats');
}

function readAuth(reading: ProxyReading): void {
  const pair = reading.arg(0);
  const colon = pair.indexOf(':');
  if (colon < 0) {
    reading.error('stats auth', "'stats auth' needs user:password");
    return;
  }
  const auth = reading.settings.stats?.auth ?? [];
  change(reading, { auth: [...auth, { user: pair.slice(0, colon), password: pair.slice(colon + 1) }] });
}

function readRefresh(reading: ProxyReading): void {
  const seconds = reading.duration(reading.arg(0), "'stats refresh'", 's');
  if (seconds !== undefined) change(reading, { refreshSeconds: seconds });
}

function readScope(reading: ProxyReading): void {
  change(reading, { scopes: [...(reading.settings.stats?.scopes ?? []), reading.arg(0)] });
}

function readNode(reading: ProxyReading): void {
  change(reading, { showNode: true, node: reading.arg(0) });
}

function readDesc(reading: ProxyReading): void {
  change(reading, { showDesc: true, description: reading.args.join(' ') });
}

function readAdmin(reading: ProxyReading): void {
  const condition = parseCondition(reading.args, reading.scope('stats'));
  if (condition === null) reading.error('stats admin', "'stats admin' needs 'if' or 'unless' and a condition", "write 'stats admin if TRUE' to allow it always");
  else if (condition !== undefined) change(reading, { admin: [...(reading.settings.stats?.admin ?? []), condition] });
}

function readHttpRequest(reading: ProxyReading): void {
  const rule = parseRule('stats http-request', reading.args, reading.scope('stats'));
  if (rule !== undefined) change(reading, { httpRequest: [...(reading.settings.stats?.httpRequest ?? []), rule] });
}

export const statsRows: readonly Keyword<ProxyReading>[] = [
  active('stats enable', any, [0, 0], 'Switches the statistics page on.', (reading) => change(reading, { enabled: true })),
  active('stats uri', any, [1, 1], 'Path prefix of the statistics page.', (reading) => change(reading, { uri: reading.arg(0) })),
  active('stats realm', any, [1, 1], 'Realm of its password question.', (reading) => change(reading, { realm: reading.arg(0) })),
  active('stats auth', any, [1, 1], 'User and password of the page.', readAuth),
  active('stats hide-version', any, [0, 0], 'Does not show the version.', (reading) => change(reading, { hideVersion: true })),
  active('stats show-version', any, [0, 0], 'Shows the version.', (reading) => change(reading, { hideVersion: false })),
  active('stats refresh', any, [1, 1], 'Reloads the page in the browser.', readRefresh),
  active('stats scope', any, [1, 1], 'Shows only these proxies.', readScope),
  active('stats show-legends', any, [0, 0], 'Shows details of the settings.', (reading) => change(reading, { showLegends: true })),
  active('stats show-modules', any, [0, 0], 'Shows module statistics.', (reading) => change(reading, { showModules: true })),
  active('stats show-node', any, [0, 1], 'Shows the name of this node.', readNode),
  active('stats show-desc', any, [0, many], 'Shows a description.', readDesc),
  active('stats admin', proxies, [1, many], 'Allows actions on servers from the page.', readAdmin),
  active('stats http-request', proxies, [1, many], 'Rules for requests to the page: allow, deny, auth.', readHttpRequest),
];
