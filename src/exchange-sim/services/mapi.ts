/**
 * MAPI over HTTP (MS-OXCMAPIHTTP): every answer is chunked and says PROCESSING at once, PENDING while it takes long, then DONE with
 * the result. Asked through service-list.ts. NotificationWait holds for minutes; the body of a request comes back as its result.
 */
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
    exchange.answer(200, 'OK', ['Content-Type: application/mapi-http'], `${server.name} ${request.method} ${request.target} /mapi ${request.bodyBytes}\n`);
    return;
  }
  if (type === '') {
    exchange.answer(400, 'Bad Request', ['Content-Type: text/html', 'X-ResponseCode: 6'], 'Invalid request');
    return;
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  let callOff = nothing;
  const done = (): void => {
    exchange.write(`DONE\r\nX-ElapsedTime: 1\r\nX-StartTime: ${new Date(server.clock.now()).toUTCString()}\r\n\r\n`);
    exchange.write(Buffer.concat(pieces));
    exchange.end();
  };
  const wait = (left: number): void => {
    callOff = server.clock.after(Math.min(pendingPeriod, left), () => {
      if (left <= pendingPeriod) {
        done();
        return;
      }
      exchange.write('PENDING\r\n');
      wait(left - pendingPeriod);
    });
  };
  exchange.read({
    piece(part) {
      bytes += part.length;
      if (bytes <= resultBytesMax) pieces.push(part);
    },
    end() {
      const cookies = type.toLowerCase() === 'connect' ? [`Set-Cookie: MapiContext=${server.name}-${exchange.connection.number}; path=/mapi/emsmdb; secure`, 'Set-Cookie: MapiSequence=1; path=/mapi/emsmdb; secure'] : [];
      exchange.head(200, 'OK', [
        'Content-Type: application/mapi-http', `X-RequestType: ${type}`, `X-RequestId: ${request.headers.get('x-requestid') ?? ''}`, 'X-ResponseCode: 0',
        `X-PendingPeriod: ${pendingPeriod}`, 'X-ExpirationInfo: 900000', ...cookies,
      ], { kind: 'chunked' });
      exchange.write('PROCESSING\r\n');
      if (type.toLowerCase() === 'notificationwait') wait(notificationWait);
      else done();
    },
    gone: () => callOff(),
  });
}

export const mapi: ExchangeService = { directory: '/mapi', handle };
