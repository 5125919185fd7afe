/**
 * Configurations with fixed addresses (the articles', the demo's) can run once at a time on a machine. Tests that use them hold
 * this lock: a listener on an address that nothing else uses.
 */
import { createServer, type Server } from 'node:net';
import { sleep } from './place.ts';

const lockAddress = { host: '127.0.0.10', port: 19999 };

function tryLock(): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(null));
    server.listen(lockAddress, () => resolve(server));
  });
}

/** Waits for the lock; gives what releases it. */
export async function lockFixedAddresses(timeoutMs = 180_000): Promise<() => Promise<void>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const held = await tryLock();
    if (held !== null) return () => new Promise((resolve) => { held.close(() => resolve()); });
    if (Date.now() > end) throw new Error('the fixed addresses of the examples are in use');
    await sleep(100);
  }
}
