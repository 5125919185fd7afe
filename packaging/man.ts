/**
 * The manual page poise(1), made from the usage text of the program, so that both always tell the same. Used by packaging/deb.ts and
 * the tests; gives roff with the man macros.
 */
import { poiseVersion, releaseDate } from '../src/model/process-statistics.ts';
import { usageText } from '../src/cli/version.ts';

interface Entry { readonly words: string; readonly help: string }

/** Text in roff: backslashes and hyphens as themselves, no line that begins with a control character. */
function roff(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^([.'])/gm, '\\&$1');
}

/** `  words  help` with indented lines that go on, by block of the usage text. */
function entriesOf(block: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of block.split('\n')) {
    const head = /^ {2}(\S.*?) {2,}(\S.*)$/.exec(line);
    const last = entries.at(-1);
    if (head !== null) entries.push({ words: head[1] ?? '', help: head[2] ?? '' });
    else if (last !== undefined && line.trim() !== '') entries[entries.length - 1] = { words: last.words, help: `${last.help} ${line.trim()}` };
  }
  return entries;
}

function list(entries: readonly Entry[]): string {
  return entries.map(({ words, help }) => `.TP\n.B ${roff(words)}\n${roff(help)}\n`).join('');
}

/** Each `poise …` of the usage on a line of its own. */
function synopsis(block: string): string {
  const lines = block.replace(/^Usage: /, '       ').replaceAll(/\n {8,}/g, ' ').split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').map((line) => `.B poise\n${roff(line.replace(/^poise */, ''))}\n`).join('.br\n');
}

const signals: readonly Entry[] = [
  { words: 'SIGUSR2, SIGHUP', help: 'Reload. A configuration with problems changes nothing.' },
  { words: 'SIGUSR1', help: 'Soft stop: no new connections; ends when the last one has ended or hard-stop-after has passed.' },
  { words: 'SIGTERM, SIGINT', help: 'Stop at once.' },
];

const files: readonly Entry[] = [
  { words: '/etc/poise/*.cfg', help: 'Configuration: sections of haproxy.cfg, and the poise section.' },
  { words: '/etc/default/poise', help: 'CONFIG and EXTRAOPTS of the unit.' },
  { words: '/run/poise/admin.sock', help: 'The runtime socket of the configuration that comes with the package.' },
  { words: '/var/lib/poise', help: 'Counters and states that outlast restarts, and mail that waits.' },
];

const exitCodes: readonly Entry[] = [
  { words: '0', help: 'Ended as asked, or the configuration is valid.' },
  { words: '1', help: 'The command line or the configuration has a fault, or something could not be started; standard error says what.' },
  { words: '2', help: 'With -c: valid, but nothing listens. With check --strict: warnings.' },
  { words: '130, 143', help: 'Ended by SIGINT or SIGTERM.' },
];

export function manualPage(): string {
  const [usage = '', options = '', commands = ''] = usageText.split('\n\n');
  return [
    `.TH POISE 1 "${releaseDate.replaceAll('/', '-')}" "Poise ${poiseVersion}" "User Commands"\n`,
    '.SH NAME\npoise \\- layer\\-7 and layer\\-4 load balancer that reads haproxy.cfg and keepalived.conf\n',
    `.SH SYNOPSIS\n.nh\n.ad l\n${synopsis(usage)}`,
    '.SH DESCRIPTION\n',
    `${roff('Poise routes, checks, balances, terminates TLS, logs and counts as HAProxy does, by the same configuration files, and moves virtual addresses between two nodes as keepalived does. Command lines of HAProxy work unchanged.')}\n`,
    `.SH OPTIONS\n${list(entriesOf(options))}`,
    `.SH COMMANDS\n${list(entriesOf(commands))}`,
    `.SH SIGNALS\n${list(signals)}`,
    `.SH FILES\n${list(files)}`,
    `.SH EXIT STATUS\n${list(exitCodes)}`,
    '.SH SEE ALSO\n.BR haproxy (1),\n.BR keepalived (8),\n/usr/share/doc/poise\n',
  ].join('');
}
