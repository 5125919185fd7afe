/** `poise vrrp -f keepalived.conf`: the VRRP half alone, beside a real HAProxy or anything else. Called by main.ts. */
import { parseArgs } from 'node:util';
import { loadKeepalived } from '../config/keepalived/load.ts';
import { Notices } from '../process/notices.ts';
import { spawnVrrp } from '../process/parent.ts';
import { type LogLevel, VrrpNode } from '../vrrp/node.ts';
import { printProblems } from './print-problems.ts';
import { usageText } from './version.ts';

export async function vrrp(words: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseArgs({ args: [...words], options: { file: { type: 'string', short: 'f' }, check: { type: 'boolean', short: 't', default: false }, 'config-id': { type: 'string', short: 'i' } } });
  } catch (error) {
    console.error(`poise vrrp: ${error instanceof Error ? error.message : String(error)}\n\n${usageText}`);
    return 1;
  }
  const { file, check, 'config-id': configId } = options.values;
  if (file === undefined) {
    console.error(`poise vrrp: no keepalived.conf given (-f)\n\n${usageText}`);
    return 1;
  }
  const notices = new Notices();
  const { model, problems } = loadKeepalived(file, configId === undefined ? {} : { configId });
  printProblems(problems, notices);
  if (model === undefined) {
    notices.alert('config : Fatal errors found in configuration.');
    return 1;
  }
  if (check) {
    console.log('Configuration file is valid');
    return 0;
  }
  const log = (level: LogLevel, text: string): void => {
    if (level === 'err') notices.alert(text);
    else if (level === 'warning') notices.warning(text);
    else notices.notice(text);
  };
  const node = new VrrpNode({ model, spawn: spawnVrrp, log, onReport: () => { /* everything is in the log */ }, answeredHere: () => false });
  node.start();
  // There is no balancer whose checks have to run first.
  node.ready();
  const stopped = Promise.withResolvers<number>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { void node.stop().then(() => { stopped.resolve(0); }); });
  return stopped.promise;
}
