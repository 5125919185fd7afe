/** Logins at a simulated server: who is let in on which connection, and which mistakes of a balancer it counts. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { channelBindingsOf } from '../../../src/exchange-sim/ntlm.ts';
import { ExchangeServer } from '../../../src/exchange-sim/server.ts';
import { typeThree } from '../../harness/ntlm-answer.ts';

const make = () => makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const shared = make();
const accounts = { domain: 'lab.local', passwords: new Map([['alice', 'secret'], ['bob', 'other']]) };
const running: ExchangeServer[] = [];
const sockets: TLSSocket[] = [];
const lines: string[] = [];

async function start(pems = shared, protection: 'off' | 'require' = 'off'): Promise<ExchangeServer> {
  const server = new ExchangeServer({ name: 'LAB-EX01', fqdn: 'lab-ex01.lab.local', host: '127.0.0.1', port: 0, ...pems, accounts, protection, log: (line) => lines.push(line) });
  await server.listen();
  running.push(server);
  return server;
}

after(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of running) await server.close();
});

interface Client { ask(path: string, header?: string, body?: string): Promise<string> }

/** One connection; every answer has a Content-Length. */
function client(server: ExchangeServer): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => resolve({ ask }));
    sockets.push(socket);
    let text = '';
    let tell: (answer: string) => void = () => {};
    socket.on('error', reject);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/\r\nContent-Length: (\d+)/.exec(text)?.[1] ?? Number.NaN);
      if (end < 0 || text.length < end + 4 + length) return;
      tell(text);
      text = '';
    });
    const ask = (path: string, header = '', body = ''): Promise<string> => new Promise((told) => {
      tell = told;
      socket.write(`${body === '' ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: mail.lab.local\r\n${header === '' ? '' : `${header}\r\n`}Content-Length: ${body.length}\r\n\r\n${body}`);
    });
  });
}

const typeOne = Buffer.from('4e544c4d5353500001000000078208a200000000000000000000000000000000', 'hex').toString('base64');

async function login(one: Client, user: string, password: string, bindings: Buffer | null = null): Promise<string> {
  const asked = await one.ask('/ews/a', `Authorization: NTLM ${typeOne}`);
  const two = Buffer.from(/WWW-Authenticate: NTLM (\S+)/.exec(asked)?.[1] ?? '', 'base64');
  return one.ask('/ews/a', `Authorization: NTLM ${typeThree(user, 'LAB', password, two.subarray(24, 32), bindings).toString('base64')}`);
}

const status = (answer: string): string => answer.slice(9, 12);

test('NTLM holds for its connection and for no other', async () => {
  const server = await start();
  const [one, other] = [await client(server), await client(server)];
  assert.match(await one.ask('/ews/a'), /^HTTP\/1\.1 401 [\s\S]*\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n/);
  assert.match(await login(one, 'alice', 'secret'), /^HTTP\/1\.1 200 [\s\S]*\r\nPersistent-Auth: true\r\n/);
  assert.match(await one.ask('/mapi/emsmdb'), /^HTTP\/1\.1 200 [\s\S]*\r\nPersistent-Auth: true\r\n/);
  assert.equal(status(await other.ask('/ews/a')), '401');
  assert.equal(status(await login(other, 'bob', 'secret')), '401');
  assert.equal(server.faults, 0);
  assert.match(lines.findLast((line) => line.includes(' /mapi/emsmdb ')) ?? '', / GET \/mapi\/emsmdb - alice 127\.0\.0\.1 \d+ - 200 /);
});

test('a second user on a connection is a fault that the log names', async () => {
  const server = await start();
  const one = await client(server);
  await login(one, 'alice', 'secret');
  assert.equal(status(await login(one, 'bob', 'other')), '200');
  assert.equal(server.faults, 1);
  assert.match(lines.at(-1) ?? '', /FAULT\+bob\+on\+the\+connection\+of\+alice$/);
  await one.ask('/ews/a', 'X-Sim-User: alice');
  assert.equal(server.faults, 2);
});

test('an answer that comes on another connection than its challenge is a fault', async () => {
  const server = await start();
  const one = await client(server);
  assert.equal(status(await one.ask('/ews/a', `Authorization: NTLM ${typeThree('alice', 'LAB', 'secret', Buffer.alloc(8), null).toString('base64')}`)), '401');
  assert.equal(server.faults, 1);
});

test('a malformed token is 401 and the connection goes on', async () => {
  const server = await start();
  const one = await client(server);
  for (const token of ['', 'AAAA', Buffer.from('NTLMSSP\0').toString('base64'), Buffer.from('NTLMSSP\0\x03\0\0\0').toString('base64')]) assert.equal(status(await one.ask('/ews/a', `Authorization: NTLM ${token}`)), '401');
  assert.equal(status(await login(one, 'alice', 'secret')), '200');
  assert.equal(server.faults, 0);
});

test('Extended Protection: only the certificate of the server will do', async () => {
  const server = await start(shared, 'require');
  const seen = (pem: string): Buffer => channelBindingsOf(new X509Certificate(pem).raw);
  assert.equal(status(await login(await client(server), 'alice', 'secret', seen(shared.certPem))), '200');
  assert.equal(status(await login(await client(server), 'alice', 'secret', seen(make().certPem))), '401');
  assert.match(lines.at(-1) ?? '', /0xC000035B\+other\+certificate$/);
  assert.equal(status(await login(await client(server), 'alice', 'secret')), '401');
});

test('cookies of the forms login are read by servers with the same key only', async () => {
  const [first, second, foreign] = [await start(), await start(), await start(make())];
  const one = await client(first);
  assert.match(await one.ask('/owa/'), /^HTTP\/1\.1 302 [\s\S]*\r\nLocation: \/owa\/auth\/logon\.aspx\?url=https%3A%2F%2Fmail\.lab\.local%2Fowa%2F&reason=0\r\n/);
  assert.match(await one.ask('/owa/auth.owa', '', 'destination=/owa/&username=alice&password=no'), /^HTTP\/1\.1 302 [\s\S]*logon\.aspx\?[^\r]*reason=2/);
  const entered = await one.ask('/owa/auth.owa', '', 'destination=/owa/&username=LAB\\alice&password=secret');
  assert.match(entered, /^HTTP\/1\.1 302 [\s\S]*\r\nLocation: \/owa\/\r\n/);
  const cookies = `Cookie: ${[...entered.matchAll(/Set-Cookie: ([^;]+)/g)].map((match) => match[1]).join('; ')}`;
  assert.equal(status(await one.ask('/owa/', cookies)), '200');
  assert.equal(status(await (await client(second)).ask('/ecp/', cookies)), '200');
  assert.match(await (await client(foreign)).ask('/owa/', cookies), /^HTTP\/1\.1 302 [\s\S]*logon\.aspx/);
});

test('Basic is checked at every request', async () => {
  const server = await start();
  const one = await client(server);
  const basic = (text: string): string => `Authorization: Basic ${Buffer.from(text).toString('base64')}`;
  assert.equal(status(await one.ask('/Microsoft-Server-ActiveSync', basic('alice:secret'))), '200');
  assert.match(await one.ask('/Microsoft-Server-ActiveSync'), /^HTTP\/1\.1 401 [\s\S]*\r\nWWW-Authenticate: Basic realm="mail\.lab\.local"\r\n/);
  assert.equal(status(await one.ask('/Microsoft-Server-ActiveSync', basic('bob:secret'))), '401');
  assert.equal(server.faults, 0);
});
