/**
 * `npm run soak:reload -- --reloads N --rate R --runtime bun|node --cores 0,1`: reloads in a row under load, and one of a big configuration. Says whether a request
 * failed, a connection was closed, counters are exact, how memory and latency fare, and how long traffic threads stood still. Exit
 * code 1 when something failed. The program runs on core 0 if nothing else is said, clients and origins on core 1.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runtimeCommand } from '../../test/harness/runtime-socket.ts';
import { memoryBytes } from '../machine/cost.ts';
import { KeptClients, LongClients, origin } from './clients.ts';

const host = '127.53.0.1';
const front = { host, port: 8080 };
const origins = [9001, 9002, 9003].map((port) => ({ host, port }));
const kept = 500;
const long = 100;
const baseMs = 5000;
/** For a reload of the big configuration on a busy machine. */
const answerMsMax = 60_000;

const { values } = parseArgs({ options: { reloads: { type: 'string', default: '100' }, rate: { type: 'string', default: '2000' }, runtime: { type: 'string', default: 'bun' }, cores: { type: 'string', default: '0' } } });
const folder = mkdtempSync(join(tmpdir(), 'poise-soak-'));
const [file, socket] = [join(folder, 'lb.cfg'), join(folder, 'admin.sock')];

const general = `global
    stats socket ${socket} mode 600 level admin
    nbthread 2
    maxconn 5000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
`;

/** Each is another one: servers, backends, listeners and rules come and go. */
function configuration(number: number): string {
  const servers = origins.slice(0, 2 + number % 2).map(({ port }, index) => `    server s${index} ${host}:${port} weight ${10 + number % 5} check inter 500\n`).join('');
  return `${general}frontend fe
    bind ${host}:${front.port}
${number % 3 === 0 ? `    bind ${host}:8081\n` : ''}    http-request set-header X-Number ${number}
    acl special path_beg /special${number}
    use_backend other if special
    default_backend be
backend be
${servers}backend other${number % 4 === 0 ? `\n    server o ${host}:9001\nbackend extra` : ''}
    server o ${host}:9001
`;
}

/** `first` and `last`: sections before and after everything. */
function bigConfiguration(backends: number, patterns: number, first = '', last = ''): string {
  const rules = Array.from({ length: patterns }, (_, index) => `    use_backend b${index % backends} if { path_beg /p${index} }\n`).join('');
  const sections = Array.from({ length: backends }, (_, index) => `backend b${index}\n    server s ${host}:9001\n`).join('');
  return `${general}${first}frontend fe\n    bind ${host}:${front.port}\n${rules}    default_backend b0\n${sections}${last}`;
}

function extraBackend(number: number): string {
  return `backend extra${number}\n    server s ${host}:9001\n`;
}

function command(line: string): Promise<string> {
  return runtimeCommand(socket, line, answerMsMax);
}

async function reload(text: string): Promise<number> {
  writeFileSync(file, text);
  const beganMs = performance.now();
  const answer = await command('reload');
  if (!answer.startsWith('Success=1')) throw new Error(answer);
  return performance.now() - beganMs;
}

function listens(): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(front, () => { client.destroy(); resolve(true); });
    client.on('error', () => resolve(false));
  });
}

const programs: ChildProcess[] = [];

async function start(text: string): Promise<ChildProcess> {
  writeFileSync(file, text);
  const program = spawn('taskset', ['-c', values.cores, 'bin/poise', '-f', file, '-db'], { env: { ...process.env, POISE_RUNTIME: values.runtime }, stdio: ['ignore', 'ignore', 'ignore'] });
  programs.push(program);
  for (let looks = 0; looks < 100; looks++) {
    await sleep(100);
    if (await listens()) return program;
  }
  throw new Error('poise did not start');
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function pidOf(): Promise<number> {
  return Number(/^Pid: (\d+)/m.exec(await command('show info'))?.[1] ?? 0);
}

async function underLoad(reloads: number, rate: number): Promise<boolean> {
  const program = await start(configuration(0));
  const pid = await pidOf();
  const clients = new KeptClients(front);
  const longClients = new LongClients();
  await clients.open(kept);
  longClients.open(front, long);
  clients.start(rate);
  await sleep(2000);
  for (let number = 1; number <= 10; number++) await reload(configuration(number % 12));
  await sleep(3000);
  const before = memoryBytes(pid) / 1e6;
  clients.take();
  await sleep(baseMs);
  const calm = clients.take();
  const times: number[] = [];
  for (let number = 0; number < reloads; number++) {
    times.push(await reload(configuration(number % 12)));
    await sleep(50);
  }
  const during = clients.take();
  await sleep(10_000);
  const after = memoryBytes(pid) / 1e6;
  await clients.stop();
  const counted = Number((await command('show stat')).split('\n').find((line) => line.startsWith('fe,FRONTEND,'))?.split(',')[48] ?? -1);
  // One more for the look whether it listens: a connection without a request counts as one, as in HAProxy.
  const wanted = clients.sent + long + 1;
  const { closed } = longClients;
  longClients.close();
  program.kill('SIGTERM');
  times.sort((one, other) => one - other);
  const [calm99, during99] = [quantile(calm, 0.99), quantile(during, 0.99)];
  console.log(`${reloads} reloads under ${rate} requests a second on ${kept} kept and ${long} long connections (${values.runtime}):`);
  console.log(`  reload: median ${quantile(times, 0.5).toFixed(0)} ms, longest ${times.at(-1)?.toFixed(0)} ms`);
  console.log(`  requests: ${clients.sent} sent, ${clients.answered} answered, counted ${counted} of ${wanted}; faults: ${[...clients.faults].map(([what, count]) => `${count} × ${what}`).join(', ') || 'none'}`);
  console.log(`  long connections: ${closed} closed, ${longClients.bytes} bytes`);
  console.log(`  p99 without ${calm99.toFixed(1)} ms, during ${during99.toFixed(1)} ms (${(during99 / calm99).toFixed(2)} times); p50 ${quantile(calm, 0.5).toFixed(1)} and ${quantile(during, 0.5).toFixed(1)} ms`);
  console.log(`  memory ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after`);
  return clients.faults.size === 0 && closed === 0 && counted === wanted && clients.answered === clients.sent;
}

async function big(): Promise<boolean> {
  const program = await start(bigConfiguration(2000, 20_000));
  const clients = new KeptClients(front);
  await clients.open(50);
  clients.start(500);
  await sleep(3000);
  clients.take();
  await sleep(3000);
  const calm = clients.take();
  const [atEnd, atTop]: [number[], number[]] = [[], []];
  for (let number = 0; number < 5; number++) {
    atEnd.push(await reload(bigConfiguration(2000, 20_000, '', extraBackend(number))));
    await sleep(300);
  }
  for (let number = 0; number < 5; number++) {
    atTop.push(await reload(bigConfiguration(2000, 20_000, Array.from({ length: number + 1 }, (_, index) => extraBackend(index)).join(''))));
    await sleep(300);
  }
  const during = clients.take();
  await clients.stop();
  program.kill('SIGTERM');
  const listed = (times: readonly number[]): string => times.map((ms) => ms.toFixed(0)).join(', ');
  console.log('2,000 backends, 20,000 path patterns, 10 reloads under 500 requests a second:');
  console.log(`  another backend at the end: ${listed(atEnd)} ms; one more at the top, so that every line moves: ${listed(atTop)} ms`);
  console.log(`  longest answer ${during.at(-1)?.toFixed(0)} ms (without reload ${calm.at(-1)?.toFixed(0)} ms); faults: ${[...clients.faults.keys()].join(', ') || 'none'}`);
  return clients.faults.size === 0;
}

execFileSync('taskset', ['-cp', '1', String(process.pid)], { stdio: 'ignore' });
const servers = await Promise.all(origins.map(origin));
let good = false;
try {
  good = await underLoad(Number(values.reloads), Number(values.rate));
  await sleep(500);
  good = await big() && good;
} finally {
  for (const program of programs) program.kill('SIGKILL');
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(good ? 0 : 1);
