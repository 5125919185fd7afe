/** A client of the demo that logs in: requests one after the other on one connection, NTLM where the server asks for it. Used by habits.ts and rpc-pair.ts. */
import type { Target } from './client.ts';
import { Conversation } from './conversation.ts';
import { typeOne, typeThree } from './ntlm-login.ts';

interface WebAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

interface Account {
  readonly user: string;
  readonly password: string;
}

export class WebClient {
  /** NTLM logins so far; each belongs to one connection between balancer and server. */
  logins = 0;
  readonly account: Account;
  readonly conversation: Conversation;

  private constructor(account: Account, conversation: Conversation) {
    this.account = account;
    this.conversation = conversation;
  }

  static async connect(target: Target, account: Account): Promise<WebClient> {
    return new WebClient(account, await Conversation.secure(target));
  }

  /** A head with the name of the user, which the simulated servers compare with whom they take the connection for. */
  head(method: string, uri: string, lines: readonly string[]): string {
    return `${[`${method} ${uri} HTTP/1.1`, `Host: ${this.conversation.target.name}`, `X-Sim-User: ${this.account.user}`, ...lines].join('\r\n')}\r\n\r\n`;
  }

  basic(): string {
    return `Authorization: Basic ${Buffer.from(`${this.account.user}:${this.account.password}`).toString('base64')}`;
  }

  /** Sends and waits for a whole answer with Content-Length. */
  async ask(method: string, uri: string, lines: readonly string[] = [], body = ''): Promise<WebAnswer> {
    this.conversation.send(this.head(method, uri, [...lines, `Content-Length: ${body.length}`]) + body);
    return this.answer();
  }

  async answer(): Promise<WebAnswer> {
    const head = await this.conversation.until(/\r\n\r\n/);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    return { status, head, body: await this.conversation.bytes(length) };
  }

  /** Asks for a challenge and gives the header line that answers it, for the next request on this connection. */
  async proof(method: string, uri: string, lines: readonly string[] = []): Promise<string> {
    const { status, head } = await this.ask(method, uri, [...lines, `Authorization: NTLM ${typeOne()}`]);
    const challenge = /^www-authenticate: *NTLM (\S+)/im.exec(head)?.[1];
    if (challenge === undefined) throw new Error(`${uri}: no challenge came with ${status}`);
    this.logins += 1;
    return `Authorization: NTLM ${typeThree(this.account.user, this.account.password, challenge, this.conversation.certificate)}`;
  }

  /** As Outlook asks: without credentials, and with a login when that is refused. */
  async askLoggedIn(method: string, uri: string): Promise<WebAnswer> {
    const first = await this.ask(method, uri);
    if (first.status !== 401) return first;
    return this.ask(method, uri, [await this.proof(method, uri)]);
  }
}
