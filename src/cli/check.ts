/**
 * `poise check`: the problems of a configuration for people and for programs; with --probe also what its servers say of themselves.
 * Called by main.ts. Starts nothing.
 * Exit codes: 0 = valid, 1 = errors, 2 = warnings with --strict.
 */
import { parseArgs } from 'node:util';
import { loadKeepalived } from '../config/keepalived/load.ts';
import { verifyMailServer } from '../config/keepalived/mail-server.ts';
import { verifyPair } from '../config/keepalived/pair.ts';
import { loadConfiguration } from '../config/load.ts';
import type { KeepalivedModel } from '../model/keepalived.ts';
import { Notices } from '../process/notices.ts';
import { isFatal, printProblems, problemsJson } from './print-problems.ts';
import { probe, probeText } from './probe.ts';
import { defaultThreads } from './run.ts';
import { usageText } from './version.ts';

export async function check(words: readonly string[]): Promise<number> {
  let options;
  try {
    options = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { file: { type: 'string', short: 'f', multiple: true, default: [] }, json: { type: 'boolean', default: false }, strict: { type: 'boolean', default: false }, probe: { type: 'boolean', default: false }, keepalived: { type: 'string', multiple: true, default: [] } },
    });
  } catch (error) {
    console.error(`poise check: ${error instanceof Error ? error.message : String(error)}\n\n${usageText}`);
    return 1;
  }
  const files = [...options.values.file, ...options.positionals];
  const { keepalived } = options.values;
  if (files.length === 0 && keepalived.length === 0) {
    console.error(`poise check: no configuration file given\n\n${usageText}`);
    return 1;
  }
  const nodes = keepalived.map((file) => loadKeepalived(file));
  const models = nodes.flatMap((node) => node.model ?? []);
  const balancer = files.length === 0 ? undefined : loadConfiguration(files, { cpus: defaultThreads(), diagnostics: true });
  const probed = options.values.probe && balancer?.model !== undefined ? await probe(balancer.model) : undefined;
  const problems = [
    ...balancer?.problems ?? [], ...probed?.problems ?? [],
    ...nodes.flatMap((node) => node.problems), ...models.length === 2 ? verifyPair(models[0] as KeepalivedModel, models[1] as KeepalivedModel) : [],
    ...models.flatMap((node) => (balancer?.model === undefined ? [] : verifyMailServer(balancer.model, node))),
  ];
  const fatal = problems.some(isFatal);
  if (options.values.json) console.log(problemsJson(problems, probed?.rows));
  else {
    if (balancer?.model !== undefined && probed !== undefined) console.log(probeText(balancer.model, probed.rows));
    printProblems(problems, new Notices());
    if (!fatal) console.log('Configuration file is valid');
  }
  if (fatal) return 1;
  return options.values.strict && problems.some((problem) => problem.severity === 'warning') ? 2 : 0;
}
