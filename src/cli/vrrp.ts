/** `poise vrrp -f keepalived.conf`: the VRRP half alone, beside a real HAProxy or anything else; `poise vrrp status` asks it. Called by main.ts. */
import { parseArgs } from 'node:util';
import { loadKeepalived } from '../config/keepalived/load.ts';
import { loadConfiguration } from '../config/load.ts';
import { nodeLog } from '../process/high-availability.ts';
import { NodeMail } from '../process/node-mail.ts';
import { askNode, NodeStatus, writeKeepalivedFiles } from '../process/node-status.ts';
import { Notices } from '../process/notices.ts';
import { spawnVrrp } from '../process/parent.ts';
import { VrrpNode } from '../vrrp/node.ts';
import { statusTable } from '../vrrp/status-text.ts';
import { printProblems } from './print-problems.ts';
import { usageText } from './version.ts';

/** `poise vrrp status -f keepalived.conf [--json]`: asks the node that runs with this file. */
async function status(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...words], options: { file: { type: 'string', short: 'f', default: '/etc/keepalived/keepalived.conf' }, json: { type: 'boolean', default: false } } });
  const found = await askNode(values.file);
  if (typeof found === 'string') {
    console.error(`poise vrrp status: ${found}`);
    return 1;
  }
  process.stdout.write(values.json ? `${JSON.stringify(found, null, 2)}\n` : statusTable(found, Date.now()));
  return 0;
}

export async function vrrp(words: readonly string[]): Promise<number> {
  if (words[0] === 'status') return status(words.slice(1));
  let options;
  try {
    options = parseArgs({ args: [...words], options: { file: { type: 'string', short: 'f' }, check: { type: 'boolean', short: 't', default: false }, 'config-id': { type: 'string', short: 'i' }, settings: { type: 'string', short: 's' } } });
  } catch (error) {
    console.error(`poise vrrp: ${error instanceof Error ? error.message : String(error)}\n\n${usageText}`);
    return 1;
  }
  const { file, check, 'config-id': configId, settings } = options.values;
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
  const poise = settings === undefined ? undefined : loadConfiguration([settings]);
  if (poise !== undefined) printProblems(poise.problems, notices);
  if (poise !== undefined && poise.model === undefined) return 1;
  const log = nodeLog(notices);
  const mail = new NodeMail(model, poise?.model?.poise, log);
  const node = new VrrpNode({ model, spawn: spawnVrrp, log, onReport: (report) => { mail.hear(report); }, answeredHere: () => false });
  node.start();
  const told = new NodeStatus(file, () => node.status(), (text) => { notices.warning(text); });
  process.on('SIGUSR1', () => { void node.status().then((instances) => { writeKeepalivedFiles('data', instances, model); }); });
  process.on('SIGUSR2', () => { void node.status().then((instances) => { writeKeepalivedFiles('stats', instances, model); }); });
  process.on('SIGHUP', () => {
    printProblems(loadKeepalived(file, configId === undefined ? {} : { configId }).problems, notices);
    notices.warning(`SIGHUP received: ${file} was checked; its changes are used after a restart.`);
  });
  // There is no balancer whose checks have to run first.
  node.ready();
  const stopped = Promise.withResolvers<number>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { void node.stop().then(() => mail.close()).then(() => { told.close(); stopped.resolve(0); }); });
  return stopped.promise;
}
