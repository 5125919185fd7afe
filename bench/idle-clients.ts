/** `idle-clients.ts HOST PORT COUNT`: opens TLS connections, one request on each, then holds them until it is ended. Prints `ready`. */
import { connect, type TLSSocket } from 'node:tls';

const [host = '', port = '', count = ''] = process.argv.slice(2);
const atOnce = 50;
const held: TLSSocket[] = [];

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => socket.write(`GET / HTTP/1.1\r\nHost: bench\r\n\r\n`));
    socket.once('data', () => { held.push(socket); resolve(); });
    socket.once('error', reject);
  });
}

while (held.length < Number(count)) {
  await Promise.all(Array.from({ length: Math.min(atOnce, Number(count) - held.length) }, open));
}
console.log('ready');
setInterval(() => {}, 60_000);
