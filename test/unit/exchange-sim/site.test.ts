/** The simulated site as clients, health checks and the control port see it, with a certificate that is verified. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { ExchangeSite } from '../../../src/exchange-sim/site.ts';

const made = makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local', '*.lab.local', '127.0.0.1'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const server = (name: string) => ({ name, fqdn: `${name}.lab.local`, host: '127.0.0.1', port: 0, certPem: made.certPem, keyPem: made.keyPem });
let site: ExchangeSite;
let control = 0;

before(async () => {
  site = new ExchangeSite([server('LAB-EX01'), server('LAB-EX02')]);
  control = await site.listen('127.0.0.1', 0);
});
after(() => site.close());

/** Sends bytes and collects the answer until the server closes. */
function ask(at: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: site.servers[at]?.port ?? 0, ca: made.certPem, servername: 'mail.lab.local' }, () => socket.write(bytes));
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
}

const get = (at: number, target: string, more = ''): Promise<string> => ask(at, `GET ${target} HTTP/1.1\r\nHost: mail.lab.local\r\n${more}Connection: close\r\n\r\n`);

async function post(body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${control}/components`, { method: 'POST', body });
  return `${response.status} ${await response.text()}`;
}

const order = (state: string): Promise<string> => post(JSON.stringify({ server: 'LAB-EX01', component: 'EwsProxy', requester: 'Maintenance', state }));

test('the certificate is what it says', () => {
  const certificate = new X509Certificate(made.certPem);
  assert.equal(certificate.subject, 'CN=mail.lab.local');
  assert.ok(certificate.checkHost('anything.lab.local') !== undefined);
  assert.ok(certificate.checkIP('127.0.0.1') !== undefined);
  assert.ok(certificate.verify(certificate.publicKey));
});

test('every virtual directory names the server, in any capitalisation', async () => {
  for (const path of ['/owa/', '/ECP/', '/ews/x.asmx', '/MAPI/emsmdb', '/rpc/rpcproxy.dll', '/microsoft-server-activesync', '/oab/a', '/AutoDiscover/a.xml', '/powershell', '/api/v1']) {
    const answer = await get(1, path);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/, path);
    assert.match(answer, /\r\nX-FEServer: LAB-EX02\r\n/, path);
  }
  assert.match(await get(0, '/'), /^HTTP\/1\.1 302 Found\r\n[\s\S]*Location: \/owa\/\r\n/);
  assert.match(await get(0, '/nothing'), /^HTTP\/1\.1 404 /);
});

test('a head that is too long is refused as IIS refuses it, one that is not is read in pieces', async () => {
  const answer = await get(0, '/ews/', `Authorization: Negotiate ${'Y'.repeat(70_000)}\r\n`);
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n[^]*Server: Microsoft-HTTPAPI\/2\.0\r\n[^]*Bad Request - Request Too Long/);
  assert.match(await get(0, '/ews/', `A: ${'a'.repeat(60_000)}\r\nB: ${'b'.repeat(40_000)}\r\n`), /^HTTP\/1\.1 200 OK\r\n/);
});

test('keep-alive, pipelining, HEAD, large bodies', async () => {
  const answer = await ask(0, 'PUT /api/x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcHEAD /owa/ HTTP/1.1\r\n\r\nGET /oab/?bytes=200000 HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.equal(answer.split('HTTP/1.1 200 OK').length, 4);
  assert.match(answer, /LAB-EX01 PUT \/api\/x \/API 3\n/);
  assert.ok(answer.length > 200_000);
});

test('Expect: 100-continue is answered before the body comes', async () => {
  assert.match(await ask(0, 'POST /EWS HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});

test('healthcheck.htm follows the component, other requests do not', async () => {
  assert.match(await get(0, '/ews/healthcheck.htm'), /^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\n200 OK<br\/>LAB-EX01\.LAB\.LOCAL$/);
  assert.equal(await order('Inactive'), '200 done\n');
  assert.match(await get(0, '/ews/healthcheck.htm'), /^HTTP\/1\.1 503 /);
  assert.match(await get(0, '/EWS/Exchange.asmx'), /^HTTP\/1\.1 200 /);
  assert.match(await get(0, '/owa/healthcheck.htm'), /^HTTP\/1\.1 200 /);
  assert.match(await get(1, '/ews/healthcheck.htm'), /^HTTP\/1\.1 200 /);
  assert.equal(await order('Active'), '200 done\n');
  assert.match(await get(0, '/ews/healthcheck.htm'), /^HTTP\/1\.1 200 /);
});

test('orders that make no sense are refused with the reason', async () => {
  assert.equal(await post('{'), '400 the order is not JSON\n');
  assert.equal(await post('{"server":"LAB-EX09"}'), "400 no server 'LAB-EX09'\n");
  assert.equal(await post('{"server":"lab-ex01","component":"x"}'), "400 no component 'x'\n");
  assert.equal(await post('{"server":"lab-ex01","component":"RpcProxy","requester":"x"}'), "400 no requester 'x'\n");
  assert.equal(await post('{"server":"lab-ex01","component":"RpcProxy","requester":"Maintenance","state":"x"}'), "400 no state 'x'\n");
});
