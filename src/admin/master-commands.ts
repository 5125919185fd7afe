/**
 * The command line of the master's socket (`-S`; management manual, 9.4): a few commands of its own, and `@1`, `@!<pid>` in front of those for a
 * balancer process. Made by process/master-socket.ts, which knows the processes. Unlike on a runtime socket the connection stays open after an
 * answer. The answers are HAProxy's.
 */
import { productVersion } from '../model/process-statistics.ts';
import type { Command, CommandSession } from './command.ts';
import { command, findCommand, helpText, levels, permissionDenied, splitLine, unknownCommand } from './command.ts';
import type { LineRunner } from './command-connection.ts';

export interface ListedProcess {
  readonly pid: number;
  /** Reloads since it was started (master), or that it has outlived (an old worker). */
  readonly reloads: number;
  readonly uptimeSeconds: number;
}

/** What the socket asks of the master. */
export interface MasterView {
  list(): { readonly master: ListedProcess; readonly failedReloads: number; readonly workers: readonly ListedProcess[]; readonly oldWorkers: readonly ListedProcess[] };
  /** The last reload failed. */
  failed(): boolean;
  /** Reloads the current balancer process; gives its answer. */
  reload(session: CommandSession): AsyncIterable<string>;
  /** Runs a line in a balancer process, undefined when there is no such one. */
  ask(pid: number, session: CommandSession, line: string, payload: string | null): AsyncIterable<string> | undefined;
}

const columnWidth = 15;

function row(words: readonly string[]): string {
  return `${words.map(word => word.padEnd(columnWidth)).join(' ')}\n`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function uptime(seconds: number): string {
  return `${Math.floor(seconds / 86_400)}d${two(Math.floor(seconds / 3600) % 24)}h${two(Math.floor(seconds / 60) % 60)}m${two(seconds % 60)}s`;
}

function processRow({ pid, reloads, uptimeSeconds }: ListedProcess, kind: string, failed = ''): string {
  return row([String(pid), kind, `${reloads}${failed}`, uptime(uptimeSeconds), productVersion]);
}

function showProcesses(view: MasterView): string {
  const { master, failedReloads, workers, oldWorkers } = view.list();
  const old = oldWorkers.length === 0 ? '' : `# old workers\n${oldWorkers.map(one => processRow(one, 'worker')).join('')}`;
  return row(['#<PID>', '<type>', '<reloads>', '<uptime>', '<version>']) + processRow(master, 'master', ` [failed: ${failedReloads}]`) +
    `# workers\n${workers.map(one => processRow(one, 'worker')).join('')}${old}# programs\n`;
}

/** Only words, levels and helps: the runner does the work. */
const table: readonly Command[] = [
  command('@!<pid>', 'user', '@!<pid>', 'let the process <pid> run a command, or all that follow', () => ''),
  command('@<relative pid>', 'user', '@<relative pid>', 'let the current balancer (1) run a command, or all that follow', () => ''),
  command('@master', 'user', '@master', 'let the master run a command, or all that follow', () => ''),
  command('operator', 'operator', 'operator', 'lower the level of this connection to operator', () => ''),
  command('reload', 'operator', 'reload', 'take the configuration files up again; ends this connection', () => ''),
  command('show cli level', 'user', 'show cli level', 'tell the level of this connection', () => ''),
  command('show cli sockets', 'user', 'show cli sockets', 'list the runtime sockets of the master: none but this one', () => ''),
  command('show proc', 'user', 'show proc', 'list the processes', () => ''),
  command('show version', 'user', 'show version', 'tell the version', () => ''),
  command('user', 'user', 'user', 'lower the level of this connection to user', () => ''),
  command('experimental-mode', 'admin', 'experimental-mode [on|off]', 'allow experimental commands in the processes', () => ''),
  command('expert-mode', 'admin', 'expert-mode [on|off]', 'allow commands for experts in the processes', () => ''),
  command('help', 'user', 'help [<command>]', 'list the commands, or those like one', () => ''),
  command('prompt', 'user', 'prompt', 'turn interactive use with a prompt on or off', () => ''),
  command('quit', 'user', 'quit', 'end this connection', () => ''),
];

/** One connection. */
class MasterRunner implements LineRunner {
  readonly stays = true;
  readonly handOut = null;
  private readonly view: MasterView;
  /** Process that all commands without prefix go to, 0 = the master. */
  private target = 0;

  constructor(view: MasterView) {
    this.view = view;
  }

  async* run(session: CommandSession, line: string, payload: string | null): AsyncGenerator<string> {
    const parts = splitCommands(line);
    for (const [index, part] of parts.entries()) {
      yield* this.runOne(session, part, index === parts.length - 1 ? payload : null);
      if (session.closing) return;
    }
  }

  private async* runOne(session: CommandSession, part: string, payload: string | null): AsyncGenerator<string> {
    const [, prefix = '', rest = ''] = /^\s*(@\S*)?\s*(.*)$/s.exec(part) ?? [];
    const target = prefix === '' ? this.target : this.processOf(prefix);
    if (target === undefined) {
      session.closing = true;
      yield `Can't find the target PID matching the prefix '${prefix}'\n`;
      return;
    }
    if (prefix !== '' && rest === '') this.target = target;
    else if (target === 0 || (prefix === '' && (rest === 'quit' || rest === 'prompt'))) yield* this.own(session, rest);
    else yield* this.inProcess(target, session, rest, payload);
    yield this.prompt(session);
  }

  private async* inProcess(target: number, session: CommandSession, line: string, payload: string | null): AsyncGenerator<string> {
    // They concern this connection, which is not the process's.
    if (line === 'quit' || line === 'prompt') return;
    const answer = this.view.ask(target, session, line, payload);
    if (answer !== undefined) yield* answer;
    else {
      session.closing = true;
      yield `Can't find the target PID matching the prefix '@!${target}'\n`;
    }
  }

  private async* own(session: CommandSession, line: string): AsyncGenerator<string> {
    const words = splitLine(line)[0] ?? [];
    if (words.length === 0 && session.interactive) return;
    const found = findCommand(table, words);
    if (found === undefined) yield `${unknownCommand(table, words)}\n`;
    else if (levels[session.level] < levels[found.level]) yield `${permissionDenied}\n`;
    else yield* this.known(session, found.words.join(' '), words.slice(found.words.length));
  }

  private async* known(session: CommandSession, name: string, args: readonly string[]): AsyncGenerator<string> {
    switch (name) {
      case 'prompt': session.interactive = !session.interactive; return;
      case 'quit': session.closing = true; return;
      case 'operator': case 'user': session.level = name; return;
      case 'expert-mode': session.expert = args[0] === undefined ? session.expert : args[0] === 'on'; return;
      case 'experimental-mode': session.experimental = args[0] === undefined ? session.experimental : args[0] === 'on'; return;
      case 'show proc': yield `${showProcesses(this.view)}\n`; return;
      case 'reload': {
        yield* this.view.reload({ ...session, level: 'admin' });
        session.closing = true;
        return;
      }
      case 'show cli level': yield `${session.level}\n\n`; return;
      case 'show version': yield `${productVersion}\n\n`; return;
      case 'help': yield `${helpText(table, args)}\n`; return;
      default: yield '\n';
    }
  }

  /** The prompt tells who is spoken to. */
  private prompt(session: CommandSession): string {
    if (!session.interactive) return '';
    const modes = `${session.experimental ? 'x' : ''}${session.expert ? 'e' : ''}`;
    const who = this.target === 0 ? `master${this.view.failed() ? '[ReloadFailed]' : ''}` : String(this.target);
    return `${who}${modes === '' ? '' : `(${modes})`}> `;
  }

  /** 0 = the master. */
  private processOf(prefix: string): number | undefined {
    if (prefix === '@' || prefix === '@master') return 0;
    const { master, workers, oldWorkers } = this.view.list();
    const pid = Number(/^@!(\d+)$/.exec(prefix)?.[1] ?? -1);
    if (pid === master.pid) return 0;
    if (pid > 0) return [...workers, ...oldWorkers].find(one => one.pid === pid)?.pid;
    const relative = Number(/^@(\d+)$/.exec(prefix)?.[1] ?? -1);
    return relative === 0 ? 0 : workers[relative - 1]?.pid;
  }
}

/** Splits at `;` and leaves the rest as it is written, since another process reads it. */
function splitCommands(line: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < line.length; index++) {
    if (line.charAt(index) === '\\') index += 1;
    else if (line.charAt(index) === ';') {
      parts.push(line.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(line.slice(start));
  return parts;
}

export function masterRunner(view: MasterView): LineRunner {
  return new MasterRunner(view);
}
