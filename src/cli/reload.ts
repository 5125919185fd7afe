/** `poise reload`, `poise upgrade`: asks the balancer that runs with a configuration over its runtime socket, and prints its answer. Called by main.ts. */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { loadConfiguration } from '../config/load.ts';
import { usageText } from './version.ts';

/** A big configuration is parsed meanwhile. */
const answerMsMax = 120_000;

/** Rejects with words for the operator. */
function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.setTimeout(answerMsMax, () => socket.destroy(new Error(`no answer within ${answerMsMax / 1000} s`)));
    socket.on('data', (chunk) => { text += chunk.toString(); });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

/** The first unix socket of level admin; '' = there is none. */
function socketOf(files: readonly string[]): string {
  const sockets = loadConfiguration(files).model?.global.statsSockets ?? [];
  for (const { address, level } of sockets) if (level === 'admin' && address.kind === 'unix' && !address.abstract) return address.path;
  return '';
}

/** Gives the exit code: 0 done, 1 nothing was changed or nobody answers. */
export async function reload(word: 'reload' | 'upgrade', words: readonly string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({ args: [...words], options: { file: { type: 'string', short: 'f', multiple: true }, socket: { type: 'string' } } }));
  } catch (error) {
    console.error(`poise ${word}: ${error instanceof Error ? error.message : String(error)}\n\n${usageText}`);
    return 1;
  }
  const path = values.socket ?? socketOf(values.file ?? ['/etc/poise/haproxy.cfg']);
  if (path === '') {
    console.error(`poise ${word}: found no 'stats socket PATH level admin' in the configuration; name the socket with --socket PATH, or send SIGHUP to the process`);
    return 1;
  }
  try {
    const answer = await ask(path, word);
    process.stdout.write(answer.replace(/^Success=[01]\n--\n/, '').trimEnd());
    process.stdout.write('\n');
    return answer.startsWith('Success=1') || answer.startsWith('A new worker') ? 0 : 1;
  } catch (error) {
    console.error(`poise ${word}: ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
