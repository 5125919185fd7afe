/** Client of the runtime socket: one command line per connection, answer read to the end. */
import { connect } from 'node:net';

export function runtimeCommand(path: string, line: string, timeoutMs = 3000): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    const timer = setTimeout(() => { socket.destroy(); reject(new Error(`runtime socket: no end of the answer to ${line}; got ${JSON.stringify(text.slice(0, 200))}`)); }, timeoutMs);
    socket.on('connect', () => socket.write(line.endsWith('\n') ? line : `${line}\n`));
    socket.on('data', (chunk) => { text += chunk.toString('latin1'); });
    socket.on('error', (error) => { clearTimeout(timer); reject(error); });
    socket.on('close', () => { clearTimeout(timer); resolve(text); });
  });
}
