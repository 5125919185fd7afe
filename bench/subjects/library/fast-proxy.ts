/** fast-proxy behind node:http, with undici as its client, as its documentation advises. Started by subjects/libraries.ts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { answeredStatistics, choose, forwarded, settings } from './site.ts';

interface Options { readonly base: string; readonly undici: { readonly connections: number; readonly pipelining: number } }
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
interface FastProxy { proxy(request: IncomingMessage, response: ServerResponse, url: string, options: { rewriteRequestHeaders: (request: IncomingMessage, headers: Headers) => Headers }): void }

const fastProxy = createRequire(import.meta.url)('fast-proxy') as (options: Options) => FastProxy;
const proxies = settings.servers.map((base) => fastProxy({ base, undici: { connections: 512, pipelining: 1 } }));
const options = { rewriteRequestHeaders: (request: IncomingMessage, headers: Headers): Headers => Object.assign(headers, forwarded(request)) };

createServer((request, response) => {
  if (!answeredStatistics(request, response)) proxies[choose(request, response)]?.proxy(request, response, request.url ?? '/', options);
}).listen(settings.port, settings.address);
