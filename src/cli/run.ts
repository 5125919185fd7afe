/**
 * Runs the program: reads the configuration, prints its problems, and becomes launcher, master or balancer. Called by main.ts.
 * Nothing is started when the configuration has an error.
 */
import { availableParallelism } from 'node:os';
import { libcProblem } from '../base/libc.ts';
import { atOnce, inSlices } from '../base/slices.ts';
import { configurationSteps, type Loaded } from '../config/load.ts';
import type { Model } from '../model/model.ts';
import { loadKeepalived } from '../config/keepalived/load.ts';
import { verifyMailServer } from '../config/keepalived/mail-server.ts';
import type { KeepalivedModel } from '../model/keepalived.ts';
import { launchDaemon } from '../process/daemon.ts';
import { HighAvailability } from '../process/high-availability.ts';
import { Master } from '../process/master.ts';
import type { Notices } from '../process/notices.ts';
import { askMasterToRead } from '../process/parent.ts';
import type { Part, Reading } from '../process/parent.ts';
import { runBalancer } from '../process/run-balancer.ts';
import { watchdogMs } from '../process/systemd.ts';
import { withoutPredecessors } from './command-line.ts';
import type { CommandLine } from './command-line.ts';
import { readMasterSocket } from './master-socket.ts';
import { isFatal, printProblems, problemText } from './print-problems.ts';

/** Traffic threads when the configuration does not say: one per CPU, as many as HAProxy has at most. */
export function defaultThreads(): number {
  return Math.min(64, Math.max(1, availableParallelism()));
}

function readSteps(line: CommandLine, wholeLines = false): Generator<undefined, Loaded> {
  return configurationSteps(line.files, {
    cpus: defaultThreads(),
    masterWorker: line.masterWorker,
    diagnostics: line.diagnostics,
    wholeLines,
    ...(line.localPeer === '' ? {} : { localPeer: line.localPeer }),
    ...(line.maxconn === 0 ? {} : { maxconn: line.maxconn }),
  });
}

/** For a reload: the same between other work, with the problems as lines. Somebody may be writing the files. */
async function readAgain(line: CommandLine): Promise<Reading> {
  const { model, problems } = await inSlices(readSteps(line, true));
  // Notices were told at the start, and say nothing about what has changed.
  const lines = problems.filter(({ severity }) => severity !== 'notice').map(problemText);
  const refused = problems.some(isFatal) || (line.strict && problems.some((problem) => problem.severity === 'warning'));
  return { model: refused || model === undefined ? null : model, lines };
}

/** The model, or null after everything that is wrong has been printed. */
function readAndPrint(line: CommandLine, notices: Notices): Model | null {
  const { model, problems } = atOnce(readSteps(line));
  printProblems(problems, notices);
  if (model === undefined || problems.some(isFatal)) {
    notices.alert('config : Fatal errors found in configuration.');
    return null;
  }
  if (line.strict && problems.some((problem) => problem.severity === 'warning')) {
    notices.alert("config : Some warnings were found and 'zero-warning' is set. Aborting.");
    return null;
  }
  return model;
}

/** The virtual addresses' side: undefined without --keepalived, null after its problems have been printed. */
function readKeepalived(line: CommandLine, balancer: Model, notices: Notices): KeepalivedModel | null | undefined {
  if (line.keepalived === '') return undefined;
  const { model, problems: own } = loadKeepalived(line.keepalived);
  const problems = [...own, ...model === undefined ? [] : verifyMailServer(balancer, model)];
  printProblems(problems, notices);
  if (model !== undefined && !(line.strict && problems.some((problem) => problem.severity === 'warning'))) return model;
  notices.alert(`config : Problems found in ${line.keepalived}: nothing was started.`);
  return null;
}

function hasListener(model: Model): boolean {
  return model.binds.length > 0 || model.global.statsSockets.length > 0;
}

/** Numbers of `fd@N`, which whoever started the program has opened. */
function inheritedDescriptors({ binds, global }: Model): number[] {
  return [...binds, ...global.statsSockets].flatMap(({ address }) => address.kind === 'fd' ? [address.fd] : []);
}

/** `-c` */
export function runCheck(line: CommandLine, notices: Notices): number {
  const model = readAndPrint(line, notices);
  if (model === null || readKeepalived(line, model, notices) === null) return 1;
  if (!hasListener(model)) {
    console.log('Configuration file has no error but will not start (no listener) => exit(2).');
    return 2;
  }
  if (!line.quiet) console.log('Configuration file is valid');
  return 0;
}

/** Gives the exit code; a balancer that runs ends its process by itself. */
export async function run(line: CommandLine, words: readonly string[], part: Part, notices: Notices): Promise<number> {
  // The launcher and the master have said it already.
  if (part === '') for (const remark of line.remarks) notices.notice(remark);
  const problem = libcProblem();
  if (problem !== '') {
    notices.alert(problem);
    return 1;
  }
  const model = readAndPrint(line, notices);
  if (model === null) return 1;
  if (!hasListener(model)) {
    notices.alert("No enabled listener found (check for 'bind' directives) ! Exiting.");
    return 1;
  }
  // systemd wants to see the process that it has started: -Ws is in the foreground, as HAProxy's, whatever the file says.
  const daemon = (line.daemon || model.global.daemon) && !line.foreground && !line.notify;
  const master = line.masterWorker || model.global.masterWorker || line.keepalived !== '';
  if (daemon && part === '') return launchDaemon(words, inheritedDescriptors(model));
  const { predecessors } = line;
  const pidfile = line.pidfile !== '' ? line.pidfile : daemon || master ? model.global.pidfile : '';
  if (master && part !== 'balancer' && part !== 'takeover') {
    const keepalived = readKeepalived(line, model, notices);
    if (keepalived === null) return 1;
    const highAvailability = keepalived === undefined ? null : new HighAvailability(line.keepalived, keepalived, model.poise, notices);
    const configurationIsValid = (): boolean => readAndPrint(line, notices) !== null;
    const socket = line.masterSocket === '' ? null : readMasterSocket(line.masterSocket);
    if (typeof socket === 'string') {
      notices.alert(socket);
      return 1;
    }
    return new Master({ words, wordsAgain: withoutPredecessors(words), descriptors: inheritedDescriptors(model), notices, socket, pidfile, notify: line.notify, daemon: part === 'daemon', predecessors, highAvailability, configurationIsValid, read: () => readAgain(line) }).run();
  }
  const readAlone = async (): Promise<Reading> => (model.global.chroot === '' ? readAgain(line) : { model: null, lines: [`Locked into ${model.global.chroot} the process cannot read its configuration: a reload needs a master (-W).`] });
  const masterReads = master && (model.global.uid > 0 || model.global.chroot !== '') && process.getuid?.() === 0;
  return runBalancer(model, notices, { part, pidfile: master ? '' : pidfile, predecessors, socketsFrom: line.socketsFrom, read: masterReads ? askMasterToRead : readAlone, selfCheck: line.keepalived !== '' || (line.notify && watchdogMs() > 0) });
}
