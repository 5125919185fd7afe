/**
 * MAPI over HTTP (MS-OXCMAPIHTTP): every answer is chunked and says PROCESSING at once, PENDING while it takes long, then DONE with
 * the result. Asked through service-list.ts. NotificationWait holds for minutes; the body of a request comes back as its result.
 */
import { whenWhole } from '../body.ts';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';

/** Simulated milliseconds. */
const pendingPeriod = 15_000;
const notificationWait = 300_000;
const resultBytesMax = 1_048_576;

const nothing = (): void => {};

function handle(exchange: SimExchange): void {
  const { request, server } = exchange;
  const type = request.headers.get('x-requesttype') ?? '';
  exchange.mailbox = /[?&]MailboxId=([^&]*)/i.exec(request.target)?.[1] ?? '';
  if (request.method !== 'POST') {
    answerPage(exchange);
    return;
  }
  if (type === '') {
    exchange.answer(400, 'Bad Request', ['Content-Type: text/html', 'X-ResponseCode: 6'], 'Invalid request');
    return;
  }
  let callOff = nothing;
  const done = (body: Buffer): void => {
    exchange.write(`DONE\r\nX-ElapsedTime: 1\r\nX-StartTime: ${new Date(server.clock.now()).toUTCString()}\r\n\r\n`);
    exchange.write(body);
    exchange.end();
  };
  const wait = (left: number, body: Buffer): void => {
    callOff = server.clock.after(Math.min(pendingPeriod, left), () => {
      if (left <= pendingPeriod) {
        done(body);
        return;
      }
      exchange.write('PENDING\r\n');
      wait(left - pendingPeriod, body);
    });
  };
  whenWhole(exchange, resultBytesMax, (body) => {
    const cookies = type.toLowerCase() === 'connect' ? [`Set-Cookie: MapiContext=${server.name}-${exchange.connection.number}; path=/mapi/emsmdb; secure`, 'Set-Cookie: MapiSequence=1; path=/mapi/emsmdb; secure'] : [];
    exchange.head(200, 'OK', [
      'Content-Type: application/mapi-http', `X-RequestType: ${type}`, `X-RequestId: ${request.headers.get('x-requestid') ?? ''}`, 'X-ResponseCode: 0',
      `X-PendingPeriod: ${pendingPeriod}`, 'X-ExpirationInfo: 900000', ...cookies,
    ], { kind: 'chunked' });
    exchange.write('PROCESSING\r\n');
    if (type.toLowerCase() === 'notificationwait') wait(notificationWait, body);
    else done(body);
  }, () => callOff());
}

export const mapi: ExchangeService = { directory: '/mapi', handle };
