/** Sockets for tests of the data plane. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export async function listenOn(host: string, handler: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    handler(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** A port nobody listens on: taken and given back. */
export async function freePort(host: string): Promise<number> {
  const server = await listenOn(host, () => undefined);
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

export function dial(host: string, port: number): Socket {
  return connect({ port, host, allowHalfOpen: true }).on('error', () => undefined);
}

/** All that comes until the peer ends or closes. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1'); });
  await new Promise<void>((resolve) => {
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
  return text;
}

/** Answers in upper case once the client has half-closed. */
export function upperCase(socket: Socket): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('latin1'); });
  socket.on('end', () => socket.end(text.toUpperCase()));
}
