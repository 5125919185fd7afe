/**
 * The statistics page: what `stats uri` shows in a browser. Same figures, sections, colours and forms as HAProxy's page; the
 * markup is our own. Called by admin/internal-server.ts. Keeps the phrases that scripts look for: `uptime = </b> 0d 0h00m06s`
 * and `idle = 100 %`. Shows nothing unescaped.
 */
import type { Advice } from '../model/advice.ts';
import type { RemovedObject } from '../model/messages.ts';
import type { StatsPage } from '../model/model.ts';
import { productVersion, releaseDate } from '../model/process-statistics.ts';
import { objectKinds } from '../model/statistics.ts';
import { escape, pageColumns, serverClass } from './html-cells.ts';
import type { PageColumn } from './html-cells.ts';
import { rowColours, script, style } from './html-style.ts';
import type { Row, Snapshot } from './row.ts';
import { text } from './row.ts';
import { vrrpHtml } from './vrrp.ts';

/** Result of an admin form, shown on the page that the browser is sent to. */
export type ActionResult = 'DONE' | 'NONE' | 'PART' | 'ERRP' | 'EXCD' | 'DENY' | 'UNKN';

export interface PageView {
  readonly page: StatsPage;
  /** Rows that may be shown, filtered. */
  readonly rows: readonly Row[];
  readonly snapshot: Snapshot;
  readonly nodeName: string;
  /** What was noticed and is not over. */
  readonly advice: readonly Advice[];
  /** What a reload removed and somebody still uses. */
  readonly removed: readonly RemovedObject[];
  /** True: tick boxes and actions. */
  readonly admin: boolean;
  readonly up: boolean;
  readonly noMaint: boolean;
  readonly noRefresh: boolean;
  readonly scope: string;
  readonly result: ActionResult | null;
}

/** Actions of the form, as HAProxy names them in its form and its log. */
const pageActions: readonly (readonly [value: string, label: string])[] = [
  ['ready', 'Set state to READY'], ['drain', 'Set state to DRAIN'], ['maint', 'Set state to MAINT'],
  ['dhlth', 'Health: disable checks'], ['ehlth', 'Health: enable checks'], ['hrunn', 'Health: force UP'], ['hnolb', 'Health: force NOLB'], ['hdown', 'Health: force DOWN'],
  ['shutdown', 'Kill Sessions'],
];

const results: Readonly<Record<ActionResult, { readonly row: string; readonly text: string }>> = {
  DONE: { row: 'active_up', text: 'Action processed successfully.' },
  NONE: { row: 'active_going_down', text: 'Nothing has changed.' },
  PART: { row: 'active_going_down', text: 'Action partially processed: some server names are unknown in the backend.' },
  ERRP: { row: 'down', text: 'Action not processed: the action, the backend or a server name is unknown.' },
  EXCD: { row: 'down', text: 'Action not processed: the form is too long. Please retry with fewer servers at a time.' },
  DENY: { row: 'down', text: 'Action denied.' },
  UNKN: { row: 'no_check', text: 'Unexpected result.' },
};

interface LinkOptions {
  readonly up?: boolean;
  readonly noMaint?: boolean;
  readonly noRefresh?: boolean;
  readonly format?: string;
}

/** Address of the page with these options, relative to the server. */
export function pageLink(page: StatsPage, view: Pick<PageView, 'up' | 'noMaint' | 'noRefresh' | 'scope'>, change: LinkOptions): string {
  const options = { ...view, format: '', ...change };
  return page.uri + (options.format === '' ? '' : `;${options.format}`) + (options.up ? ';up' : '') + (options.noMaint ? ';no-maint' : '') +
    (options.noRefresh ? ';norefresh' : '') + (view.scope === '' ? '' : `?scope=${encodeURIComponent(view.scope)}`);
}

function processPart(view: PageView): string {
  const info = (name: string): string => escape(String(view.snapshot.process.get(name) ?? ''));
  const kilobits = ((Number(view.snapshot.process.get('BytesOutRate') ?? 0) * 8) / 1000).toFixed(3);
  return `<p><b>pid = </b> ${info('Pid')} (process #1, nbproc = 1, nbthread = ${info('Nbthread')})<br>
<b>uptime = </b> ${info('Uptime')}<br>
<b>counting since = </b> ${info('CountingSince')}<br>
<b>system limits:</b> memmax = unlimited; ulimit-n = ${info('Ulimit-n')}<br>
<b>maxsock = </b> ${info('Maxsock')}; <b>maxconn = </b> ${info('Maxconn')}; <b>maxpipes = </b> ${info('Maxpipes')}<br>
current conns = ${info('CurrConns')}; current pipes = ${info('PipesUsed')}/${info('PipesFree')}; conn rate = ${info('ConnRate')}/sec; bit rate = ${kilobits} kbps<br>
Running tasks: ${info('Run_queue')}/${info('Tasks')}; idle = ${info('Idle_pct')} %<br></p>`;
}

function legendPart(): string {
  let lines = '';
  for (let index = 0; index < rowColours.length; index += 2) {
    const cells = rowColours.slice(index, index + 2).map(({ name, legend }) => `<td class="c ${name}">&nbsp;</td><td>${legend}</td>`);
    lines += `<tr>${cells.join('')}</tr>`;
  }
  return `<div><table class="legend">${lines}</table><p class="note">Note: "NOLB"/"DRAIN" = UP with load-balancing disabled.</p></div>`;
}

function linksPart(view: PageView): string {
  const link = (change: LinkOptions, label: string): string => `<li><a href="${escape(pageLink(view.page, view, change))}">${label}</a>`;
  const items = [
    `<li><form method="get">Scope: <input name="scope" value="${escape(view.scope)}" size="8" maxlength="20"></form>`,
    view.up ? link({ up: false }, "Show all servers") : link({ up: true }, "Hide 'DOWN' servers"),
  ];
  if (view.page.refreshSeconds > 0) items.push(view.noRefresh ? link({ noRefresh: false }, 'Enable refresh') : link({ noRefresh: true }, 'Disable refresh'));
  items.push(link({}, 'Refresh now'), link({ format: 'csv', noRefresh: true }, 'CSV export'), link({ format: 'json', noRefresh: true }, 'JSON export'));
  return `<div><b>Display option:</b><ul>${items.join('')}</ul></div>`;
}

/** First row of a table's head: groups over their columns. */
function groupCells(): string {
  const groups: { title: string; span: number }[] = [];
  for (const { group } of pageColumns) {
    const last = groups.at(-1);
    if (last?.title === group) last.span += 1;
    else groups.push({ title: group, span: 1 });
  }
  return groups.map(({ title, span }) => `<th colspan="${span}">${title}</th>`).join('');
}

const groupRow = groupCells();
const titleRow = `<tr>${pageColumns.map(({ title }) => `<th>${title}</th>`).join('')}</tr>`;

function columnCell(row: Row, column: PageColumn): string {
  const content = column.on.includes(objectKinds[row.kind].letter) ? column.content(row) : '';
  return `<td${column.centred ? ' class="c"' : ''}>${content}</td>`;
}

function rowTitle(row: Row): string {
  const known = [text(row, 'addr'), row.kind === 'server' || row.kind === 'listener' ? `id: ${text(row, 'sid')}` : ''];
  const cookie = text(row, 'cookie');
  if (cookie !== '') known.push(`cookie: '${cookie}'`);
  const algo = text(row, 'algo');
  if (algo !== '') known.unshift(`balancing: ${algo}`);
  return known.filter(part => part !== '').join(', ');
}

function rowName(row: Row): { readonly label: string; readonly anchor: string } {
  switch (row.kind) {
    case 'frontend': return { label: 'Frontend', anchor: `${row.proxy.name}/Frontend` };
    case 'backend': return { label: 'Backend', anchor: `${row.proxy.name}/Backend` };
    case 'listener': return { label: text(row, 'svname'), anchor: `${row.proxy.name}/+${text(row, 'svname')}` };
    case 'server': return { label: text(row, 'svname'), anchor: `${row.proxy.name}/${text(row, 'svname')}` };
  }
}

function rowHtml(row: Row, view: PageView, ticks: boolean): string {
  const { label, anchor } = rowName(row);
  const className = row.kind === 'server' ? serverClass(row) : row.kind === 'listener' ? 'socket' : row.kind;
  const since = `counting since ${isoDate(row.sinceMs)}Z`;
  const title = view.page.showLegends ? `${rowTitle(row)}, ${since}` : since;
  const name = `<a class="q" name="${escape(anchor)}" href="#${escape(encodeURI(anchor))}" title="${escape(title)}">${escape(label)}</a>`;
  const tick = ticks ? `<td class="c">${row.kind === 'server' ? `<input type="checkbox" name="s" value="${escape(label)}">` : ''}</td>` : '';
  return `<tr class="${className}">${tick}<td class="c">${name}</td>${pageColumns.map(column => columnCell(row, column)).join('')}</tr>\n`;
}

function actionsPart(iid: number): string {
  const options = pageActions.map(([value, label]) => `<option value="${value}">${label}</option>`).join('');
  return `<p class="act">Choose the action to perform on the checked servers: <select name=action><option value=""></option>${options}</select>` +
    `<input type="hidden" name="b" value="#${iid}"> <input type="submit" value="Apply"></p>`;
}

/** One proxy: its name and its table. */
function proxyPart(rows: readonly Row[], view: PageView): string {
  const [first] = rows;
  if (first === undefined) return '';
  const { proxy } = first;
  const ticks = view.admin && rows.some(row => row.kind === 'server');
  const capability = proxy.isFrontend ? (proxy.isBackend ? 'proxy' : 'frontend') : 'backend';
  const title = view.page.showLegends ? ` title="cap: ${capability}, mode: ${proxy.mode}, id: ${proxy.iid}"` : '';
  const tickHead = ticks ? '<th rowspan="2"><input type="checkbox" class="all" title="all servers"></th>' : '';
  const table = `<div class="px"${title}><a class="q" name="${escape(proxy.name)}" href="#${escape(encodeURI(proxy.name))}">${escape(proxy.name)}</a></div>` +
    `${view.page.showDesc && proxy.description !== '' ? `<span class="pxd">${escape(proxy.description)}</span>` : ''}
<table class="t"><thead><tr class="g">${tickHead}<th rowspan="2" class="b"></th>${groupRow}</tr>${titleRow}</thead>
<tbody>${rows.map(row => rowHtml(row, view, ticks)).join('')}</tbody></table>`;
  return `<section>${ticks ? `<form method="post">${table}${actionsPart(proxy.iid)}</form>` : table}</section>\n`;
}

function resultPart(view: PageView): string {
  if (view.result === null) return '';
  const { row, text: message } = results[view.result];
  return `<div class="msg ${row}"><a class="q" href="${escape(pageLink(view.page, view, {}))}" title="Remove this message">[X]</a> ${escape(message)}</div>\n`;
}

/** Only what concerns proxies that this page may show. */
function removedPart({ page, removed }: PageView): string {
  if (removed.length === 0 || page.scopes.length > 0) return '';
  const lines = removed.map(({ name, sessions, oldestMs }) => `<tr><td>${escape(name)}</td><td>${sessions}</td><td>${Math.round(oldestMs / 1000)} s</td></tr>`);
  return `<table class="t advice"><thead><tr><th>Removed by a reload, draining</th><th>Left</th><th>Oldest</th></tr></thead>\n<tbody>${lines.join('')}</tbody></table>\n`;
}

function advicePart(view: PageView): string {
  const shown = new Set(view.rows.map(row => row.proxy.index));
  const entries = view.advice.filter(advice => advice.active && shown.has(advice.proxy));
  if (entries.length === 0) return '';
  const lines = entries.map(({ severity, sinceMs, lastMs, count, text: words }) =>
    `<tr class="active_going_down"><td>${severity}</td><td>${escape(words)}</td><td>${isoDate(sinceMs)}</td><td>${isoDate(lastMs)}</td><td>${count}</td></tr>\n`);
  return `<table class="t advice"><thead><tr><th>Kind</th><th>What was noticed</th><th>Since</th><th>Last</th><th>Times</th></tr></thead>\n<tbody>${lines.join('')}</tbody></table>\n`;
}

function isoDate(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19);
}

export function htmlPage(view: PageView): string {
  const { page } = view;
  const node = page.showNode ? ` on ${escape(page.node === '' ? view.nodeName : page.node)}` : '';
  const wanted = page.description === '' ? view.snapshot.model.global.description : page.description;
  const description = page.showDesc && wanted !== '' ? `: ${escape(wanted)}` : '';
  const version = page.hideVersion ? '' : ` &ndash; HAProxy version ${productVersion}, released ${releaseDate}`;
  const byProxy = new Map<number, Row[]>();
  for (const row of view.rows) byProxy.set(row.proxy.index, [...(byProxy.get(row.proxy.index) ?? []), row]);
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Statistics Report for HAProxy${node}</title>
<link rel="icon" href="data:,"><style>${style}</style></head><body>
<h1>Poise${version}</h1>
<h2>Statistics Report for pid ${escape(String(view.snapshot.process.get('Pid') ?? ''))}${node}${description}</h2>
${removedPart(view)}${advicePart(view)}<hr><h3>&gt; General process information</h3>
<div class="top">${processPart(view)}${legendPart()}${linksPart(view)}</div>${vrrpHtml(view.snapshot.virtualAddresses)}
${resultPart(view)}${[...byProxy.values()].map(rows => proxyPart(rows, view)).join('')}<script>${script}</script></body></html>
`;
}
