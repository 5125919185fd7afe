/**
 * `handshakes.ts {json}`: one TLS connection per request, full or resumed handshakes, closed loop (`ratePerSecond` 0) or at a
 * fixed rate; prints counts and latencies as one JSON line. A process of its own on the load's core, on Node, started by
 * load/timed.ts. TLS 1.3 with X25519 for every subject. A handshake of the other kind than asked for counts as failed.
 */
import { connect, createSecureContext } from 'node:tls';
import { AnswerReader } from './answers.ts';
import { Latencies, type TimedLoad } from './latencies.ts';
import { runPlan } from './schedule.ts';
import type { Handshakes } from './timed.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as Handshakes;
const secureContext = createSecureContext({ minVersion: 'TLSv1.3', ecdhCurve: 'X25519' });
const request = 'GET /owa/handshake HTTP/1.1\r\nHost: bench.local\r\nConnection: close\r\n\r\n';
const latencies = new Latencies();
let session: Buffer | undefined;
let failed = 0;
let failure = '';
let running = 0;

/** `expectReused` undefined: the first connection of a resumed run, which fetches the session and does not count. */
function shake(since: number, expectReused: boolean | undefined, done: () => void): void {
  running += 1;
  const reader = new AnswerReader();
  let state = 'more';
  const socket = connect({ host: load.host, port: load.port, secureContext, rejectUnauthorized: false, ...(session === undefined || !load.resumed ? {} : { session }) }, () => {
    if (expectReused !== undefined && socket.isSessionReused() !== expectReused) state = expectReused ? 'the session was not resumed' : 'the session was resumed';
    socket.write(request);
  });
  if (load.resumed) socket.on('session', (ticket) => { session = ticket; });
  socket.on('data', (chunk: Buffer) => { if (state === 'more') state = reader.take(chunk); });
  socket.on('error', (error) => { if (state === 'more') state = error.message; });
  socket.on('close', () => {
    running -= 1;
    if (state === 'done') { if (expectReused !== undefined) latencies.add(performance.now() - since); }
    else { failed += 1; if (failure === '') failure = state === 'more' ? 'closed before the answer' : state; }
    done();
  });
  // The answer's length says when it is complete; the subject closes first, as it was asked to.
}

function report(planned: number): void {
  const result: TimedLoad = { planned, answered: latencies.count, failed, failure, ...latencies.percentiles() };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function closedLoop(): void {
  const end = performance.now() + load.seconds * 1000;
  const next = (): void => {
    if (performance.now() < end) shake(performance.now(), load.resumed, next);
    else if (running === 0) report(latencies.count + failed);
  };
  for (let at = 0; at < load.connections; at++) next();
}

function openLoop(): void {
  let sent = false;
  let planned = 0;
  const finish = (): void => { if (sent && running === 0) report(planned); };
  planned = runPlan({ ratePerSecond: load.ratePerSecond, seconds: load.seconds, send: (since) => shake(since, load.resumed, finish), done: () => { sent = true; finish(); } });
}

const begin = load.ratePerSecond === 0 ? closedLoop : openLoop;
if (load.resumed) {
  shake(performance.now(), undefined, begin);
} else {
  begin();
}
