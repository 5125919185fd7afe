/** The keyword table of defaults, frontend, listen and backend sections, put together from its families. */
import { readBind } from '../bind.ts';
import { errorRows } from '../errors.ts';
import { active, KeywordTable, later, many, noEffect } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { readDefaultServer, readServer, readServerTemplate } from '../server.ts';
import { balanceRows } from './balance.ts';
import { checkRows } from './checks.ts';
import { emailAlertRows } from './email-alert.ts';
import { legacyRows } from './legacy.ts';
import { logRows } from './log.ts';
import { optionRows } from './options.ts';
import { persistenceRows } from './persistence.ts';
import type { ProxyReading } from './reading.ts';
import { ruleRows } from './rules.ts';
import { simpleRows } from './simple.ts';
import { statsRows } from './stats.ts';

const rows: readonly Keyword<ProxyReading>[] = [
  active('bind', 'FLb', [1, many], 'Address that clients connect to.', readBind),
  active('server', 'LB', [2, many], 'A server of the backend.', readServer),
  active('server-template', 'LB', [3, many], 'Several servers from one line.', readServerTemplate),
  active('default-server', 'DLB', [1, many], 'Options of the server lines that follow.', readDefaultServer),
  ...simpleRows,
  ...optionRows,
  ...balanceRows,
  ...persistenceRows,
  ...ruleRows,
  ...logRows,
  ...emailAlertRows,
  ...statsRows,
  ...checkRows,
  ...errorRows,
  ...legacyRows,
  ...later<ProxyReading>('DFLB', { 'log-steps': 'Which steps of a request are logged.', 'timeout client-hs': 'Longest TLS handshake of a client.' }),
  ...noEffect<ProxyReading>('DFLB', {
    'clitcpka-cnt': 'Kernel tuning.', 'clitcpka-idle': 'Kernel tuning.', 'clitcpka-intvl': 'Kernel tuning.',
    'srvtcpka-cnt': 'Kernel tuning.', 'srvtcpka-idle': 'Kernel tuning.', 'srvtcpka-intvl': 'Kernel tuning.',
    'hash-preserve-affinity': 'Hashing of servers whose queue is full.', 'max-session-srv-conns': 'Idle server connections kept per client.',
  }),
];

export const proxyTable = new KeywordTable<ProxyReading>(rows);
