/** The server's log in the W3C extended format that IIS writes, with connection, mailbox and remark after its own fields. */
import type { HttpExchange } from './connection.ts';

/** The lines that begin a log file. */
export const logHead = '#Software: poise-exchange-sim\n#Version: 1.0\n#Fields: date time s-computername s-port cs-method cs-uri-stem cs-uri-query cs-username c-ip c-port cs(User-Agent) sc-status sc-bytes cs-bytes time-taken connection mailbox remark\n';

/** Blanks become '+', nothing becomes '-'. */
function field(text: string): string {
  return text === '' ? '-' : text.replace(/[\s\p{Cc}]/gu, '+');
}

/** One line without its end; `time-taken` in real milliseconds. An exchange that was cut has the remark `cut`. */
export function logLine(exchange: HttpExchange, port: number, whole: boolean): string {
  const { request, connection } = exchange;
  const [date = '', time = ''] = new Date(exchange.server.clock.now()).toISOString().slice(0, 19).split('T');
  const question = request.target.indexOf('?');
  const stem = question < 0 ? request.target : request.target.slice(0, question);
  const query = question < 0 ? '' : request.target.slice(question + 1);
  const remark = whole ? exchange.remark : `${exchange.remark}${exchange.remark === '' ? '' : ', '}cut`;
  return [
    date, time, exchange.server.name, port, request.method, field(stem), field(query), field(exchange.user), connection.clientAddress, connection.clientPort,
    field(request.headers.get('user-agent') ?? ''), exchange.status, exchange.bytesSent, request.bodyBytes, Date.now() - exchange.startedAt,
    connection.number, field(exchange.mailbox), field(remark),
  ].join(' ');
}
