/**
 * `uploads.ts {json}`: PUTs bodies over a few kept connections, starts no new one when the time is over, waits for those under way:
 * the bytes sent are exact, which wrk cannot say. Prints counts as one JSON line. A process of its own, started by load/timed.ts.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AnswerReader } from './answers.ts';
import { Latencies, type TimedLoad } from './latencies.ts';
import type { Uploads } from './timed.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as Uploads;
const head = `PUT ${load.path} HTTP/1.1\r\nHost: bench.local\r\nContent-Length: ${load.bytes}\r\n\r\n`;
const piece = Buffer.alloc(131_072, 0x78);
const latencies = new Latencies();
const end = performance.now() + load.seconds * 1000;
let failed = 0;
let failure = '';

async function upload(socket: Socket): Promise<string> {
  const reader = new AnswerReader();
  const answer = new Promise<string>((resolve) => {
    const take = (chunk: Buffer): void => {
      const state = reader.take(chunk);
      if (state === 'more') return;
      socket.off('data', take);
      resolve(state);
    };
    socket.on('data', take);
    socket.once('close', () => resolve('closed before the answer'));
  });
  socket.write(head);
  for (let left = load.bytes; left > 0 && !socket.destroyed; left -= piece.length) {
    if (!socket.write(left < piece.length ? piece.subarray(0, left) : piece)) await Promise.race([once(socket, 'drain'), answer]);
  }
  return answer;
}

async function client(): Promise<void> {
  const options = { host: load.host, port: load.port };
  const socket = load.tls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
  socket.setMaxListeners(0);
  socket.on('error', (error) => { failure = error.message; });
  do {
    const since = performance.now();
    const state = await upload(socket);
    if (state === 'done') latencies.add(performance.now() - since);
    else { failed += 1; failure = failure === '' ? state : failure; break; }
  } while (performance.now() < end);
  socket.destroy();
}

await Promise.all(Array.from({ length: load.connections }, client));
const result: TimedLoad = { planned: latencies.count + failed, answered: latencies.count, failed, failure, ...latencies.percentiles() };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
