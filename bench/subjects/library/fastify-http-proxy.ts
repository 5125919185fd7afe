/** @fastify/http-proxy on fastify, with undici as its client (its default). Started by subjects/libraries.ts. */
import type { IncomingMessage } from 'node:http';
import { fastify } from 'fastify';
import proxy from '@fastify/http-proxy';
import { answeredStatistics, choose, forwarded, settings } from './site.ts';

const chosen = new WeakMap<object, number>();
const server = fastify({ logger: false });
server.addHook('onRequest', (request, reply, done) => { chosen.set(request.raw, choose(request.raw, reply.raw)); done(); });
server.get(settings.statisticsPath, (request, reply) => { reply.hijack(); answeredStatistics(request.raw, reply.raw); });
server.register(proxy, {
  upstream: '',
  undici: { connections: 512, pipelining: 1 },
  replyOptions: {
    getUpstream: (request) => settings.servers[chosen.get(request.raw) ?? 0] ?? '',
    rewriteRequestHeaders: (request, headers) => ({ ...headers, ...forwarded(request.raw as IncomingMessage) }),
  },
});
await server.listen({ port: settings.port, host: settings.address });
