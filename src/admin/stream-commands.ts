/**
 * Runtime commands about the connections of clients: `show sess`, `shutdown session`. The sessions live in the traffic threads, which are
 * asked. The lines have HAProxy's fields; what is only known to its own inside stands there as 0.
 */
import type { SessionSighting } from '../model/messages.ts';
import type { Answer, Command, CommandCall } from './command.ts';
import { command, inSlices } from './command.ts';
import { dateText } from './captured-errors.ts';
import type { AdminContext } from './context.ts';

/** Session numbers are shown as HAProxy shows them, like addresses: clients look for 0x. */
const firstNumber = 0x550000000000;
const numberStep = 16;

function numberText(id: number): string {
  return `0x${(firstNumber + id * numberStep).toString(16)}`;
}

/** The number at the beginning of the text, 0 when there is none. */
function leadingNumber(text: string): number {
  return Number(/^(?:0x[0-9a-f]{1,13}|\d{1,15})/i.exec(text)?.[0] ?? 0);
}

/** The session that the text means, -1 = none. */
function numberOf(text: string): number {
  const id = (leadingNumber(text) - firstNumber) / numberStep;
  return Number.isInteger(id) && id >= 0 ? id : -1;
}

async function sessionsOf(context: AdminContext): Promise<readonly SessionSighting[]> {
  const answers = await context.threads.ask({ kind: 'sessions' });
  return answers.flatMap(answer => answer.sessions).toSorted((left, right) => left.startedAtMs - right.startedAtMs);
}

function protocolOf({ isUnix, client }: SessionSighting): string {
  if (isUnix) return 'unix_stream';
  return client.split(':').length > 2 ? 'tcpv6' : 'tcpv4';
}

function ageText(seconds: number): string {
  const units: readonly (readonly [string, number])[] = [['d', 86_400], ['h', 3600], ['m', 60]];
  for (const [unit, size] of units) {
    const [next, nextSize] = unit === 'd' ? ['h', 3600] as const : unit === 'h' ? ['m', 60] as const : ['s', 1] as const;
    if (seconds >= size) return `${Math.floor(seconds / size)}${unit}${Math.floor((seconds % size) / nextSize)}${next}`;
  }
  return `${seconds}s`;
}

interface Words {
  readonly protocol: string;
  readonly backend: string;
  readonly server: string;
  readonly age: string;
}

function wordsOf(context: AdminContext, session: SessionSighting): Words {
  return {
    protocol: protocolOf(session),
    backend: session.backend === '' ? '<NONE>' : session.backend,
    server: session.server === '' || session.server.startsWith('<') ? '<none>' : session.server,
    age: ageText(Math.max(0, Math.floor((context.clock.dateMs() - session.startedAtMs) / 1000))),
  };
}

function shortLine(context: AdminContext, session: SessionSighting): string {
  const { protocol, backend, server, age } = wordsOf(context, session);
  return `${numberText(session.id)}: proto=${protocol} src=${session.client} fe=${session.frontend} be=${backend} srv=${server} ts=00 epoch=0 age=${age} calls=${session.requests} rate=0 cpu=0 lat=0 ` +
    'rq[f=000000h,i=0,an=00h,rx=,wx=,ax=] rp[f=000000h,i=0,an=00h,rx=,wx=,ax=] scf=[8,0h,fd=-1] scb=[8,0h,fd=-1] exp= rc=0 c_exp=\n';
}

function longText(context: AdminContext, session: SessionSighting): string {
  const { protocol, backend, server, age } = wordsOf(context, session);
  const at = context.model.proxies.find(candidate => candidate.isBackend && candidate.name === session.backend);
  const sid = at?.servers.map(index => context.model.servers[index]).find(candidate => candidate?.name === server)?.sid ?? 0;
  return `${numberText(session.id)}: [${dateText(session.startedAtMs)}] id=${session.id} proto=${protocol} source=${session.client}\n` +
    `  frontend=${session.frontend} (id=${session.frontendId} mode=${session.mode}), listener=${session.listener === '' ? '?' : session.listener} (id=${session.listenerId}) addr=${session.listenerAddress}\n` +
    (at === undefined ? '  backend=<NONE> (id=-1 mode=-)\n' : `  backend=${backend} (id=${at.iid} mode=${at.mode})\n`) +
    (server === '<none>' ? '  server=<NONE> (id=-1)\n' : `  server=${server} (id=${sid})\n`) +
    `  requests=${session.requests} age=${age}\n`;
}

async function* sessionLines(context: AdminContext): AsyncGenerator<string> {
  yield* inSlices(await sessionsOf(context), session => shortLine(context, session));
}

async function* sessionTexts(context: AdminContext, wanted: string): AsyncGenerator<string> {
  const id = numberOf(wanted);
  const found = (await sessionsOf(context)).filter(session => wanted === 'all' || session.id === id);
  if (found.length === 0 && wanted !== 'all') yield 'Session not found.\n';
  yield* inSlices(found, session => longText(context, session));
}

function showSessions({ context, args }: CommandCall): Answer {
  const [wanted] = args;
  // What is no number shows the list, as with HAProxy.
  return wanted === undefined || (wanted !== 'all' && leadingNumber(wanted) === 0) ? sessionLines(context) : sessionTexts(context, wanted);
}

async function shutdownSession({ context, args }: CommandCall): Promise<string> {
  const expected = "Session pointer expected (use 'show sess').\n";
  const [text] = args;
  if (text === undefined || !text.startsWith('0x')) return expected;
  const answers = await context.threads.ask({ kind: 'shutdown-session', session: numberOf(text) });
  return answers.some(answer => answer.found) ? '' : "No such session (use 'show sess').\n";
}

export const streamCommands: readonly Command[] = [
  command('show sess', 'operator', 'show sess [id]', 'list the connections of clients, or tell of one (all: of each)', showSessions),
  command('shutdown session', 'admin', 'shutdown session [id]', 'end the connection of a client', shutdownSession),
];
