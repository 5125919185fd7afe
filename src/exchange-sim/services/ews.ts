/**
 * Exchange Web Services: GetStreamingEvents holds for up to half an hour and says in a chunk of its own, again and again, that it
 * is alive; every other SOAP call comes back as its answer. Asked through service-list.ts.
 */
import { whenWhole } from '../body.ts';
import { answerPage } from '../page.ts';
import type { ExchangeService, SimExchange } from '../service.ts';

/** Simulated milliseconds. */
const keepAlivePeriod = 45_000;
/** Minutes. */
const connectionTimeoutMax = 30;
const soapBytesMax = 4_194_304;
const contentType = 'Content-Type: text/xml; charset=utf-8';

const nothing = (): void => {};

function streamingEvents(status: string): string {
  return '<?xml version="1.0" encoding="utf-8"?><Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
    + '<m:GetStreamingEventsResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><m:ResponseMessages>'
    + '<m:GetStreamingEventsResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
    + `<m:ConnectionStatus>${status}</m:ConnectionStatus></m:GetStreamingEventsResponseMessage>`
    + '</m:ResponseMessages></m:GetStreamingEventsResponse></Body></Envelope>';
}

/** Gives the way to call it off. */
function stream(exchange: SimExchange, milliseconds: number): () => void {
  const { clock } = exchange.server;
  let callOff = nothing;
  const wait = (left: number): void => {
    callOff = clock.after(Math.min(keepAlivePeriod, left), () => {
      const isOver = left <= keepAlivePeriod;
      exchange.write(streamingEvents(isOver ? 'Closed' : 'OK'));
      if (isOver) exchange.end();
      else wait(left - keepAlivePeriod);
    });
  };
  exchange.head(200, 'OK', [contentType], { kind: 'chunked' });
  exchange.write(streamingEvents('OK'));
  wait(milliseconds);
  return () => callOff();
}

function handle(exchange: SimExchange): void {
  const { request, server, connection } = exchange;
  exchange.mailbox = request.headers.get('x-anchormailbox') ?? exchange.user;
  if (request.method !== 'POST') {
    answerPage(exchange);
    return;
  }
  let callOff = nothing;
  whenWhole(exchange, soapBytesMax, (body) => {
    const soap = body.toString('utf8');
    if (/<(\w+:)?GetStreamingEvents[\s>]/.test(soap)) {
      const minutes = Number(/ConnectionTimeout>\s*(\d+)\s*</.exec(soap)?.[1] ?? connectionTimeoutMax);
      callOff = stream(exchange, Math.min(connectionTimeoutMax, Math.max(1, minutes)) * 60_000);
      return;
    }
    const affinity = request.headers.get('x-preferserveraffinity')?.toLowerCase() === 'true' ? [`Set-Cookie: X-BackEndOverrideCookie=${server.name}~${connection.number}; path=/; secure; HttpOnly`] : [];
    exchange.answer(200, 'OK', [contentType, ...affinity], body);
  }, () => callOff());
}

export const ews: ExchangeService = { directory: '/EWS', handle };
