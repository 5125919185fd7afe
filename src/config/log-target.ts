/** `log <target> [len N] [format F] [sample R:S] <facility> [max [min]]`, in global and in proxies. Called by their tables. */
import type { LogTarget } from '../model/model.ts';
import { parseAddress } from './address.ts';
import type { AddressRules } from './address.ts';
import type { Reading } from './context.ts';
import { closest, didYouMean } from './problems.ts';

export const facilities = [
  'kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'auth2', 'ftp', 'ntp', 'audit', 'alert', 'cron2',
  'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7',
] as const;

export const levels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

const formats = ['rfc3164', 'rfc5424', 'short', 'raw', 'timed', 'iso', 'local', 'priority'] as const;

const rules: AddressRules = { port: 'optional', range: false, offset: false, fd: true, datagram: true, stream: true, names: true };

const syslogPort = 514;

/** Address of a target; undefined: reported. Null: accepted, but lines cannot be sent there yet. */
function readTarget(reading: Reading, text: string): LogTarget['address'] | null | undefined {
  if (text === 'stdout' || text === 'fd@1') return { kind: 'stdout' };
  if (text === 'stderr' || text === 'fd@2') return { kind: 'stderr' };
  if (text.startsWith('ring@')) {
    reading.warning(text, 'ring buffers are not active yet: nothing is logged here', 'name a syslog server, /dev/log, stdout or stderr beside it');
    return { kind: 'ring', name: text.slice('ring@'.length) };
  }
  if (text.startsWith('backend@')) {
    reading.report('unsupported', text, 'logging to a backend is not supported yet');
    return undefined;
  }
  const parsed = parseAddress(reading.expanded(text), rules);
  if (parsed.address === null) {
    reading.error(text, `'log': ${parsed.fault}`, 'name a syslog server (address:port), a socket path, stdout or stderr');
    return undefined;
  }
  const meant = parsed.address.kind === 'name' ? closest(parsed.address.name, ['stdout', 'stderr']) : '';
  if (meant !== '') {
    reading.error(text, `'${text}' is not a log target`, `did you mean '${meant}'?`);
    return undefined;
  }
  if (parsed.address.kind === 'fd') {
    reading.report('unsupported', text, 'logging to a file descriptor other than 1 and 2 is not supported yet', 'use stdout or stderr');
    return undefined;
  }
  if (parsed.transport === 'stream') {
    reading.warning(text, 'syslog over TCP is not active yet: nothing is logged here', 'use UDP, /dev/log, stdout or stderr');
    return null;
  }
  const { address } = parsed;
  if (address.kind === 'inet' && address.port === 0) return { ...address, port: syslogPort, portLast: syslogPort };
  if (address.kind === 'name' && address.port === 0) return { ...address, port: syslogPort };
  return address;
}

function readSample(reading: Reading, text: string): LogTarget['sample'] {
  const match = /^(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*):(\d+)$/.exec(text);
  const size = Number(match?.[2] ?? 0);
  const ranges = (match?.[1] ?? '').split(',').map((range) => {
    const [low = '0', high = low] = range.split('-');
    return [Number(low), Number(high)] as const;
  });
  if (match === null || size === 0 || ranges.some(([low, high]) => low < 1 || low > high || high > size)) {
    reading.error(text, `'log … sample' needs ranges and a size such as 1:10 or 1-2,5:10, not '${text}'`);
    return null;
  }
  return { ranges: ranges.toSorted((left, right) => left[0] - right[0]), size };
}

/** Reads the words after `log`. Undefined: reported, or accepted but without a place to log to yet. */
export function readLogTarget(reading: Reading): LogTarget | undefined {
  const address = readTarget(reading, reading.arg(0));
  let lengthBytesMax = 1024;
  let format: LogTarget['format'] | undefined;
  let sample: LogTarget['sample'] = null;
  let at = 1;
  for (; ['len', 'format', 'sample', 'profile'].includes(reading.arg(at)); at += 2) {
    const value = reading.arg(at + 1);
    if (reading.arg(at) === 'len') lengthBytesMax = reading.count(value, "'log … len'", 80, 65535) ?? 1024;
    else if (reading.arg(at) === 'format') format = reading.choice(value, "'log … format'", formats);
    else if (reading.arg(at) === 'sample') sample = readSample(reading, value);
    else reading.warning('profile', 'log profiles are not active yet: the usual format is used');
  }
  const word = reading.arg(at);
  const facility = facilities.findIndex((each) => each === word);
  if (word === '') {
    reading.error('log', "'log' needs an address and a facility", "write 'log 127.0.0.1:514 local0'");
    return undefined;
  }
  if (facility < 0) {
    reading.error(word, `unknown log facility '${word}'`, didYouMean(word, facilities) || 'use local0 to local7, daemon, user …');
    return undefined;
  }
  const levelMax = readLevel(reading, reading.arg(at + 1), 7);
  const levelMin = readLevel(reading, reading.arg(at + 2), 0);
  if (reading.arg(at + 3) !== '') reading.error(reading.arg(at + 3), `unexpected word '${reading.arg(at + 3)}' after the levels of 'log'`);
  if (address === undefined || address === null || levelMax === undefined || levelMin === undefined) return undefined;
  return { address, lengthBytesMax, format: format ?? 'unset', facility, levelMax, levelMin, sample };
}

function readLevel(reading: Reading, word: string, standard: number): number | undefined {
  if (word === '') return standard;
  const found = levels.findIndex((each) => each === word);
  if (found >= 0) return found;
  reading.error(word, `unknown log level '${word}'`, `use one of: ${levels.join(', ')}`);
  return undefined;
}
