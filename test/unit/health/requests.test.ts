/** What checks send, byte for byte as HAProxy 2.6 was seen to send it, and TLS to the checked server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../../src/base/clock.ts';
import { startHealth } from '../../../src/control/health/checker.ts';
import { systemTimers } from '../../../src/control/timers.ts';
import { authority, certificate } from '../../harness/certificates.ts';
import { HandTime, fakeNet, makeWorld, startFakeHealth } from './rig.ts';

/** The bytes of the first check. `answer`: what to say to each write before going on. */
function sent(lines: string, serverWords = '', replies: readonly string[] = [], global = ''): string {
  const time = new HandTime();
  const net = fakeNet(time);
  const world = makeWorld(`${global === '' ? '' : `global\n  ${global}\n`}backend state\n  ${lines}\n  server s 127.0.0.1:9209 check inter 1s ${serverWords}\n`, time);
  let bytes = '';
  const left = [...replies];
  net.servers.set(9209, (side, written) => {
    bytes += written ?? '';
    const reply = left.shift();
    if (reply !== undefined) side.answer(reply);
  });
  startFakeHealth(world, time, net);
  time.pass(900);
  return bytes;
}

describe('check requests', () => {
  const http = 'mode http\n  option httpchk';
  const cases: [string, string, string, string, string[]?][] = [
    ['plain', http, '', 'OPTIONS / HTTP/1.0\r\n\r\n'],
    ['uri', `${http} /x`, '', 'OPTIONS /x HTTP/1.0\r\n\r\n'],
    ['method and uri', `${http} HEAD /x`, '', 'HEAD /x HTTP/1.0\r\n\r\n'],
    ['version', `${http} GET /x HTTP/1.1`, '', 'GET /x HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['headers in the version', `${http} GET /x HTTP/1.1\\r\\nHost:\\ www\\r\\nX-A:\\ b`, '', 'GET /x HTTP/1.1\r\nhost: www\r\nx-a: b\r\nconnection: close\r\n\r\n'],
    ['send with body', `${http}\n  http-check send meth POST uri /a ver HTTP/1.1 hdr Host foo hdr X-Y z body abc`, '', 'POST /a HTTP/1.1\r\nhost: foo\r\nx-y: z\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc'],
    ['POST without body', `${http}\n  http-check send meth POST uri /a ver HTTP/1.1 hdr Host foo`, '', 'POST /a HTTP/1.1\r\nhost: foo\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'],
    ['a connection header of one\'s own', `${http}\n  http-check send meth GET uri /a ver HTTP/1.1 hdr Connection keep-alive`, '', 'GET /a HTTP/1.1\r\n\r\n'],
    ['send-state', `${http}\n  http-check send-state`, '', 'OPTIONS / HTTP/1.0\r\nx-haproxy-server-state: UP 1/3; address=127.0.0.1; port=9209; name=state/s; node=nodeA; weight=1/1; scur=0/0; qcur=0\r\n\r\n'],
    ['redis', 'mode tcp\n  option redis-check', '', '*1\r\n$4\r\nPING\r\n'],
    ['smtp', 'mode tcp\n  option smtpchk', '', 'HELO localhost\r\nQUIT\r\n', ['220 hi\r\n', '250 ok\r\n', '221 bye\r\n']],
    ['smtp with domain', 'mode tcp\n  option smtpchk EHLO my.dom', '', 'EHLO my.dom\r\nQUIT\r\n', ['220 hi\r\n', '250 ok\r\n', '221 bye\r\n']],
    ['mysql', 'mode tcp\n  option mysql-check user bob', '', '%\0\0\x01\0\x82\0\0\0\x80\0\x01!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0bob\0\0\x01\0\0\0\x01', ['\x08\0\0\0\x0a5.7.2\0x']],
    ['mysql of old', 'mode tcp\n  option mysql-check user bob pre-41', '', '\n\0\0\x01\0\x80\0\0\x01bob\0\0\x01\0\0\0\x01', ['\x08\0\0\0\x0a5.7.2\0x']],
    ['pgsql', 'mode tcp\n  option pgsql-check user bob', '', '\0\0\0\x12\0\x03\0\0user\0bob\0\0'],
    ['ldap', 'mode tcp\n  option ldap-check', '', '0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0'],
    ['spop', 'mode tcp\n  option spop-check', '', '\0\0\0N\x01\0\0\0\x01\0\0\x12supported-versions\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\0\x0bhealthcheck\x11'],
    ['tcp-check', 'mode tcp\n  option tcp-check\n  tcp-check send a\\r\\n\n  tcp-check send-binary 4142\n  tcp-check send-lf q%[str(x)]', '', 'a\r\nABqx'],
    ['variables of the check', 'mode tcp\n  option tcp-check\n  tcp-check set-var(check.x) str(seven)\n  tcp-check send-lf %[var(check.x),upper]%[srv_name]', '', 'SEVENs'],
  ];
  for (const [name, lines, words, bytes, replies] of cases) {
    it(name, () => assert.equal(sent(lines, words, replies, 'node nodeA'), bytes));
  }

  it('ssl-hello-chk', () => {
    const hello = Buffer.from(sent('mode tcp\n  option ssl-hello-chk'), 'latin1');
    assert.equal(hello.length, 126);
    assert.equal(hello.subarray(0, 11).toString('hex'), '1603000079010000750300');
    assert.equal(hello.readUInt32BE(11), Math.floor((1_700_000_000_000 + 1_000_001) / 1000));
    assert.equal(hello.subarray(15, 43).toString('latin1'), 'HAPROXYSSLCHK\nHAPROXYSSLCHK\n');
    assert.equal(hello.subarray(43, 46).toString('hex'), '00004e');
    assert.equal(hello.subarray(-2).toString('hex'), '0100');
  });
});

describe('TLS checks', () => {
  const files = certificate(['mail.lab.local']);
  interface Seen { readonly sni: string | false | null; readonly alpn: string | false | null; readonly bytes: string }

  /** Runs one check against a TLS server; `raw` wraps what arrives before TLS. */
  async function check(words: string): Promise<{ result: string; seen: Seen[] }> {
    const seen: Seen[] = [];
    const server = createTlsServer({ key: readFileSync(files.key), cert: readFileSync(files.certificate), ALPNProtocols: ['http/1.1'] }, (socket: TLSSocket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk: Buffer) => {
        seen.push({ sni: (socket as { servername?: string | false }).servername ?? null, alpn: socket.alpnProtocol, bytes: chunk.toString('latin1') });
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => { server.listen(0, '127.15.21.1', resolve); });
    const { port } = server.address() as AddressInfo;
    const world = makeWorld(`backend b\n  option httpchk\n  server s 127.15.21.1:${port} check inter 2s ${words}\n`, { ...systemClock, ...systemTimers }, { CA: readFileSync(authority(), 'latin1') });
    const health = startHealth(world.model, world.states, { clock: systemClock, random: Math.random, log: () => undefined });
    for (let waited = 0; waited < 300 && world.states.checkInfo(0).status === 'INI'; waited += 1) await new Promise((resolve) => { setTimeout(resolve, 10); });
    health.stop();
    server.close();
    const info = world.states.checkInfo(0);
    return { result: `${info.status} [${info.description}]`, seen };
  }

  it('goes through without verification, and without a server name when none is set', async () => {
    const { result, seen } = await check('ssl verify none');
    assert.equal(result, 'L7OK []');
    assert.equal(seen[0]?.bytes, 'OPTIONS / HTTP/1.0\r\n\r\n');
    assert(!seen[0]?.sni, String(seen[0]?.sni));
  });

  it('check-sni and check-alpn reach the server', async () => {
    const { result, seen } = await check('ssl verify none check-sni mail.lab.local check-alpn http/1.1');
    assert.equal(result, 'L7OK []');
    assert.deepEqual([seen[0]?.sni, seen[0]?.alpn], ['mail.lab.local', 'http/1.1']);
  });

  it('verify required: the CA decides, verifyhost the name', async () => {
    assert.equal((await check('ssl verify required ca-file CA')).result, 'L7OK []');
    assert.equal((await check('ssl verify required ca-file CA verifyhost mail.lab.local')).result, 'L7OK []');
    assert.equal((await check('ssl verify required ca-file CA verifyhost other.lab.local')).result, 'L6RSP [SSL handshake failure]');
  });

  it('a server that speaks no TLS or hangs up fails the handshake', async () => {
    const results: string[] = [];
    for (const answer of ['HTTP/1.0 400 Bad\r\n\r\n', '']) {
      const server = createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(answer));
      });
      await new Promise<void>((resolve) => { server.listen(0, '127.15.21.1', resolve); });
      const world = makeWorld(`backend b\n  server s 127.15.21.1:${(server.address() as AddressInfo).port} check inter 2s ssl verify none\n`, { ...systemClock, ...systemTimers });
      const health = startHealth(world.model, world.states, { clock: systemClock, random: Math.random, log: () => undefined });
      for (let waited = 0; waited < 300 && world.states.checkInfo(0).status === 'INI'; waited += 1) await new Promise((resolve) => { setTimeout(resolve, 10); });
      results.push(`${world.states.checkInfo(0).status} [${world.states.checkInfo(0).description}]`);
      health.stop();
      server.close();
    }
    assert.deepEqual(results, ['L6RSP [SSL handshake failure]', 'L6RSP [Connection closed during SSL handshake]']);
  });
});

describe('PROXY protocol in checks', () => {
  it('version 1 tells the connection\'s ends, version 2 says LOCAL, a port of its own needs check-send-proxy', async () => {
    const heard: string[] = [];
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (chunk) => {
        heard.push(chunk.toString('latin1').replace(/ \d+ \d+\r/, ' P Q\r'));
        socket.end('HTTP/1.0 200 OK\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.15.21.2', resolve); });
    const { port } = server.address() as AddressInfo;
    const line = (name: string, words: string): string => `  server ${name} 127.15.21.2:${port} check inter 1s ${words}\n`;
    const world = makeWorld(`global\n  max-spread-checks 40\nbackend b\n  option httpchk\n${line('a', 'send-proxy')}${line('b', 'send-proxy-v2')}${line('c', `port ${port} send-proxy`)}${line('d', `port ${port} check-send-proxy`)}`, { ...systemClock, ...systemTimers });
    const health = startHealth(world.model, world.states, { clock: systemClock, random: Math.random, log: () => undefined });
    for (let waited = 0; waited < 300 && heard.length < 4; waited += 1) await new Promise((resolve) => { setTimeout(resolve, 10); });
    health.stop();
    server.close();
    const request = 'OPTIONS / HTTP/1.0\r\n\r\n';
    assert.deepEqual(heard, [
      `PROXY TCP4 127.0.0.1 127.15.21.2 P Q\r\n${request}`, `\r\n\r\n\0\r\nQUIT\n\x20\0\0\0${request}`, request, `PROXY TCP4 127.0.0.1 127.15.21.2 P Q\r\n${request}`,
    ]);
  });
});
