/**
 * Pieces of the statistics page: escaping, figures, times, tips and the columns of the tables. Used by html.ts only. Everything
 * that comes from a configuration, a server or a client goes through escape().
 */
import type { Row } from './row.ts';
import { cell, figure, text } from './row.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escape(value: string): string {
  return value.replace(/[&<>"']/g, char => entities[char] ?? '');
}

/** Digits in groups of three, parted by padding so that a copied figure has no gaps. */
function grouped(value: number): string {
  return String(Math.floor(value)).replace(/\d(?=(?:\d{3})+$)/g, '<span class="k">$&</span>');
}

/** A figure, or nothing for an empty cell. */
function shown(row: Row, name: string): string {
  const value = cell(row, name);
  if (value === null) return '';
  return typeof value === 'number' && value >= 0 ? grouped(value) : escape(String(value));
}

/** A limit, or a dash when there is none. */
function limit(row: Row, name: string): string {
  return figure(row, name) > 0 ? shown(row, name) : '-';
}

/** HAProxy's short times: the two largest units, `3d4h`, `5m2s`, `7s`. */
export function shortTime(seconds: number): string {
  if (seconds < 0) return '?';
  const units: readonly (readonly [string, number])[] = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? '0s' : parts.join('');
}

/** Text with details that appear under the pointer. */
function tip(content: string, details: string): string {
  return `<span class="tip">${content}<span class="d">${details}</span></span>`;
}

function details(lines: readonly (readonly [label: string, value: string])[]): string {
  return `<table>${lines.map(([label, value]) => `<tr><th>${label}</th><td>${value}</td></tr>`).join('')}</table>`;
}

function percent(part: number, whole: number): string {
  return whole > 0 ? ` (${Math.floor((100 * part) / whole)}%)` : '';
}

function sessionDetails(row: Row): string {
  const lines: [string, string][] = [['Sessions:', shown(row, 'stot')]];
  if (row.kind === 'frontend') lines.unshift(['Connections:', shown(row, 'conn_tot')]);
  else lines.push(['New connections:', shown(row, 'connect')], ['Reused connections:', shown(row, 'reuse') + percent(figure(row, 'reuse'), figure(row, 'reuse') + figure(row, 'connect'))]);
  if (row.proxy.mode === 'http') {
    const requests = figure(row, 'req_tot');
    lines.push(['HTTP requests:', shown(row, 'req_tot')]);
    for (const [column, name] of responseClasses) lines.push([`- HTTP ${name} responses:`, shown(row, column) + percent(figure(row, column), requests)]);
    if (row.kind === 'frontend') lines.push(['Intercepted requests:', shown(row, 'intercepted')]);
  }
  lines.push(['Failed header rewrites:', shown(row, 'wrew')], ['Internal errors:', shown(row, 'eint')]);
  if (row.kind !== 'frontend') {
    for (const [name, label] of averages) lines.push([`${label}, max / mean of 1024:`, `${figure(row, `${name}_max`)} / ${figure(row, name)} ms`]);
  }
  return details(lines);
}

const responseClasses: readonly (readonly [string, string])[] = [
  ['hrsp_1xx', '1xx'], ['hrsp_2xx', '2xx'], ['hrsp_3xx', '3xx'], ['hrsp_4xx', '4xx'], ['hrsp_5xx', '5xx'], ['hrsp_other', 'other'],
];
const averages: readonly (readonly [string, string])[] = [['qtime', 'Queue time'], ['ctime', 'Connect time'], ['rtime', 'Response time'], ['ttime', 'Total time']];

function rateDetails(row: Row, what: 'Current' | 'Highest'): string {
  const suffix = what === 'Current' ? '' : '_max';
  const lines: [string, string][] = [[`${what} connection rate:`, `${shown(row, `conn_rate${suffix}`)}/s`], [`${what} session rate:`, `${shown(row, `rate${suffix}`)}/s`]];
  if (row.proxy.mode === 'http') lines.push([`${what} request rate:`, `${shown(row, `req_rate${suffix}`)}/s`]);
  return details(lines);
}

function connectionDetails(row: Row): string {
  return details([
    ['Sessions:', shown(row, 'scur')], ['Connections in use:', shown(row, 'used_conn_cur')], ['Idle connections:', shown(row, 'srv_icur')],
    ['Limit of sessions:', limit(row, 'slim')], ['Limit of idle connections:', cell(row, 'src_ilim') === null ? '-' : shown(row, 'src_ilim')],
  ]);
}

function aborts(row: Row): string {
  return tip(shown(row, 'eresp'), `Transfers broken off: ${shown(row, 'cli_abrt')} by the client, ${shown(row, 'srv_abrt')} by the server`);
}

function status(row: Row): string {
  const value = escape(text(row, 'status'));
  if (row.kind === 'frontend' || row.kind === 'listener') return value;
  if (value === 'no check') return '<i>no check</i>';
  return `${shortTime(figure(row, 'lastchg'))} ${value}`;
}

function lastCheck(row: Row): string {
  const tracked = text(row, 'tracked');
  if (tracked !== '') return `<a class="q" href="#${escape(encodeURI(tracked))}">via ${escape(tracked)}</a>`;
  if (cell(row, 'check_status') === null) return '';
  const code = cell(row, 'check_code');
  const duration = cell(row, 'check_duration');
  const summary = `${text(row, 'check_status')}${code === null ? '' : `/${code}`}${duration === null ? '' : ` in ${duration}ms`}`;
  const found = text(row, 'last_chk');
  return tip(escape(summary), escape(`${text(row, 'check_desc')}${found === '' ? '' : `: ${found}`}`));
}

function activity(row: Row, column: 'act' | 'bck'): string {
  if (row.kind === 'backend') return shown(row, column);
  return figure(row, column) > 0 ? 'Y' : '-';
}

export interface PageColumn {
  readonly group: string;
  readonly title: string;
  /** Letters of the kinds that show it; others get an empty cell. */
  readonly on: string;
  readonly centred: boolean;
  readonly content: (row: Row) => string;
}

function plain(group: string, title: string, name: string): PageColumn {
  return { group, title, on: 'FLSB', centred: false, content: row => shown(row, name) };
}
function special(group: string, title: string, on: string, content: (row: Row) => string, centred = false): PageColumn {
  return { group, title, on, centred, content };
}

/** The columns of the page from left to right, after the tick box and the name. */
export const pageColumns: readonly PageColumn[] = [
  plain('Queue', 'Cur', 'qcur'),
  plain('Queue', 'Max', 'qmax'),
  special('Queue', 'Limit', 'S', row => limit(row, 'qlimit')),
  special('Session rate', 'Cur', 'FSB', row => (row.kind === 'frontend' ? tip(shown(row, 'rate'), rateDetails(row, 'Current')) : shown(row, 'rate'))),
  special('Session rate', 'Max', 'FSB', row => (row.kind === 'frontend' ? tip(shown(row, 'rate_max'), rateDetails(row, 'Highest')) : shown(row, 'rate_max'))),
  special('Session rate', 'Limit', 'F', row => limit(row, 'rate_lim')),
  special('Sessions', 'Cur', 'FLSB', row => (row.kind === 'server' ? tip(shown(row, 'scur'), connectionDetails(row)) : shown(row, 'scur'))),
  plain('Sessions', 'Max', 'smax'),
  special('Sessions', 'Limit', 'FLSB', row => limit(row, 'slim')),
  special('Sessions', 'Total', 'FLSB', row => (row.kind === 'listener' ? shown(row, 'stot') : tip(shown(row, 'stot'), sessionDetails(row)))),
  plain('Sessions', 'LbTot', 'lbtot'),
  special('Sessions', 'Last', 'SB', row => shortTime(figure(row, 'lastsess'))),
  plain('Bytes', 'In', 'bin'),
  plain('Bytes', 'Out', 'bout'),
  plain('Denied', 'Req', 'dreq'),
  plain('Denied', 'Resp', 'dresp'),
  plain('Errors', 'Req', 'ereq'),
  plain('Errors', 'Conn', 'econ'),
  special('Errors', 'Resp', 'SB', aborts),
  plain('Warnings', 'Retr', 'wretr'),
  plain('Warnings', 'Redis', 'wredis'),
  special('Server', 'Status', 'FLSB', status, true),
  special('Server', 'LastChk', 'S', lastCheck, true),
  special('Server', 'Wght', 'SB', row => `${shown(row, 'weight')}/${shown(row, 'uweight')}`, true),
  special('Server', 'Act', 'SB', row => activity(row, 'act'), true),
  special('Server', 'Bck', 'SB', row => activity(row, 'bck'), true),
  special('Server', 'Chk', 'S', row => (cell(row, 'chkfail') === null ? '' : tip(shown(row, 'chkfail'), 'Failed health checks'))),
  plain('Server', 'Dwn', 'chkdown'),
  special('Server', 'Dwntme', 'SB', row => (cell(row, 'downtime') === null ? '' : shortTime(figure(row, 'downtime')))),
  special('Server', 'Thrtle', 'S', row => (cell(row, 'throttle') === null ? '-' : `${shown(row, 'throttle')}%`), true),
];

/** Class of a server's row, which gives its colour. */
export function serverClass(row: Row): string {
  const state = text(row, 'status');
  const side = figure(row, 'bck') > 0 ? 'backup' : 'active';
  if (state.startsWith('MAINT')) return 'maintain';
  if (state === 'no check') return 'no_check';
  if (state.startsWith('DRAIN') || state.startsWith('NOLB')) return 'draining';
  if (state.startsWith('DOWN')) return state.includes('/') ? `${side}_going_up` : 'down';
  return state.includes('/') ? `${side}_going_down` : `${side}_up`;
}
