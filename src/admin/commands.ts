/**
 * The table of runtime commands, and the one function that runs a command line. Called by socket.ts for every line; the help
 * texts and the generated documentation come from the same table.
 */
import { authorityCommands } from './authority-commands.ts';
import { certificateCommands } from './certificate-commands.ts';
import type { Answer, Command, CommandSession } from './command.ts';
import { command, findCommand, helpText, levels, permissionDenied, splitLine, unknownCommand } from './command.ts';
import type { AdminContext } from './context.ts';
import { dynamicServerCommands } from './dynamic-servers.ts';
import { frontendCommands } from './frontend-commands.ts';
import { patternCommands } from './pattern-commands.ts';
import { reloadCommands } from './reload-commands.ts';
import { serverCommands } from './server-commands.ts';
import { sessionCommands } from './session-commands.ts';
import { showCommands } from './show-commands.ts';
import { streamCommands } from './stream-commands.ts';
import { tableCommands } from './table-commands.ts';
import { vrrpCommands } from './vrrp-commands.ts';
import { waitCommands } from './wait-commands.ts';

const help = command('help', 'user', 'help [<command>]', 'list the commands, or those like one', call => helpText(commands, call.args));

/** In the order of their usage, as HAProxy lists them. */
export const commands: readonly Command[] = [
  ...showCommands,
  ...serverCommands,
  ...frontendCommands,
  ...patternCommands,
  ...tableCommands,
  ...sessionCommands,
  ...streamCommands,
  ...certificateCommands,
  ...authorityCommands,
  ...vrrpCommands,
  ...reloadCommands,
  ...waitCommands,
  ...dynamicServerCommands,
  help,
]
  .sort((left, right) => (left.usage < right.usage ? -1 : 1));

/** First words of commands that only look, or concern this connection alone. */
const lookingWords: ReadonlySet<string> = new Set(['show', 'get', 'help', 'prompt', 'quit', 'user', 'operator', 'wait', 'dump', 'experimental-mode', 'expert-mode']);
const ownSettings: ReadonlySet<string> = new Set(['timeout', 'severity-output']);

/** Whether the command changes what others see: then its answer waits for the threads, and it is kept in the list of events. */
function changes({ words }: Command): boolean {
  return !lookingWords.has(words[0] ?? '') && !(words[0] === 'set' && ownSettings.has(words[1] ?? ''));
}

/** Keys and certificates are no matter of the list of events; nor are long words. */
function spoken(words: readonly string[], payload: string | null): string {
  const text = words.join(' ');
  return `${text.length > 200 ? `${text.slice(0, 200)}…` : text}${payload === null ? '' : ` <<(${payload.length} characters)`}`;
}

async function* pieces(answer: Answer): AsyncGenerator<string> {
  if (typeof answer === 'string') yield answer;
  else if (answer instanceof Promise) yield await answer;
  else yield* answer;
}

/**
 * Runs one line, which may hold several commands joined by `;`. Every answer ends with an empty line, or, in interactive use, with
 * the prompt. Nothing comes after `quit`. Answers of changes come when every traffic thread goes by them.
 */
export async function* runLine(context: AdminContext, session: CommandSession, line: string, payload: string | null): AsyncGenerator<string> {
  let held = '';
  const all = splitLine(line);
  for (const [index, words] of all.entries()) {
    const own = index === all.length - 1 ? payload : null;
    const found = findCommand(commands, words);
    const allowed = found !== undefined && levels[session.level] >= levels[found.level];
    const isChange = allowed && changes(found);
    if (held !== '' && !isChange) {
      yield* released(context, held);
      held = '';
    }
    const ending = (): string => (session.interactive ? '\n> ' : '\n');
    // Somebody has pressed Return.
    if (words.length === 0 && session.interactive) yield ending();
    else if (!allowed) yield (found === undefined ? unknownCommand(commands, words) : permissionDenied) + ending();
    else if (isChange) {
      for await (const piece of pieces(found.run({ context, session, args: words.slice(found.words.length), payload: own }))) held += piece;
      held += ending();
      context.eventLog.command(session, spoken(words, own), context.clock.dateMs());
    } else {
      yield* pieces(found.run({ context, session, args: words.slice(found.words.length), payload: own }));
      if (session.closing) return;
      yield ending();
    }
  }
  if (held !== '') yield* released(context, held);
}

async function* released(context: AdminContext, answer: string): AsyncGenerator<string> {
  context.patterns.flush();
  await context.threads.ask({ kind: 'settled' });
  yield answer;
}
