/**
 * The answer of a virtual directory where nothing else answers: a page that names the server and what was asked, once the body is
 * here; `?bytes=` adds that many. Called by server.ts and by services for requests that are not theirs.
 */
import { whenWhole } from './body.ts';
import type { SimExchange } from './service.ts';
import { directoryOf } from './virtual-directories.ts';

/** Largest body that `?bytes=` may ask for. */
const bodyBytesMax = 1_073_741_824;
const fill = Buffer.alloc(65_536, 'Exchange ');

export function answerPage(exchange: SimExchange): void {
  const { request, server } = exchange;
  const [path = ''] = request.target.split('?');
  const directory = directoryOf(path);
  let extra = Math.min(bodyBytesMax, Number(new URLSearchParams(request.target.slice(path.length + 1)).get('bytes') ?? 0) || 0);
  whenWhole(exchange, 0, () => {
    const told = Buffer.from(`${server.name} ${request.method} ${request.target} ${directory?.path ?? '/'} ${request.bodyBytes}\n`, 'latin1');
    exchange.head(200, 'OK', [`Content-Type: ${directory?.contentType ?? 'text/html'}`], { kind: 'length', bytes: told.length + extra });
    exchange.write(told);
    if (request.method === 'HEAD') extra = 0;
    pour();
  }, () => { extra = 0; });

  /** As fast as the reader takes it. */
  function pour(): void {
    while (extra > 0) {
      const piece = extra >= fill.length ? fill : fill.subarray(0, extra);
      extra -= piece.length;
      if (!exchange.write(piece)) {
        exchange.drained(pour);
        return;
      }
    }
    exchange.end();
  }
}
