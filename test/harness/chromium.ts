/**
 * Debian's Chromium without a window, told what to do through its debugging pipe (the DevTools protocol). Each page has a profile of
 * its own. Used by test/system/exchange/outside-browser.test.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { leftOut } from './exchange-stage.ts';
import { eventually, temporaryFolder } from './place.ts';

const program = '/usr/bin/chromium';
const answerMsMax = 20_000;

interface Told {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

interface Waiting {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

export class Chromium {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private readonly kill: () => void;
  private lastId = 0;
  private held = '';

  private constructor(child: ChildProcess) {
    this.child = child;
    // It starts processes of its own, which are of its group.
    this.kill = () => { try { process.kill(-(child.pid ?? 0), 'SIGKILL'); } catch { /* it is gone */ } };
    process.once('exit', this.kill);
    const [, , , , output] = child.stdio as (Readable | null)[];
    output?.on('data', (chunk: Buffer) => this.take(chunk.toString('utf8')));
    child.on('close', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('Chromium ended'));
    });
  }

  /** Reaches loopback addresses only, and takes every certificate. */
  static async start(): Promise<Chromium> {
    if (!existsSync(program)) throw new Error(leftOut('chromium'));
    const child = spawn(program, [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe', `--user-data-dir=${temporaryFolder()}`, '--ignore-certificate-errors',
      '--disable-background-networking', '--disable-component-update', '--no-first-run', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.*', '--no-proxy-server', 'about:blank',
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true });
    const browser = new Chromium(child);
    await browser.send('Browser.getVersion', {});
    return browser;
  }

  /** An empty page with cookies of its own. */
  async page(): Promise<Page> {
    const { browserContextId } = await this.send('Target.createBrowserContext', {});
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, String(sessionId)));
    await page.say('Page.enable', {});
    return page;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => { this.child.once('close', () => resolve()); });
    await this.send('Browser.close', {}).catch(() => {});
    const late = setTimeout(this.kill, 3000);
    await closed;
    clearTimeout(late);
    process.off('exit', this.kill);
  }

  private send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    this.lastId += 1;
    const id = this.lastId;
    const [, , , input] = this.child.stdio as (Writable | null)[];
    input?.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Chromium does not answer ${method}`)), answerMsMax);
      const done = <T>(call: (value: T) => void) => (value: T): void => {
        clearTimeout(late);
        this.waiting.delete(id);
        call(value);
      };
      this.waiting.set(id, { resolve: done(resolve), reject: done(reject) });
    });
  }

  private take(text: string): void {
    const messages = (this.held + text).split('\0');
    this.held = messages.pop() ?? '';
    for (const message of messages) {
      const { id = 0, result, error } = JSON.parse(message) as Told;
      const waiting = this.waiting.get(id);
      if (error !== undefined) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
    }
  }
}

class Page {
  readonly say: (method: string, params: object) => Promise<Record<string, unknown>>;

  constructor(say: Page['say']) {
    this.say = say;
  }

  /** Loads a page and waits until it is whole. */
  async go(url: string): Promise<void> {
    const { errorText } = await this.say('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${String(errorText)}`);
    await this.loaded(() => true);
  }

  /** Waits until the page is whole and `there` says so of its address. */
  async loaded(there: (path: string) => boolean): Promise<void> {
    await eventually('the page', async () => {
      const [state, path] = await this.run('[document.readyState, location.pathname]').catch(() => ['', '']) as [string, string];
      return state === 'complete' && path !== 'blank' && there(path);
    }, answerMsMax);
  }

  /** The value of an expression in the page, waited for when it is a promise. */
  async run(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.say('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true }) as { result?: { value?: unknown }; exceptionDetails?: { text: string; exception?: { description?: string } } };
    if (exceptionDetails !== undefined) throw new Error(`${exceptionDetails.text} ${exceptionDetails.exception?.description ?? ''}`);
    return result?.value;
  }

  /** Types into the field that a selector names. */
  async type(selector: string, text: string): Promise<void> {
    const found = await this.run(`(() => { const field = document.querySelector(${JSON.stringify(selector)}); field?.focus(); return field !== null; })()`);
    if (found !== true) throw new Error(`no ${selector} on ${String(await this.run('location.href + document.documentElement.outerHTML.slice(0, 1000)'))}`);
    await this.say('Input.insertText', { text });
  }
}
