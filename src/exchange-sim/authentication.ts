/**
 * Who a request comes from: Basic per request; NTLM and Negotiate bound to the connection, with a real challenge and a checked
 * answer. Called by server.ts for every request outside the forms login. A second user on one connection is a fault: it means
 * that something between client and server gave one user's connection to another.
 */
import { randomBytes } from 'node:crypto';
import type { HttpExchange } from './connection.ts';
import { answerIsRight, challengeMessage, flagsAsked, negotiateReply, ntlmStart, ntlmType, offersNtlm, readAnswer } from './ntlm.ts';
import type { Protection, VirtualDirectory } from './virtual-directories.ts';

export interface Accounts {
  /** Password of a user (lower case, without domain). */
  readonly passwords: ReadonlyMap<string, string>;
  /** `lab.local` */
  readonly domain: string;
  /** Nobody is asked, but who sends credentials is checked. */
  readonly guests?: boolean;
}

/** `in`: go on with exchange.user. `asked`: the answer was sent. */
type Verdict = 'in' | 'asked';

/** LAB\user, user@lab.local and user are one. */
export function plainUser(name: string): string {
  return name.slice(name.indexOf('\\') + 1).replace(/@.*$/, '').toLowerCase();
}

export function passwordIsRight(accounts: Accounts, user: string, password: string): boolean {
  return accounts.passwords.get(plainUser(user)) === password;
}

export class Authenticator {
  private readonly accounts: Accounts;
  /** What a client sees that speaks to this server without a balancer, or through one with the same certificate. */
  private readonly bindings: Buffer;
  private readonly protectionOf: (directory: VirtualDirectory) => Protection;
  private readonly onFault: (exchange: HttpExchange, what: string) => void;

  constructor(accounts: Accounts, bindings: Buffer, protectionOf: (directory: VirtualDirectory) => Protection, onFault: (exchange: HttpExchange, what: string) => void) {
    this.accounts = accounts;
    this.bindings = bindings;
    this.protectionOf = protectionOf;
    this.onFault = onFault;
  }

  check(exchange: HttpExchange, directory: VirtualDirectory): Verdict {
    const { login } = exchange.connection;
    const credentials = exchange.request.headers.get('authorization') ?? '';
    const blank = credentials.indexOf(' ');
    const scheme = (blank < 0 ? credentials : credentials.slice(0, blank)).toLowerCase();
    const token = blank < 0 ? '' : credentials.slice(blank + 1).trim();
    if (scheme === 'basic' && directory.schemes.includes('basic')) return this.basic(exchange, directory, token);
    if ((scheme === 'ntlm' || scheme === 'negotiate') && directory.schemes.includes('windows')) return this.windows(exchange, directory, scheme, Buffer.from(token, 'base64'));
    if (login.user !== '' && directory.schemes.includes('windows')) {
      exchange.user = login.user;
      exchange.loginLines.push('Persistent-Auth: true');
      return 'in';
    }
    if (directory.schemes.includes('anonymous') || this.accounts.guests === true) return 'in';
    return this.ask(exchange, directory);
  }

  private basic(exchange: HttpExchange, directory: VirtualDirectory, token: string): Verdict {
    const text = Buffer.from(token, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0 || !passwordIsRight(this.accounts, text.slice(0, colon), text.slice(colon + 1))) return this.refuse(exchange, directory, 'logon failure');
    exchange.user = plainUser(text.slice(0, colon));
    return 'in';
  }

  private windows(exchange: HttpExchange, directory: VirtualDirectory, scheme: string, token: Buffer): Verdict {
    const spelled = scheme === 'ntlm' ? 'NTLM' : 'Negotiate';
    const start = ntlmStart(token);
    if (start < 0) {
      if (scheme === 'negotiate' && offersNtlm(token)) return this.challenge(exchange, spelled, 0, true);
      return this.refuse(exchange, directory, 'malformed token');
    }
    const message = token.subarray(start);
    const type = ntlmType(message);
    if (type === 1) return this.challenge(exchange, spelled, flagsAsked(message), start > 0);
    const { login } = exchange.connection;
    const { challenge } = login;
    login.challenge = null;
    const answer = type === 3 ? readAnswer(message) : null;
    if (answer === null) return this.refuse(exchange, directory, 'malformed token');
    const user = plainUser(answer.user);
    if (challenge === null) {
      this.onFault(exchange, `answer of ${user} without a challenge on this connection`);
      return this.refuse(exchange, directory, 'no challenge');
    }
    const password = this.accounts.passwords.get(user);
    if (password === undefined || !answerIsRight(answer, challenge, password)) return this.refuse(exchange, directory, 'logon failure');
    const protection = this.protectionOf(directory);
    if (protection !== 'off') {
      if (answer.channelBindings === null && protection === 'require') return this.refuse(exchange, directory, '0xC000035B no channel binding');
      if (answer.channelBindings !== null && !answer.channelBindings.equals(this.bindings)) return this.refuse(exchange, directory, '0xC000035B other certificate');
    }
    if (login.user !== '' && login.user !== user) this.onFault(exchange, `${user} on the connection of ${login.user}`);
    login.user = user;
    exchange.user = user;
    exchange.loginLines.push('Persistent-Auth: true');
    if (start > 0) exchange.loginLines.push(`WWW-Authenticate: ${spelled} ${negotiateReply(null).toString('base64')}`);
    return 'in';
  }

  private challenge(exchange: HttpExchange, scheme: string, asked: number, wrapped: boolean): Verdict {
    const challenge = randomBytes(8);
    exchange.connection.login.challenge = challenge;
    const message = challengeMessage(challenge, asked, exchange.server.name, this.accounts.domain, Date.now());
    const token = wrapped ? negotiateReply(message) : message;
    exchange.answer(401, 'Unauthorized', ['Content-Type: text/html', `WWW-Authenticate: ${scheme} ${token.toString('base64')}`], '');
    return 'asked';
  }

  /** IIS forgets who the connection belonged to when a login on it fails. */
  private refuse(exchange: HttpExchange, directory: VirtualDirectory, why: string): Verdict {
    exchange.connection.login.user = '';
    exchange.remark = why;
    return this.ask(exchange, directory);
  }

  private ask(exchange: HttpExchange, directory: VirtualDirectory): Verdict {
    const lines = ['Content-Type: text/html'];
    if (directory.schemes.includes('windows')) lines.push('WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM');
    if (directory.schemes.includes('basic')) lines.push(`WWW-Authenticate: Basic realm="${exchange.request.headers.get('host') ?? exchange.server.fqdn}"`);
    exchange.answer(401, 'Unauthorized', lines, 'You do not have permission to view this directory or page.');
    return 'asked';
  }
}
