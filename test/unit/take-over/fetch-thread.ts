/** Fetches listening sockets in a thread of its own, since it blocks while the test's thread hands them out. */
import { parentPort, workerData } from 'node:worker_threads';
import { fetchFromProcesses, fetchFromSocket } from '../../../src/control/take-over/fetch.ts';
import { ReceivedListeners } from '../../../src/control/take-over/received.ts';
import type { Model } from '../../../src/model/model.ts';

export interface FetchOrder {
  /** '' = from the process `pid`. */
  readonly path: string;
  readonly pid: number;
  readonly model: Model;
}

const { path, pid, model } = workerData as FetchOrder;
const received = new ReceivedListeners();
const failure = path === '' ? (fetchFromProcesses([pid], received), '') : fetchFromSocket(path, received);
const count = received.count;
const threads = received.distribute(model);
received.closeRest();
const port = parentPort;
port?.postMessage({ failure, count, threads });
