/**
 * The table of runtime commands, and the one function that runs a command line. Called by socket.ts for every line; the help
 * texts and the generated documentation come from the same table.
 */
import type { Command, CommandSession } from './command.ts';
import { command, findCommand, helpText, levels, permissionDenied, splitLine, unknownCommand } from './command.ts';
import type { AdminContext } from './context.ts';
import { frontendCommands } from './frontend-commands.ts';
import { patternCommands } from './pattern-commands.ts';
import { serverCommands } from './server-commands.ts';
import { sessionCommands } from './session-commands.ts';
import { showCommands } from './show-commands.ts';
import { tableCommands } from './table-commands.ts';
import { vrrpCommands } from './vrrp-commands.ts';

const help = command('help', 'user', 'help [<command>]', 'list the commands, or those like one', call => helpText(commands, call.args));

/** In the order of their usage, as HAProxy lists them. */
export const commands: readonly Command[] = [...showCommands, ...serverCommands, ...frontendCommands, ...patternCommands, ...tableCommands, ...sessionCommands, ...vrrpCommands, help]
  .sort((left, right) => (left.usage < right.usage ? -1 : 1));

function runWords(context: AdminContext, session: CommandSession, words: readonly string[], payload: string | null): string {
  const found = findCommand(commands, words);
  if (found === undefined) return unknownCommand(commands, words);
  if (levels[session.level] < levels[found.level]) return permissionDenied;
  return found.run({ context, session, args: words.slice(found.words.length), payload });
}

/**
 * Runs one line, which may hold several commands joined by `;`. Every answer ends with an empty line, or, in interactive use,
 * with the prompt. Nothing comes after `quit`.
 */
export function runLine(context: AdminContext, session: CommandSession, line: string, payload: string | null): string {
  let out = '';
  for (const words of splitLine(line)) {
    if (words.length === 0 && session.interactive) out += '\n> ';
    else {
      const answer = runWords(context, session, words, payload);
      if (session.closing) break;
      out += session.interactive ? `${answer}\n> ` : `${answer}\n`;
    }
  }
  context.patterns.flush();
  return out;
}
