/** `monitor-uri` and `monitor fail`: answered here, never logged, for probes of other machines; and the process's own question whether it answers. */
import { C } from '../../model/counters.ts';
import { faults } from '../../model/fault.ts';
import { answerNow, answerWithPage } from './answer.ts';
import type { HttpExchange } from './http-exchange.ts';

const ready = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 58\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n', 'latin1');

/** True: it was the monitor's request and is answered. */
export function monitored(x: HttpExchange): boolean {
  const { front, requestHead } = x;
  const { selfCheckUri } = front.plan.model.global;
  if (selfCheckUri !== '' && requestHead.uri === selfCheckUri) {
    x.unlogged = true;
    answerNow(x, ready, 'L', 'R');
    return true;
  }
  if (front.proxy.monitorUri === '' || requestHead.uri !== front.proxy.monitorUri) return false;
  x.unlogged = true;
  front.front.count(C.intercepted);
  if (front.rules.http.monitorFail.some((test) => test(x))) answerWithPage(x, { ...faults.noServer, cause: 'L', stage: 'R' });
  else answerNow(x, ready, 'L', 'R');
  return true;
}
