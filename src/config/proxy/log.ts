/** `log`, `no log`, `log global`, log formats and unique ids of a proxy. Rows of the proxy table. */
import { readLogTarget } from '../log-target.ts';
import { active, many, negatable } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import type { Deferred } from '../draft.ts';
import type { ProxyReading } from './reading.ts';

const any = 'DFLB';

function readLog(reading: ProxyReading): void {
  const { settings } = reading;
  if (reading.line.negation !== '') {
    if (reading.args.length > 0) reading.error(reading.arg(0), "'no log' takes no further words");
    settings.logTargets = [];
    return;
  }
  reading.mark('log');
  if (reading.arg(0) === 'global' && reading.args.length === 1) {
    // Targets that are there already are not added twice.
    const missing = reading.context.draft.global.logTargets.filter((target) => !settings.logTargets.includes(target));
    settings.logTargets = [...settings.logTargets, ...missing];
    return;
  }
  const target = readLogTarget(reading);
  if (target !== undefined) settings.logTargets = [...settings.logTargets, target];
}

/** One log-format string, kept as text until the mode of the proxy is known. */
function deferred(reading: ProxyReading): Deferred {
  if (reading.args.length > 1) {
    reading.error(reading.arg(1), `'${reading.keyword}' takes one argument, found '${reading.arg(1)}' too`, 'put the format in quotes, or escape its blanks with backslashes');
  }
  return { text: reading.arg(0), place: reading.place };
}

function readLogFormat(reading: ProxyReading): void {
  reading.settings.log = { style: 'custom', format: deferred(reading) };
  reading.mark('log format');
}

export const logRows: readonly Keyword<ProxyReading>[] = [
  negatable('log', any, [0, many], 'Where log lines go.', readLog),
  active('log-format', any, [1, many], 'Own format of the log line.', readLogFormat),
  active('error-log-format', any, [1, many], 'Own format of the line for connections that fail before a request.', (reading) => {
    reading.settings.errorLogFormat = deferred(reading);
  }),
  active('log-format-sd', any, [1, many], 'Structured data of RFC 5424 lines.', (reading) => {
    reading.settings.logFormatSd = deferred(reading);
  }),
  active('unique-id-format', any, [1, many], 'Format of the id given to each request.', (reading) => {
    reading.settings.uniqueIdFormat = deferred(reading);
  }),
  active('unique-id-header', any, [1, 1], 'Header in which the id is sent to the server.', (reading) => {
    reading.settings.uniqueIdHeader = reading.arg(0);
  }),
];
