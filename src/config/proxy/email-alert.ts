/** `email-alert`: which changes of servers are mailed, to whom, through which `mailers` section. Rows of the proxy table. */
import { active } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { levels } from '../log-target.ts';
import type { ProxyReading } from './reading.ts';

const any = 'DFLB';

function row(word: 'from' | 'mailers' | 'myhostname' | 'to', help: string): Keyword<ProxyReading> {
  return active(`email-alert ${word}`, any, [1, 1], help, (reading) => {
    change(reading, { [word]: reading.arg(0) });
  });
}

function change(reading: ProxyReading, words: Partial<ProxyReading['settings']['emailAlert']>): void {
  reading.settings.emailAlert = { ...reading.settings.emailAlert, ...words };
  reading.mark('email-alert');
  reading.mark(reading.keyword);
}

function readLevel(reading: ProxyReading): void {
  const level = reading.choice(reading.arg(0), "'email-alert level'", levels);
  if (level !== undefined) change(reading, { levelMax: levels.indexOf(level) });
}

export const emailAlertRows: readonly Keyword<ProxyReading>[] = [
  row('mailers', 'The `mailers` section that letters about servers go through; nothing is mailed without this, `from` and `to`.'),
  row('from', 'Who letters about servers are from.'),
  row('to', 'Who gets letters about servers; several addresses are separated by commas.'),
  row('myhostname', 'What mail servers are greeted with; the host name without this line.'),
  active('email-alert level', any, [1, 1], 'Least severe level that is mailed: `alert` (a server is down; the default), `notice` (also up and drain), `info` (also checks, with `option log-health-checks`).', readLevel),
];
