/**
 * Many users at once over shared server connections, with servers that fail in every way: no two users ever meet on one connection
 * that knows who its user is (NTLM, Negotiate), nobody gets another's answer or the answer to another's challenge, who has proved
 * himself stays so as long as his connection lives, nothing is done twice, and the books are right afterwards.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Client } from '../harness/client.ts';
import type { Message } from '../harness/http.ts';
import { Origin, type OriginConnection } from '../harness/origin.ts';
import { eventually, sleep } from '../harness/place.ts';
import { Site, type SiteDefinition } from '../harness/site.ts';

const users = 12;
const turns = 40;
/** Times a client tries one request on new connections, because a server may have failed it. */
const attemptsMax = 30;

type Random = (limit: number) => number;

function seeded(seed: number): Random {
  let state = seed;
  return (limit) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
}

/** What all servers saw together. */
class Books {
  readonly wrongs: string[] = [];
  /** Ids of whole requests. Those with a body change something and must not come twice. */
  readonly done = new Set<string>();
  /** Server connections that carried requests of more than one user, and those that a user proved himself on. */
  shared = 0;
  proven = 0;
}

interface Request { readonly user: string; readonly id: string; readonly isPrivate: boolean; readonly isPersistent: boolean; readonly authorization: string; readonly length: number }

function readRequest(head: string): Request {
  const value = (name: string): string => new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1] ?? '';
  return { user: value('X-User'), id: value('X-Id'), isPrivate: / \/[ab]\/private/.test(head), isPersistent: value('X-Ticket') !== '', authorization: value('Authorization'), length: Number(value('Content-Length')) };
}

function answerFor(status: string, text: string, length: number, chunked: boolean, extra = ''): string {
  const body = `${text} ${'.'.repeat(length)}`;
  const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  return `HTTP/1.1 ${status}\r\n${extra}${framing}\r\n\r\n${chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body}`;
}

/** A server that knows its user by the connection, as IIS does with NTLM, and that fails now and then. */
function ntlmServer(random: Random, books: Books): Origin {
  return new Origin(async (connection) => {
    const met = new Set<string>();
    /** Whose connection it is: from the first answer that asked for NTLM, or the first request that carried it. */
    let owner = '';
    let challenged = false;
    let proven = false;
    while (await serve()) if (met.size === 2) books.shared += 1;
    connection.close(random(2) === 0);

    async function serve(): Promise<boolean> {
      const head = await connection.until(/\r\n\r\n/, 20_000).catch(() => '');
      if (head === '') return false;
      const request = readRequest(head);
      met.add(request.user);
      if (owner !== '' && owner !== request.user) books.wrongs.push(`${request.user} came on the connection of ${owner}`);
      const fault = random(24);
      if (fault === 0) return false;
      if (fault === 1) connection.send(answerFor('200 OK', request.id, 10, false).slice(0, 20 + random(60)));
      if (fault === 1) return false;
      const early = fault === 2 && request.length > 0;
      if (early) connection.send(answerFor('200 OK', request.id, 5, false));
      if (!await takeBody(connection, request, books)) return false;
      if (request.length > 0 && books.done.has(request.id)) books.wrongs.push(`${request.id} was done twice`);
      books.done.add(request.id);
      if (fault === 3) return false;
      if (fault < 8) await sleep(random(30));
      if (!early) connection.send(answer(request));
      // A server that closes without having said so, at once or a little later.
      if (fault === 20) return false;
      if (fault === 21) setTimeout(() => connection.close(random(2) === 0), random(20));
      return true;
    }

    function prove(request: Request): void {
      owner = request.user;
      proven = true;
      books.proven += 1;
    }

    function answer(request: Request): string {
      const length = random(10) === 0 ? random(300_000) : random(200);
      const chunked = random(2) === 0;
      if (request.authorization.startsWith('NTLM ')) {
        owner = request.user;
        if (request.authorization === 'NTLM one') {
          challenged = true;
          proven = false;
          return answerFor('401 Unauthorized', request.id, length, chunked, 'WWW-Authenticate: NTLM challenge\r\n');
        }
        if (!challenged) books.wrongs.push(`${request.id} answers the challenge of another connection`);
        challenged = false;
        prove(request);
      }
      if (request.authorization.startsWith('Negotiate ')) {
        // Kerberos: one request proves it, and the answer does not mention it.
        prove(request);
      }
      if (request.isPersistent) {
        // Proved by something that only the server understands: the answer alone tells that it holds.
        prove(request);
        return answerFor('200 OK', `${request.id} as ${owner}`, length, chunked, 'Persistent-Auth: true\r\n');
      }
      if (proven) return answerFor('200 OK', `${request.id} as ${owner}`, length, chunked);
      if (!request.isPrivate) return answerFor('200 OK', request.id, length, chunked);
      owner = request.user;
      return answerFor('401 Unauthorized', request.id, length, chunked, 'WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n');
    }
  });
}

async function takeBody(connection: OriginConnection, request: Request, books: Books): Promise<boolean> {
  if (request.length === 0) return true;
  const body = await connection.until(new RegExp(`^[^]{${request.length}}`), 20_000).catch(() => null);
  if (body === null) return false;
  if (body !== bodyOf(request.id, request.length)) books.wrongs.push(`body of ${request.id} is not what was sent`);
  return true;
}

function bodyOf(id: string, length: number): string {
  return `${id} `.repeat(Math.ceil(length / (id.length + 1))).slice(0, length);
}

/** One client program of a user: a connection at a time, requests with and without authentication. */
class User {
  readonly name: string;
  private readonly site: Site;
  private readonly random: Random;
  private readonly books: Books;
  private connection: Client | null = null;
  /** Directories (each has a backend of its own) that this connection has proved itself to. */
  private readonly authenticated = new Set<string>();
  private count = 0;
  answered = 0;

  constructor(name: string, site: Site, random: Random, books: Books) {
    this.name = name;
    this.site = site;
    this.random = random;
    this.books = books;
  }

  async work(): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      const choice = this.random(12);
      if (choice === 0) await this.leave();
      else if (choice === 1) await this.pipeline();
      else if (choice < 7) await this.persist(() => this.privately());
      else await this.persist(() => this.publicly());
      if (this.random(6) === 0) await sleep(this.random(20));
    }
    this.connection?.close();
  }

  private async connected(): Promise<Client> {
    if (this.connection === null || this.connection.ending !== 'open') {
      this.connection = await this.site.client('front');
      this.authenticated.clear();
    }
    return this.connection;
  }

  private drop(): void {
    this.connection?.close(this.random(2) === 0);
    this.connection = null;
  }

  /** Again on a new connection while servers fail. */
  private async persist(once: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (await once().catch(() => false)) return;
      this.drop();
    }
    this.books.wrongs.push(`${this.name} got no answer`);
  }

  private request(path: string, length: number, extra = ''): { text: string; id: string } {
    this.count += 1;
    const id = `${this.name}-${this.count}`;
    const body = length > 0 ? `Content-Length: ${length}\r\n\r\n${bodyOf(id, length)}` : '\r\n';
    return { id, text: `${length > 0 ? 'POST' : 'GET'} /${path}/${id} HTTP/1.1\r\nHost: x\r\nX-User: ${this.name}\r\nX-Id: ${id}\r\n${extra}${body}` };
  }

  /** Sends one request, perhaps in pieces, and checks that the answer is its own. */
  private async ask(connection: Client, path: string, length: number, extra = ''): Promise<Message> {
    const { text, id } = this.request(path, length, extra);
    const cut = this.random(3) === 0 ? this.random(text.length) : text.length;
    connection.send(text.slice(0, cut));
    if (cut < text.length) {
      await sleep(this.random(5));
      connection.send(text.slice(cut));
    }
    if (this.random(8) === 0) {
      connection.socket.pause();
      await sleep(this.random(30));
      connection.socket.resume();
    }
    const answer = await connection.answer();
    this.check(answer, id);
    return answer;
  }

  private check(answer: Message, id: string): void {
    if (answer.status === 502 || answer.status === 503) throw new Error('a server failed');
    const [answered, , owner] = answer.body.split(' ');
    if (answered !== id) this.books.wrongs.push(`${id} got the answer ${answer.status} of ${answered}`);
    if (answer.body.includes(' as ') && owner !== this.name) this.books.wrongs.push(`${id} was answered as ${owner}`);
    this.answered += 1;
  }

  private directory(): string {
    return this.random(2) === 0 ? 'a' : 'b';
  }

  private async publicly(): Promise<boolean> {
    await this.ask(await this.connected(), `${this.directory()}/public`, this.random(2) === 0 ? 0 : 1 + this.random(8000));
    return true;
  }

  /** Requests of who is authenticated carry no credentials. The connection lives: so does what was proved on it. */
  private async privately(): Promise<boolean> {
    const connection = await this.connected();
    const directory = this.directory();
    const path = `${directory}/private`;
    if (this.authenticated.has(directory)) {
      const answer = await this.ask(connection, path, this.random(2) === 0 ? 0 : 1 + this.random(8000));
      if (answer.status !== 200 && answer.header('connection') !== 'close') this.books.wrongs.push(`${this.name} was forgotten in ${directory}`);
      return answer.status === 200;
    }
    const way = this.random(4);
    if (this.random(2) === 0) await this.ask(connection, path, 0);
    if (way > 1 && (await this.ask(connection, path, 0, 'Authorization: NTLM one\r\n')).header('www-authenticate') !== 'NTLM challenge') return false;
    const proof = await this.ask(connection, path, 0, ['Authorization: Negotiate YII=\r\n', 'X-Ticket: abc\r\n'][way] ?? 'Authorization: NTLM three\r\n');
    // A server that fails may have cut its answer just behind its end.
    const holds = proof.body.includes(' as ');
    if (holds) this.authenticated.add(directory);
    return holds;
  }

  /** Requests that do not wait for each other's answers. */
  private async pipeline(): Promise<void> {
    const connection = await this.connected();
    const requests = Array.from({ length: 2 + this.random(4) }, () => this.request(`${this.directory()}/public`, 0));
    connection.send(requests.map(({ text }) => text).join(''));
    try {
      for (const { id } of requests) this.check(await connection.answer(), id);
    } catch {
      this.drop();
    }
  }

  /** Leaves in the middle of a request or of its answer. */
  private async leave(): Promise<void> {
    const connection = await this.connected();
    const { text } = this.request(`${this.directory()}/${this.random(2) === 0 ? 'private' : 'public'}`, 4000);
    connection.send(text.slice(0, 1 + this.random(2 * text.length)));
    await sleep(this.random(10));
    if (this.random(3) === 0) connection.end();
    else this.drop();
    this.connection = null;
  }
}

function definition(random: Random, books: Books): SiteDefinition {
  return {
    configuration: `frontend fe
    bind {front}
    use_backend b if { path_beg /b/ }
    default_backend a
backend a
    balance roundrobin
    http-reuse always
    option redispatch
    retries 2
    server s1 {a}
    server s2 {b} maxconn 3
    server s3 {c} pool-max-conn 1
backend b
    balance leastconn
    http-reuse aggressive
    option redispatch 1
    retry-on conn-failure 503
    retries 2
    server s1 {a}
    server s2 {b}
    server s3 {c} maxconn 4
`,
    origins: () => ({ a: ntlmServer(random, books), b: ntlmServer(random, books), c: ntlmServer(random, books) }),
  };
}

async function meet(seed: number): Promise<void> {
  const books = new Books();
  const site = await Site.start('poise', definition(seeded(seed), books));
  try {
    const all = Array.from({ length: users }, (_, n) => new User(`u${n}`, site, seeded(seed * 1000 + n), books));
    await Promise.all(all.map((user) => user.work()));
    assert.deepEqual(books.wrongs, [], `seed ${seed}`);
    // The run says something only if both kinds of sharing happened.
    assert.ok(books.shared > 10, `${books.shared} shared connections`);
    assert.ok(books.proven > 20, `${books.proven} handshakes`);
    assert.ok(all.every((user) => user.answered > 10));
    await booksAreRight(site);
  } finally {
    await site.stop();
  }
}

/** Nothing runs, so nothing is counted; and each request wrote one line. */
async function booksAreRight(site: Site): Promise<void> {
  const columns = async (): Promise<Record<string, string>[]> => {
    const rows = (await site.command('show stat')).split('\n').map((line) => line.replace(/^# /, '').split(','));
    const names = rows[0] ?? [];
    return rows.slice(1).filter((row) => row.length > 4).map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ''])));
  };
  const rows = await eventually('no request left', async () => {
    const now = await columns();
    return now.every((row) => row['scur'] === '0' && (row['qcur'] ?? '0') !== '1') ? now : null;
  });
  const asked = rows.find((row) => row['svname'] === 'FRONTEND')?.['req_tot'];
  await eventually('one line for each request', () => String(site.log.lines.filter((line) => / fe /.test(line)).length) === asked);
}

describe('users', () => {
  for (const seed of [1, 2]) it(`never meet (seed ${seed})`, { timeout: 60_000 }, () => meet(seed));
});
