/**
 * `-D` and `daemon`: starts the program again in a session of its own, shows what it says until it serves, then leaves it alone.
 * Used by cli/run.ts. So a daemon that cannot start still says why on the terminal and gives exit code 1.
 */
import { spawnPart } from './parent.ts';

/** Exit code for the launcher. */
export function launchDaemon(words: readonly string[], descriptors: readonly number[]): Promise<number> {
  const child = spawnPart('daemon', words, { detached: true, output: 'pipe', descriptors });
  child.stdout?.pipe(process.stdout);
  child.stderr?.pipe(process.stderr);
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (message !== 'ready') return;
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
