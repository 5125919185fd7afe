/**
 * Entry of a traffic thread: makes the plan, binds, and answers the control thread's messages until it is told to stop. Started as
 * a Worker by process/ with a TrafficStart as workerData. A fault nobody foresaw ends the thread; control starts another.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import type { ToControl, ToTraffic, TrafficStart } from '../model/messages.ts';
import { TrafficThread } from './traffic-thread.ts';

const port = parentPort;
if (port === null) throw new TypeError('traffic thread without parent');

const post = (message: ToControl): void => port.postMessage(message);
const thread = new TrafficThread(workerData as TrafficStart, systemClock, post, () => process.exit(0));

process.on('uncaughtException', (error: Error) => {
  post({ type: 'warning', thread: thread.context.threadIndex, message: `traffic thread failed: ${error.stack ?? error.message}` });
  thread.context.logs.flush();
  // Messages leave with the next turn of the loop.
  setImmediate(() => process.exit(1));
});
port.on('message', (message: ToTraffic) => thread.receive(message));
void thread.start();
