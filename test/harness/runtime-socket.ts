/** Client of the runtime socket: one command line per connection, answer read to the end. */
import { connect } from 'node:net';

export function runtimeCommand(path: string, line: string, timeoutMs = 3000): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    const timer = setTimeout(() => { socket.destroy(); reject(new Error(`runtime socket: no end of the answer to ${line}; got ${JSON.stringify(text.slice(0, 200))}`)); }, timeoutMs);
    socket.on('connect', () => socket.write(line.endsWith('\n') ? line : `${line}\n`));
    socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
    socket.on('error', (error) => { clearTimeout(timer); reject(error); });
    socket.on('close', () => { clearTimeout(timer); resolve(text); });
  });
}

/** Numbers of entries and sessions, times left: different in every process. */
const moving = [[/0x[0-9a-f]{6,}/g, '0xREF'], [/exp=\d+/g, 'exp=N']] as const;

/** Each command with its answer, one connection each. `DIR` stands for the site's folder in both. */
export async function answersTo(site: { readonly place: { readonly folder: string }; command(line: string): Promise<string>; anonymous(text: string): string }, commands: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const command of commands) {
    const answer = await site.command(command.replaceAll('DIR', site.place.folder));
    answers.push(`${command} → ${moving.reduce((text, [pattern, word]) => text.replace(pattern, word), site.anonymous(answer))}`);
  }
  return answers;
}
