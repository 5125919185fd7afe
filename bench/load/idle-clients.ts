/**
 * `idle-clients.ts ADDRESS PORT`: holds TLS connections open. Reads lines: `open N` opens N more, one request on each, and prints
 * `opened N`; `pulse S` sends one request per second on each for S seconds, evenly spread, and prints counts and latencies as JSON.
 * A process of its own on the load's core, used by workloads/idle.ts.
 */
import { createInterface } from 'node:readline';
import { connect, type TLSSocket } from 'node:tls';
import { AnswerReader } from './answers.ts';
import { Latencies, type TimedLoad } from './latencies.ts';
import { runPlan } from './schedule.ts';

const [host = '', port = ''] = process.argv.slice(2);
const openAtOnce = 50;
const request = 'GET /owa/idle HTTP/1.1\r\nHost: bench.local\r\n\r\n';

interface Held {
  readonly socket: TLSSocket;
  readonly reader: AnswerReader;
  /** Planned times of the request that is out and of those that wait behind it. */
  readonly planned: number[];
  answered: (wrong: string) => void;
}
const held: Held[] = [];

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => socket.write(request));
    const one: Held = { socket, reader: new AnswerReader(), planned: [], answered: (wrong) => { if (wrong === '') { held.push(one); resolve(); } else reject(new Error(wrong)); } };
    socket.on('data', (chunk: Buffer) => {
      const state = one.reader.take(chunk);
      if (state !== 'more') one.answered(state === 'done' ? '' : state);
    });
    socket.on('error', (error) => one.answered(error.message));
    socket.on('close', () => { console.error('an idle connection was closed'); process.exit(1); });
  });
}

async function openMore(count: number): Promise<void> {
  const wanted = held.length + count;
  while (held.length < wanted) await Promise.all(Array.from({ length: Math.min(openAtOnce, wanted - held.length) }, open));
  console.log(`opened ${count}`);
}

function pulse(seconds: number): void {
  const latencies = new Latencies();
  let failed = 0;
  let failure = '';
  let turn = 0;
  let sent = false;
  let planned = 0;
  const finish = (): void => {
    if (!sent || latencies.count + failed < planned) return;
    const result: TimedLoad = { planned, answered: latencies.count, failed, failure, ...latencies.percentiles() };
    console.log(JSON.stringify(result));
  };
  planned = runPlan({
    ratePerSecond: held.length,
    seconds,
    send: (since) => {
      const one = held[turn % held.length];
      turn += 1;
      if (one === undefined) return;
      one.answered = (wrong) => {
        const sentFor = one.planned.shift();
        if (wrong === '' && sentFor !== undefined) latencies.add(performance.now() - sentFor);
        else { failed += 1; failure = wrong; }
        if (one.planned.length > 0) one.socket.write(request);
        finish();
      };
      // A slow subject may still owe the answer of a second ago: one request at a time on each connection.
      if (one.planned.push(since) === 1) one.socket.write(request);
    },
    done: () => { sent = true; finish(); },
  });
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, number] = line.split(' ');
  if (command === 'open') openMore(Number(number)).catch((error: unknown) => { console.error(String(error)); process.exit(1); });
  else if (command === 'pulse') pulse(Number(number));
}).on('close', () => process.exit(0));
