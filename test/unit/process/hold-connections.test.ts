/** Listeners that hold new connections back: a child process with one open connection, asked again after it holds. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';

const module = fileURLToPath(new URL('../../../src/process/hold-connections.ts', import.meta.url));
const program = `import { createServer } from 'node:net';
import { holdConnections } from ${JSON.stringify(module)};
const server = createServer((socket) => { socket.on('data', (chunk) => { socket.write(chunk); }); });
server.listen(0, '127.0.0.1', () => { console.log(server.address().port); });
process.stdin.once('data', () => { console.log('held ' + holdConnections()); });`;

function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  return once(socket, 'data').then(([chunk]) => String(chunk));
}

describe('holding connections back', () => {
  it('lets open connections go on, and neither takes nor refuses new ones', async () => {
    const child = spawn(process.execPath, [...process.versions['bun'] === undefined ? ['--input-type=module-typescript', '-e'] : ['-e'], program], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const [first] = await once(child.stdout, 'data') as [Buffer];
      const port = Number(first.toString().trim());
      const open = connect(port, '127.0.0.1');
      await once(open, 'connect');
      assert.equal(await echo(open, 'before'), 'before');

      child.stdin.write('\n');
      const [said] = await once(child.stdout, 'data') as [Buffer];
      assert.equal(said.toString().trim(), 'held 1');
      assert.equal(await echo(open, 'after'), 'after');

      const late = connect(port, '127.0.0.1');
      const what = await Promise.race([
        once(late, 'connect').then(() => 'connected'), once(late, 'error').then(() => 'refused'), new Promise((resolve) => { setTimeout(resolve, 400, 'waits'); }),
      ]);
      assert.equal(what, 'waits');
      late.destroy();
      open.destroy();
    } finally {
      child.kill('SIGKILL');
    }
  });
});
