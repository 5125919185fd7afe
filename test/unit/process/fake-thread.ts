/** A traffic thread for traffic-threads.test.ts that does what `internalKey` says: the real one is not wanted there. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ToControl, ToTraffic, TrafficStart } from '../../../src/model/messages.ts';
import { P, Segments } from '../../../src/shared/segments.ts';

const start = workerData as TrafficStart;
const segments = new Segments(start.shared);
const own = segments.process(start.threadIndex);
const behaviour = start.internalKey;
const port = parentPort;
const post = (message: ToControl): void => port?.postMessage(message);
const log = (message: string): void => post({ type: 'warning', thread: start.threadIndex, message });

const beat = setInterval(() => { own[P.heartbeat_ms] = (own[P.heartbeat_ms] ?? 0) + 1; }, 5);
parentPort?.on('message', (message: ToTraffic) => {
  log(`${start.threadIndex} ${message.type}`);
  if (message.type === 'drain') post({ type: 'drained', thread: start.threadIndex });
  if (message.type === 'shutdown-frontend' && start.threadIndex === message.proxy) throw new Error('asked to die');
  if (message.type === 'reload') setTimeout(() => post({ type: 'reload-prepared', thread: start.threadIndex, failures: [] }), behaviour.startsWith('prepares in ') ? Number(behaviour.slice(12)) : 0);
  if (message.type === 'reload-commit') post({ type: 'reload-done', thread: start.threadIndex });
  if (message.type === 'wake-queue' && start.threadIndex === message.proxy) clearInterval(beat);
});
if (behaviour === 'bind-failed') post({ type: 'bind-failed', thread: start.threadIndex, bind: 3, code: 'EADDRINUSE', message: 'in use' });
else if (behaviour === 'throws') throw new Error('cannot run');
else {
  log(`${start.threadIndex} begins`);
  setTimeout(() => post({ type: 'ready', thread: start.threadIndex }), behaviour === 'slow' ? 200 : 0);
}
