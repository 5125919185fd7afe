/**
 * The forms login of OWA and ECP: logon.aspx, auth.owa, and cookies that only servers with the same certificate key can read.
 * Called by server.ts. With different keys behind one address a user is sent back to the logon page for ever, as with Exchange.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { passwordIsRight, plainUser } from './authentication.ts';
import type { Accounts } from './authentication.ts';
import type { HttpExchange } from './connection.ts';

const sessionMilliseconds = 8 * 3_600_000;
const formBytesMax = 65_536;
const logonPage = '/owa/auth/logon.aspx';

function cookiesOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(/[;,]/)) {
    const equal = part.indexOf('=');
    if (equal > 0) found.set(part.slice(0, equal).trim(), part.slice(equal + 1).trim());
  }
  return found;
}

export class FormsLogin {
  private readonly accounts: Accounts;
  private readonly secret: Buffer;

  constructor(accounts: Accounts, keyPem: string) {
    this.accounts = accounts;
    this.secret = createHash('sha256').update(keyPem).digest();
  }

  /** True when the request belongs to the login itself and was answered or will be. */
  serves(exchange: HttpExchange, path: string): boolean {
    const lower = path.toLowerCase();
    if (lower === '/owa/auth.owa') {
      if (exchange.request.method === 'POST') this.receive(exchange);
      else exchange.answer(440, 'Login Timeout', ['Content-Type: text/html'], '');
      return true;
    }
    if (!lower.startsWith('/owa/auth/')) return false;
    if (lower === logonPage) exchange.answer(200, 'OK', ['Content-Type: text/html; charset=utf-8'], page(exchange));
    else exchange.answer(404, 'Not Found', ['Content-Type: text/html'], 'Not Found');
    return true;
  }

  /** '' when the cookies are missing, out of date or of another key. */
  userOf(exchange: HttpExchange): string {
    const cookies = cookiesOf(exchange.request.headers.get('cookie') ?? '');
    const bytes = (name: string): Buffer => Buffer.from(cookies.get(name) ?? '', 'base64url');
    if (!cookies.has('cadata')) return '';
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key(bytes('cadataKey')), bytes('cadataIV'));
      decipher.setAuthTag(bytes('cadataSig'));
      const text = Buffer.concat([decipher.update(bytes('cadata')), decipher.final()]).toString('utf8');
      const [until = '', user = ''] = text.split(' ');
      return Number(until) > exchange.server.clock.now() ? user : '';
    } catch {
      exchange.remark = 'cookie of another key';
      return '';
    }
  }

  /** Sends the browser to the logon page and back here afterwards. */
  sendToLogon(exchange: HttpExchange): void {
    const back = `https://${exchange.request.headers.get('host') ?? exchange.server.fqdn}${exchange.request.target}`;
    exchange.answer(302, 'Found', ['Content-Type: text/html', `Location: ${logonPage}?url=${encodeURIComponent(back)}&reason=0`], '');
  }

  private receive(exchange: HttpExchange): void {
    let text = '';
    exchange.read({
      piece: (bytes) => {
        if (text.length < formBytesMax) text += bytes.toString('latin1');
      },
      end: () => this.enter(exchange, new URLSearchParams(text)),
      gone: () => {},
    });
  }

  private enter(exchange: HttpExchange, form: URLSearchParams): void {
    const destination = /^https?:\/\/[^/\s]+(\/[^\r\n]*)?$|^\/[^\r\n]*$/.test(form.get('destination') ?? '') ? form.get('destination') ?? '/owa/' : '/owa/';
    if (!passwordIsRight(this.accounts, form.get('username') ?? '', form.get('password') ?? '')) {
      exchange.remark = 'logon failure';
      exchange.answer(302, 'Found', ['Content-Type: text/html', `Location: ${logonPage}?url=${encodeURIComponent(destination)}&reason=2`], '');
      return;
    }
    exchange.user = plainUser(form.get('username') ?? '');
    const until = Math.trunc(exchange.server.clock.now() + sessionMilliseconds);
    const [salt, iv] = [randomBytes(16), randomBytes(12)];
    const cipher = createCipheriv('aes-256-gcm', this.key(salt), iv);
    const data = Buffer.concat([cipher.update(`${until} ${exchange.user}`, 'utf8'), cipher.final()]);
    const values = { cadata: data, cadataTTL: Buffer.from(String(until)), cadataKey: salt, cadataIV: iv, cadataSig: cipher.getAuthTag() };
    const lines = Object.entries(values).map(([name, value]) => `Set-Cookie: ${name}=${value.toString('base64url')}; path=/; secure; HttpOnly`);
    exchange.answer(302, 'Found', ['Content-Type: text/html', `Location: ${destination}`, ...lines], '');
  }

  private key(salt: Buffer): Buffer {
    return createHmac('sha256', this.secret).update(salt).digest();
  }
}

function page(exchange: HttpExchange): string {
  const query = new URLSearchParams(exchange.request.target.split('?')[1] ?? '');
  const destination = (query.get('url') ?? '/owa/').replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
  const wrong = query.get('reason') === '2' ? '<p id="wrong">The user name or password is not correct.</p>' : '';
  return `<!doctype html><title>Outlook</title><form method="post" action="/owa/auth.owa">${wrong}<input type="hidden" name="destination" value="${destination}">`
    + '<input name="username" autofocus><input name="password" type="password"><button type="submit">Sign in</button></form>\n';
}
