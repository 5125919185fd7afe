/**
 * Runs a balancer in this process until a signal ends it. Used by cli/run.ts, for a balancer without master and for the child of
 * one. Signals: TERM and INT stop at once, USR1 stops softly, USR2 and HUP reload in place; HUP also writes the state of every server.
 */
import { descriptorSink } from '../control/log-sink.ts';
import { fetchFromProcesses, fetchFromSocket } from '../control/take-over/fetch.ts';
import { ReceivedListeners } from '../control/take-over/received.ts';
import type { Model } from '../model/model.ts';
import { Balancer } from './balancer.ts';
import { holdConnections } from './hold-connections.ts';
import { limitOpenFiles } from './machine.ts';
import { MasterLines } from './master-lines.ts';
import type { Notices } from './notices.ts';
import type { Part, Reading } from './parent.ts';
import { signalPredecessors } from './predecessors.ts';
import type { Predecessors } from './predecessors.ts';
import { isHoldWord, isNodeWord, isReloadWord, tellQuiet, tellReady, tellReloaded } from './parent.ts';

const [quietLookMs, quietLooks] = [10, 3];

interface RunOptions {
  readonly part: Part;
  readonly pidfile: string;
  readonly predecessors: Predecessors;
  /** `-x`: runtime socket of the process whose listening sockets are taken over; '' = not given. */
  readonly socketsFrom: string;
  /** Virtual addresses or systemd's watchdog depend on this process. */
  readonly selfCheck: boolean;
  /** Reads the configuration again, for a reload. */
  readonly read: () => Promise<Reading>;
}

/** Dies of the signal itself, as a program without handler would, so that service managers see a clean stop. */
function dieOf(signal: 'SIGTERM' | 'SIGINT'): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Process 1 of a container does not die of its own signal.
  setTimeout(() => process.exit(signal === 'SIGTERM' ? 143 : 130), 200);
}

/** Calls `then` once nothing has been passed on for some looks: an answer that is on its way takes that long too. */
function whenQuiet(balancer: Balancer, then: () => void): void {
  let quiet = 0;
  const timer = setInterval(() => {
    quiet = balancer.answersNobody() ? quiet + 1 : 0;
    if (quiet < quietLooks) return;
    clearInterval(timer);
    then();
  }, quietLookMs);
}

/** From the one named with `-x`, from those that `-sf` or `-st` end, and at a reload from the balancer that the same master has. '' or what went wrong. */
function takeSockets({ part, predecessors, socketsFrom }: RunOptions, received: ReceivedListeners): string {
  const failure = socketsFrom === '' ? '' : fetchFromSocket(socketsFrom, received);
  const pids = part === 'takeover' ? [process.ppid] : predecessors.pids;
  if (failure === '' && received.count === 0 && pids.length > 0) fetchFromProcesses(pids, received);
  return failure;
}

/** Gives the exit code when it could not start; otherwise never comes back: the process ends by signal or soft stop. */
export async function runBalancer(model: Model, notices: Notices, options: RunOptions): Promise<number> {
  const received = new ReceivedListeners();
  const fetchFailure = takeSockets(options, received);
  if (fetchFailure !== '') {
    notices.warning(fetchFailure);
    notices.alert('Failed to get the sockets from the old process!');
    return 1;
  }
  const probe = options.part !== 'takeover' && options.predecessors.pids.length === 0 && received.count === 0;
  const limitFailure = limitOpenFiles(model.global.openFilesMax);
  if (limitFailure !== '') {
    notices.alert(limitFailure);
    return 1;
  }
  const balancer = new Balancer({ model, notices, pidfile: options.pidfile, selfCheck: options.selfCheck, probe, received, read: options.read });
  const stopAtOnce = (signal: 'SIGTERM' | 'SIGINT'): void => {
    process.removeAllListeners(signal);
    void balancer.quickStop().then(() => notices.flush()).finally(() => dieOf(signal));
  };
  process.on('SIGTERM', () => stopAtOnce('SIGTERM'));
  process.on('SIGINT', () => stopAtOnce('SIGINT'));
  // Before the start: one that comes meanwhile is remembered.
  const reload = (): void => balancer.reloadBySignal(tellReloaded);
  process.on('SIGHUP', () => {
    balancer.dumpStates();
    reload();
  });
  process.on('SIGUSR2', reload);
  const failure = await balancer.start();
  if (failure !== '') {
    for (const line of failure.split('\n')) notices.alert(line);
    return 1;
  }
  process.on('SIGUSR1', () => {
    void balancer.softStop().then(() => notices.flush()).finally(() => process.exit(0));
  });
  const lines = new MasterLines(balancer.commands);
  process.on('message', (message) => {
    lines.hear(message);
    if (isReloadWord(message)) reload();
    else if (isNodeWord(message)) balancer.virtualAddresses = message.virtualAddresses;
    else if (isHoldWord(message)) {
      holdConnections();
      whenQuiet(balancer, tellQuiet);
    }
  });
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  notices.toBackground(descriptorSink(2));
  tellReady();
  if (options.part === '' || options.part === 'daemon') signalPredecessors(options.predecessors, notices);
  // Without its master nobody would ever stop or restart this process.
  if (options.part === 'balancer' || options.part === 'takeover') process.on('disconnect', () => stopAtOnce('SIGTERM'));
  if (options.part === 'daemon') notices.silent = true;
  return new Promise<number>(() => {});
}
