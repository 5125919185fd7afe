/**
 * Logins that belong to a connection, over random interleavings of users, client connections, backends and faults: no two clients
 * ever meet on one server connection, one client keeps one per backend, and what proves a user is sent once.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Client } from '../../harness/client.ts';
import { Origin, type OriginConnection } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';

type Reuse = 'safe' | 'aggressive' | 'always' | 'never';

const configuration = (reuse: Reuse): string => `global
    log {log} local0
    nbthread 2
    stats socket {admin} mode 600 level admin
defaults
    mode http
    log global
    option redispatch 1
    retry-on all-retryable-errors
    retries 3
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    http-reuse ${reuse}
frontend fe
    bind {fe}
    use_backend b1 if { path_beg /b1 }
    default_backend b0
${['b0', 'b1'].map((backend) => `backend ${backend}\n${reuse === 'never' ? '    default-server max-reuse 4\n' : ''}${['s0', 's1'].map((server) => `    server ${server} {${backend}${server}}\n`).join('')}`).join('')}`;

/** Numbers that a seed makes, the same on every machine (mulberry32). */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What the servers' side of a connection knows of who speaks on it. */
interface Line { readonly backend: string; client: string; user: string; challenged: string; alive: boolean }

/** All servers of one run, and what must never have happened. */
class Witness {
  readonly wrongs: string[] = [];
  /** Live line of each client and backend, and those that a server closed. */
  private readonly bound = new Map<string, Line>();
  private readonly closedOnes = new Set<string>();
  private readonly seenOnce = new Set<string>();
  private readonly random: (below: number) => number;
  /** False while an administrator takes servers away: then a client may move. */
  strict = true;
  answers = 0;
  logins = 0;
  deaths = 0;

  constructor(random: (below: number) => number) {
    this.random = random;
  }

  server(backend: string): Origin {
    return new Origin(async (connection) => {
      const line: Line = { backend, client: '', user: '', challenged: '', alive: true };
      while (await this.serve(connection, line));
      line.alive = false;
    });
  }

  private async serve(connection: OriginConnection, line: Line): Promise<boolean> {
    const request = await connection.request();
    if (request === null) return false;
    const header = (name: string): string => request.header(name) ?? '';
    const [client, user, id, credentials] = [header('x-client'), header('x-user'), header('x-id'), header('authorization')];
    this.meet(line, client, user);
    if (credentials !== '' || line.client !== '') this.once(id);
    if (credentials !== '') this.bind(line, client);
    const fate = header('x-fate');
    await sleep(this.random(4));
    if (fate === 'silent' || fate === 'reset') return this.die(connection, fate === 'reset', line);
    const answer = this.answerTo(line, client, user, credentials);
    if (fate === 'half') connection.send(answer.slice(0, -1));
    else connection.send(fate === 'said' ? answer.replace('\r\n', '\r\nConnection: close\r\n') : answer);
    return fate === '' ? true : this.die(connection, false, line);
  }

  private die(connection: OriginConnection, reset: boolean, line: Line): false {
    this.deaths += 1;
    if (line.client !== '') this.closedOnes.add(line.client);
    line.alive = false;
    if (reset) connection.close(true);
    else connection.end();
    return false;
  }

  private meet(line: Line, client: string, user: string): void {
    if (line.client !== '' && line.client !== client) this.wrongs.push(`${client} (${user}) on the connection of ${line.client} (${line.user})`);
    const own = this.bound.get(`${client} ${line.backend}`);
    if (this.strict && own !== undefined && own !== line && own.alive) this.wrongs.push(`${client} has two connections to ${line.backend}`);
  }

  private once(id: string): void {
    if (this.seenOnce.has(id)) this.wrongs.push(`request ${id} was sent twice`);
    this.seenOnce.add(id);
  }

  private bind(line: Line, client: string): void {
    line.client = client;
    this.bound.set(`${client} ${line.backend}`, line);
  }

  private answerTo(line: Line, client: string, user: string, credentials: string): string {
    this.answers += 1;
    const say = (status: string, ...lines: string[]): string => [`HTTP/1.1 ${status}`, ...lines, `Content-Length: ${line.user.length + 2}`, '', `<${line.user}>`].join('\r\n');
    if (credentials === 'NTLM one') {
      line.challenged = user;
      return say('401 Unauthorized', 'WWW-Authenticate: NTLM two');
    }
    if (credentials === `NTLM three ${user}`) {
      if (line.challenged !== user) this.wrongs.push(`${client} (${user}) answers a challenge that was made to '${line.challenged}'`);
      line.user = user;
      this.logins += 1;
      return say('200 OK', 'Persistent-Auth: true');
    }
    // A ticket proves everything at once, and the answer says nothing of it.
    if (credentials === `Negotiate ${user}`) line.user = user;
    if (line.user !== '') return say('200 OK');
    if (this.random(3) > 0) return say('200 OK');
    this.bind(line, client);
    return say('401 Unauthorized', 'WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM');
  }

  /** Whether a server has closed a connection on which the client had a login, or was about to. */
  mustEnd(client: string): boolean {
    return this.closedOnes.has(client);
  }
}

const fates = ['silent', 'reset', 'half', 'said', 'after'];
let clients = 0;

/** One client connection: some requests to either backend, with a login now and then, until it ends or has enough. */
async function visit(site: Site, witness: Witness, random: (below: number) => number): Promise<void> {
  const name = `c${clients += 1}`;
  const user = `u${random(5)}`;
  const client = await site.client('fe');
  const doomed = random(3) === 0 ? random(8) : -1;
  let afterDeath = 0;
  for (let n = 0; n < 8; n += 1) {
    const backend = `/b${random(2)}`;
    const kind = random(4);
    const lines = kind === 0 ? ['NTLM one', `NTLM three ${user}`] : kind === 1 ? [`Negotiate ${user}`] : [''];
    for (const credentials of lines) {
      if (witness.mustEnd(name)) afterDeath += 1;
      if (random(40) === 0) return client.close(random(2) === 0);
      const fate = n === doomed ? fates[random(fates.length)] ?? '' : '';
      const whole = await ask(client, `${backend} ${name} ${user} ${name}-${n}-${credentials} ${fate}`, credentials, user, witness);
      if (!whole) return client.close();
      if (random(4) === 0) await sleep(random(6));
    }
  }
  if (afterDeath > 1) witness.wrongs.push(`${name} went on ${afterDeath} times after its server had closed`);
  client.close();
}

/** False: the connection is over. */
async function ask(client: Client, words: string, credentials: string, user: string, witness: Witness): Promise<boolean> {
  const [path, name, , id, ...rest] = words.split(' ');
  const fate = rest.at(-1) ?? '';
  client.send([`GET ${path} HTTP/1.1`, 'Host: x', `X-Client: ${name}`, `X-User: ${user}`, `X-Id: ${id}${credentials.length}`, ...(fate === '' ? [] : [`X-Fate: ${fate}`]),
    ...(credentials === '' ? [] : [`Authorization: ${credentials}`]), '', ''].join('\r\n'));
  const answer = await client.answer('GET', 15_000).catch(() => null);
  if (answer === null) {
    if (client.ending !== 'fin') witness.wrongs.push(`${name} was not ended but: ${client.ending}`);
    return false;
  }
  if (answer.status < 500 && answer.body !== '<>' && answer.body !== `<${user}>`) witness.wrongs.push(`${name} is ${user} and was taken for ${answer.body}`);
  return answer.header('connection') !== 'close';
}

async function manyVisits(seed: number, reuse: Reuse, strict: boolean): Promise<void> {
  const random = seeded(seed);
  const witness = new Witness(random);
  witness.strict = strict;
  const site = await Site.start('poise', {
    configuration: configuration(reuse), origins: () => Object.fromEntries(['b0', 'b1'].flatMap((backend) => ['s0', 's1'].map((server) => [`${backend}${server}`, witness.server(backend)]))),
  });
  try {
    let left = 60;
    const over = (): boolean => left <= 0 || witness.wrongs.length > 0;
    const worker = async (): Promise<void> => {
      for (; !over(); left -= 1) await visit(site, witness, random);
    };
    const trouble = async (): Promise<void> => {
      while (!over()) {
        const server = `b${random(2)}/s${random(2)}`;
        await site.command(`set server ${server} state ${random(2) === 0 ? 'maint' : 'drain'}`);
        await sleep(random(25));
        await site.command(`set server ${server} state ready`);
        await sleep(random(10));
      }
    };
    await Promise.all([...Array.from({ length: 16 }, worker), ...(strict ? [] : [trouble()])]);
    assert.deepEqual(witness.wrongs, [], `seed ${seed}`);
    assert(witness.logins > 20 && witness.answers > 150 && witness.deaths > 5, `seed ${seed}: ${witness.logins} logins, ${witness.answers} answers, ${witness.deaths} deaths`);
  } finally {
    await site.stop();
  }
}

for (const [seed, reuse, strict] of [[1, 'always', true], [2, 'safe', false], [3, 'aggressive', false], [4, 'never', true]] as const) {
  it(`no two users meet: http-reuse ${reuse}${strict ? '' : ', servers taken away'} (seed ${seed})`, { timeout: 60_000 }, () => manyVisits(seed, reuse, strict));
}
