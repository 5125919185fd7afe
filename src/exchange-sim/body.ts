/** Reads the body of a request for a service that needs all of it. Used by page.ts and everything under services/. */
import type { SimExchange } from './service.ts';

const nothing = (): void => {};

/**
 * Calls back with the whole body; what is longer than `bytesMax` is read and left out. Must be called inside handle(). A client
 * that expects 100 Continue gets it here, as IIS sends it when somebody begins to read. `gone`: the client left before the answer.
 */
export function whenWhole(exchange: SimExchange, bytesMax: number, use: (body: Buffer) => void, gone: () => void = nothing): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  if (exchange.request.headers.get('expect')?.toLowerCase() === '100-continue') exchange.interim(100, 'Continue');
  exchange.read({
    piece(part) {
      bytes += part.length;
      if (bytes <= bytesMax) pieces.push(part);
    },
    end: () => use(Buffer.concat(pieces)),
    gone,
  });
}
