/**
 * What OWA does beyond pages: the long poll for notifications, and uploads whose bytes are counted and whose digest is told. Asked
 * through service-list.ts.
 */
import { createHash } from 'node:crypto';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';

/** How long a poll without news is held, simulated milliseconds. */
const pollMilliseconds = 240_000;
const json = 'Content-Type: application/json; charset=utf-8';

/** The head goes out at once, the notification when the time is over. */
function poll(exchange: SimExchange): void {
  const { server } = exchange;
  exchange.mailbox = exchange.user;
  exchange.head(200, 'OK', ['Content-Type: text/plain; charset=utf-8', 'Cache-Control: no-cache, no-store'], { kind: 'chunked' });
  const callOff = server.clock.after(pollMilliseconds, () => {
    exchange.write(`{"id":"reachability","server":"${server.name}"}`);
    exchange.end();
  });
  exchange.read({ piece() {}, end() {}, gone: callOff });
}

function upload(exchange: SimExchange): void {
  const { request, server } = exchange;
  if (request.method !== 'POST' && request.method !== 'PUT') {
    answerPage(exchange);
    return;
  }
  const digest = createHash('sha256');
  let bytes = 0;
  if (request.headers.get('expect')?.toLowerCase() === '100-continue') exchange.interim(100, 'Continue');
  exchange.read({
    piece(part) {
      digest.update(part);
      bytes += part.length;
    },
    end: () => exchange.answer(200, 'OK', [json], `${JSON.stringify({ server: server.name, bytes, sha256: digest.digest('hex') })}\n`),
    gone() {},
  });
}

export const owaPoll: ExchangeService = { directory: '/owa/ev.owa2', handle: poll };
export const owaUpload: ExchangeService = { directory: '/owa/service.svc', handle: upload };
