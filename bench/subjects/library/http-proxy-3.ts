/** http-proxy-3 behind node:http with a keep-alive agent. Started by subjects/libraries.ts. */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { answeredStatistics, choose, forwarded, settings } from './site.ts';

const proxy = createProxyServer({ agent: new Agent({ keepAlive: true, maxSockets: 2048, maxFreeSockets: 512 }) });
proxy.on('error', (error) => { console.error(error.message); process.exit(1); });

createServer((request, response) => {
  if (!answeredStatistics(request, response)) proxy.web(request, response, { target: settings.servers[choose(request, response)] ?? '', headers: forwarded(request) });
}).listen(settings.port, settings.address);
