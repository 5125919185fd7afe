/**
 * `sink.ts ADDRESS PORT`: the syslog server of the bench, a process of its own on the load's core. Counts request lines (facility
 * local0, severity info) apart from all others; prints the two counts for each line on its standard input.
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const [address = '', port = ''] = process.argv.slice(2);
let requests = 0;
let others = 0;

const socket = createSocket('udp4', (datagram) => {
  // <134> is local0.info.
  if (datagram[1] === 0x31 && datagram[2] === 0x33 && datagram[3] === 0x34) requests += 1;
  else others += 1;
});
socket.bind(Number(port), address, () => {
  try { socket.setRecvBufferSize(4 << 20); } catch { /* what does not fit is counted by the kernel */ }
  console.log('ready');
});
createInterface({ input: process.stdin }).on('line', (line) => { console.log(`count ${line} ${requests} ${others}`); }).on('close', () => process.exit(0));
