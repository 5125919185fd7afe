/**
 * Chromium as OWA's browser, through the configuration of the layer 7 article: the logon page, the login, the long poll, an upload,
 * the notification channel. HAProxy and Poise must show the same. 300 simulated seconds pass in a real one.
 */
import { after, before } from 'node:test';
import { Chromium } from '../../harness/chromium.ts';
import { comparison } from '../../harness/comparison.ts';
import { layerSeven, mailCertificate, twoServers } from '../../harness/exchange-origin.ts';
import { leftOut } from '../../harness/exchange-stage.ts';
import { accounts, placeOf } from '../../harness/outside.ts';
import { eventually } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

let chromium: Chromium | undefined;
before(async () => { chromium = await Chromium.start(); });
after(() => chromium?.close());

type Page = Awaited<ReturnType<Chromium['page']>>;

function newPage(): Promise<Page> {
  if (chromium === undefined) throw new Error(leftOut('chromium'));
  return chromium.page();
}

async function logOn(page: Page, user: string, password: string): Promise<string> {
  await page.type('[name=username]', user);
  await page.type('[name=password]', password);
  const before = await page.run('performance.timeOrigin');
  await page.run('document.querySelector("button").click()');
  // The page that follows, and all of it.
  await eventually('the page after the login', () => page.run(`document.readyState === "complete" && performance.timeOrigin !== ${String(before)}`).catch(() => false), 20_000);
  return String(await page.run('location.pathname + location.search'));
}

const text = (page: Page): Promise<unknown> => page.run('document.body.innerText.trim()');
const nameless = (told: unknown): string => String(told).replaceAll(/LAB-EX0\d/g, 'LAB-EX0n');

/** From nothing to the mailbox, by way of a wrong password. */
async function enter(site: Site): Promise<{ page: Page; seen: unknown[] }> {
  const page = await newPage();
  const seen: unknown[] = [];
  await page.go(`https://${placeOf(site, 'https')}/owa/`);
  seen.push(await page.run('location.pathname'), await page.run('document.querySelector("#wrong")'));
  seen.push(site.anonymous(await logOn(page, 'alice', 'wrong')), await page.run('document.querySelector("#wrong").innerText'));
  seen.push(await logOn(page, 'LAB\\alice', 'secret'), nameless(await text(page)));
  return { page, seen };
}

async function login(site: Site): Promise<unknown> {
  const { page, seen } = await enter(site);
  const servers = new Set<unknown>();
  // Every time on a connection of its own or not, as the browser likes: both servers know the cookies.
  for (let look = 0; look < 4; look += 1) {
    await page.go(`https://${placeOf(site, 'https')}/owa/?look=${look}`);
    seen.push(nameless(await text(page)));
    servers.add(await page.run('document.body.innerText.slice(0, 8)'));
  }
  await page.go(`https://${placeOf(site, 'https')}/ecp/`);
  seen.push(nameless(await text(page)));
  // Scripts do not see what the login left behind.
  seen.push(await page.run('document.cookie'));
  return { seen, servers: servers.size };
}

/** Pieces of a long poll with the milliseconds at which they came, the head first. */
const poll = `(async () => {
  const began = performance.now();
  const answer = await fetch('/owa/ev.owa2?ns=PendingRequest&ev=PendingNotificationRequest&UA=0');
  const headAt = performance.now() - began;
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
  return { status: answer.status, headAt, text, doneAt: performance.now() - began };
})()`;

async function longPoll(site: Site): Promise<unknown> {
  const { page } = await enter(site);
  const seen: unknown[] = [];
  for (let round = 0; round < 2; round += 1) {
    const { status, headAt, text: told, doneAt } = await page.run(poll) as { status: number; headAt: number; text: string; doneAt: number };
    seen.push({ status, told: nameless(told), headFirst: doneAt - headAt > 400, held: doneAt >= 790 });
  }
  // While one poll is held, other requests go on.
  const [, others] = await Promise.all([page.run(poll), page.run('Promise.all([1, 2, 3, 4].map((n) => fetch("/owa/?n=" + n).then((answer) => answer.status)))')]);
  return { seen, others };
}

const upload = `(async () => {
  const bytes = new Uint8Array(3_000_000).map((_, at) => at * 7 % 251);
  const digest = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((one) => one.toString(16).padStart(2, '0')).join('');
  const told = await (await fetch('/owa/service.svc?action=CreateAttachment', { method: 'POST', body: bytes })).json();
  return { bytes: told.bytes, whole: told.sha256 === digest };
})()`;

const channel = `new Promise((resolve) => {
  const socket = new WebSocket(location.origin.replace('https', 'wss') + '/owa/notificationchannel/connect');
  const told = [];
  socket.onopen = () => { socket.send('hello'); socket.send('z'.repeat(50_000)); };
  socket.onmessage = async (event) => {
    told.push(typeof event.data === 'string' ? event.data.length : event.data.size);
    if (told.length === 2) setTimeout(() => socket.close(1000, 'bye'), 1000);
  };
  socket.onerror = () => resolve('error');
  socket.onclose = (event) => resolve({ told, code: event.code, clean: event.wasClean });
})`;

comparison('Chromium on OWA', { configuration: layerSeven(), origins: twoServers({ scale: 300, accounts }), values: mailCertificate }, (situation) => {
  situation('forms login: refused, let in, known to both servers', login, { shows: ['/owa/auth/logon.aspx', 'The user name or password is not correct.', '"/owa/"', '"servers": 2'] });
  situation('long poll: the head at once, the news when they come', longPoll, { shows: ['"headFirst": true', '"held": true', 'reachability', /"others": \[\s+200,\s+200,\s+200,\s+200/] });
  situation('upload and notification channel', async (site) => {
    const { page } = await enter(site);
    return [await page.run(upload), await page.run(channel)];
  }, { shows: ['"bytes": 3000000', '"whole": true', '"code": 1000', '"clean": true', '50000'] });
});
