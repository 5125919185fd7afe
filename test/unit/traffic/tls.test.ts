/** TLS on both sides: certificates by name, client certificates, versions, sessions. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server as NetServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, createServer as createTlsServer, type ConnectionOptions, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { C } from '../../../src/model/counters.ts';
import type { ServerTls } from '../../../src/model/model.ts';
import { asCertificate, CertificateMaker } from './certificates.ts';
import { dial, freePort, listenOn, portOf, readAll, upperCase } from './net.ts';
import { makeBind, makeBindTls, makeModel, makeProxy, makeServer, TestThread, until } from './make-model.ts';

const host = '127.14.1.2';
const certificates = new CertificateMaker();
const first = certificates.signed('one.test');
const second = certificates.signed('two.test', ['two.test', '*.wild.test']);
const client = certificates.signed('client');
const stranger = certificates.selfSigned('stranger');

function serverTls(changes: Partial<ServerTls>): ServerTls {
  const { minVersion, maxVersion, ciphers, ciphersuites, curves, noTickets, preferServerCiphers, alpn, caFile, caVerifyFile, crlPem, crlFile } = makeBindTls([]);
  return {
    minVersion, maxVersion, ciphers, ciphersuites, curves, noTickets, preferServerCiphers, alpn, caFile, caVerifyFile, crlPem, crlFile, caPem: certificates.ca.certPem, verify: 'required',
    verifyHost: '', sni: null, certificate: -1, noReuse: false, ...changes,
  };
}

/** Common name of the certificate shown, or the error. */
async function shown(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host, port, rejectUnauthorized: false, ...options });
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`error ${error.code ?? ''}`));
    socket.on('close', () => resolve('closed'));
    socket.on('secureConnect', () => {
      const name = socket.getPeerCertificate().subject?.CN;
      socket.destroy();
      resolve(String(name));
    });
  });
}

/** What the upper-casing server answers through the proxy. */
async function talk(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ host, port, rejectUnauthorized: false, allowHalfOpen: true, ...options } as ConnectionOptions);
  socket.on('error', () => undefined);
  socket.end('hello');
  return readAll(socket);
}

describe('TLS', () => {
  let upper: NetServer;
  let secureUpper: TlsServer;
  let thread: TestThread;
  const ports: number[] = [];

  before(async () => {
    upper = await listenOn(host, upperCase);
    secureUpper = createTlsServer({ cert: second.certPem, key: second.keyPem, allowHalfOpen: true } as object, (socket: TLSSocket) => upperCase(socket.on('error', () => undefined)));
    secureUpper.listen(0, host);
    await once(secureUpper, 'listening');
    for (let index = 0; index < 8; index += 1) ports.push(await freePort(host));
    const both = [{ certificate: 0, sniFilters: [] }, { certificate: 1, sniFilters: [] }];
    const one = [{ certificate: 0, sniFilters: [] }];
    const ca = certificates.ca.certPem;
    const at = (index: number) => ports[index] ?? 0;
    thread = new TestThread(makeModel({
      proxies: [
        makeProxy(0, 'clear'),
        makeProxy(1, 'to-tls'),
        makeProxy(2, 'to-wrong-name', { retries: 0 }),
      ],
      servers: [
        makeServer(0, 0, 's1', host, portOf(upper)),
        makeServer(1, 1, 's2', host, portOf(secureUpper), { tls: serverTls({ verifyHost: 'two.test' }), }),
        makeServer(2, 2, 's3', host, portOf(secureUpper), { tls: serverTls({ verifyHost: 'other.test' }) }),
      ],
      binds: [
        makeBind(0, 0, host, at(0), { tls: makeBindTls(both, { alpn: ['http/1.1'] }) }),
        makeBind(1, 0, host, at(1), { tls: makeBindTls(both, { strictSni: true }) }),
        makeBind(2, 0, host, at(2), { tls: makeBindTls(one, { verify: 'required', caPem: ca }) }),
        makeBind(3, 0, host, at(3), { tls: makeBindTls(one, { verify: 'optional', caPem: ca }) }),
        makeBind(4, 0, host, at(4), { tls: makeBindTls(one), acceptProxy: true }),
        makeBind(5, 0, host, at(5), { tls: makeBindTls(one, { maxVersion: 'TLSv1.2' }) }),
        makeBind(6, 1, host, at(6)),
        makeBind(7, 2, host, at(7)),
      ],
      certificates: [asCertificate(0, first, ['one.test']), asCertificate(1, second, ['two.test', '*.wild.test'])],
    }));
    await thread.start();
  });

  after(async () => {
    await thread.stop();
    upper.close();
    secureUpper.close();
    certificates.remove();
  });

  const at = (index: number): number => ports[index] ?? 0;

  test('the certificate follows the server name, wildcards one label deep, else the first', async () => {
    assert.equal(await shown(at(0), { servername: 'two.test' }), 'two.test');
    assert.equal(await shown(at(0), { servername: 'A.Wild.Test' }), 'two.test');
    assert.equal(await shown(at(0), { servername: 'a.b.wild.test' }), 'one.test');
    assert.equal(await shown(at(0), { servername: '' }), 'one.test');
  });

  test('strict-sni refuses unknown names and clients without one', async () => {
    assert.equal(await shown(at(1), { servername: 'two.test' }), 'two.test');
    assert.match(await shown(at(1), { servername: 'three.test' }), /error|closed/);
    assert.match(await shown(at(1), { servername: '' }), /error|closed/);
  });

  test('bytes and half-closes pass through TLS', async () => {
    assert.equal(await talk(at(0), { servername: 'one.test' }), 'HELLO');
  });

  test('verify required wants a certificate of the CA', async () => {
    assert.equal(await talk(at(2), { servername: '', cert: client.certPem, key: client.keyPem }), 'HELLO');
    assert.equal(await talk(at(2), { servername: '' }), '');
    assert.equal(await talk(at(2), { servername: '', cert: stranger.certPem, key: stranger.keyPem }), '');
  });

  test('verify optional lets clients without certificate in, but no bad ones', async () => {
    assert.equal(await talk(at(3), { servername: '' }), 'HELLO');
    assert.equal(await talk(at(3), { servername: '', cert: stranger.certPem, key: stranger.keyPem }), '');
  });

  test('the PROXY header comes before TLS', async () => {
    const raw = dial(host, at(4));
    raw.write('PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n');
    assert.equal(await talk(at(4), { servername: '', socket: raw }), 'HELLO');
  });

  test('ssl-max-ver holds', async () => {
    const socket = connect({ host, port: at(5), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    assert.equal(socket.getProtocol(), 'TLSv1.2');
    socket.destroy();
  });

  test('a TLS server is verified by name', async () => {
    const good = dial(host, at(6));
    good.end('hello');
    assert.equal(await readAll(good), 'HELLO');
    const bad = dial(host, at(7));
    bad.write('hello');
    assert.equal(await readAll(bad), '');
  });

  test('a client that speaks no TLS is counted and logged', async () => {
    const { segments } = thread;
    const counters = segments.counters(segments.listenerObject(0), 0);
    const before = counters[C.ssl_failed_handshake] ?? 0;
    const socket = dial(host, at(0));
    socket.write('GET / HTTP/1.0\r\n\r\n');
    await readAll(socket);
    await until(() => counters[C.ssl_failed_handshake] === before + 1);
    assert.ok(thread.logLines().some((line) => /^127\.0\.0\.1:\d+ \[.*\] clear\/1: SSL handshake failure$/.test(line)), thread.logLines().join('\n'));
  });

  test('sessions resume, on Node also in another thread', async () => {
    const other = new TestThread({ ...thread.model, binds: [{ ...makeBind(0, 0, host, await freePort(host), { tls: thread.model.binds[5]?.tls ?? null }) }] });
    await other.start();
    const address = other.model.binds[0]?.address;
    const port = address?.kind === 'inet' ? address.port : 0;
    const socket = connect({ host, port: at(5), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const session = socket.getSession();
    socket.destroy();
    // Bun ignores ticket keys: there a ticket is good in the thread that gave it only.
    for (const next of process.versions.bun === undefined ? [at(5), port] : [at(5)]) {
      const again = connect({ host, port: next, rejectUnauthorized: false, ...(session === undefined ? {} : { session }) });
      await once(again, 'secureConnect');
      assert.equal(again.isSessionReused(), true);
      again.destroy();
    }
    await other.stop();
  });
});
