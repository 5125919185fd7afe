/** What every answer gets, whoever made it: http-after-response and the connection line. */
import type { HttpExchange } from './http-exchange.ts';

/** http-after-response: for every answer, whoever made it. */
export function afterRules(x: HttpExchange): void {
  const { front, back } = x;
  if (back !== null && back.rules.http.afterResponse.length > 0) back.rules.http.afterResponse.run(x, 0);
  if (back !== front && front.rules.http.afterResponse.length > 0) front.rules.http.afterResponse.run(x, 0);
}

/** The connection line that this answer needs, for its version and what becomes of the client connection. */
export function connectionLine(x: HttpExchange): string {
  const { responseHead: head, requestHead } = x;
  if (x.closeClient) return head.minor === 1 ? 'connection: close\r\n' : '';
  return head.minor === 0 || requestHead.minor === 0 ? 'connection: keep-alive\r\n' : '';
}
