/** What stands beside HTTPS on a simulated server: mail ports that follow their components, mailboxes that servers share, port 80. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeCertificate } from '../../../src/exchange-sim/certificate.ts';
import { readCommandLine } from '../../../src/exchange-sim/command-line.ts';
import { ExchangeSite } from '../../../src/exchange-sim/site.ts';

const made = makeCertificate({ commonName: 'mail.lab.local', names: ['mail.lab.local'], validFrom: new Date(Date.now() - 60_000), validDays: 2 });
const accounts = { passwords: new Map([['anna', 'right']]), domain: 'lab.local' };
const mailPorts = { smtp: 0, imap: 0, pop: 0 };
let site: ExchangeSite;

before(async () => {
  site = new ExchangeSite(['LAB-EX01', 'LAB-EX02'].map((name) => ({ name, fqdn: `${name}.lab.local`, host: '127.0.0.1', port: 0, redirectPort: 0, mailPorts, accounts, ...made })));
  await site.listen('127.0.0.1', 0);
});
after(() => site.close());

/** Sends each line once the server has said something, gives everything that it said; 'refused' when nobody listens. */
function talk(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const left = [...lines];
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
      if (!text.endsWith('\n')) return;
      const next = left.shift();
      if (next !== undefined) socket.write(`${next}\r\n`);
    });
    socket.on('error', () => resolve('refused'));
    socket.on('close', () => resolve(text));
  });
}

const port = (at: number, protocol: 'smtp' | 'imap'): number => site.mail[at]?.portOf(protocol) ?? 0;
const letter = ['EHLO me', 'MAIL FROM:<a@b>', 'RCPT TO:<anna@lab.local>', 'DATA', 'Subject: x\r\n\r\nhello\r\n.', 'QUIT'];

test('a draining HubTransport or FrontendTransport ends in 421, a server wide offline too; the other server goes on', async () => {
  assert.match(await talk(port(0, 'smtp'), letter), /250 2\.6\.0 /);
  for (const [component, state] of [['HubTransport', 'Draining'], ['FrontendTransport', 'Inactive'], ['ServerWideOffline', 'Inactive']] as const) {
    assert.equal(site.setComponent('LAB-EX01', component, 'Maintenance', state), '');
    assert.match(await talk(port(0, 'smtp'), letter), /^220 [^]*421 4\.3\.2 /);
    assert.match(await talk(port(1, 'smtp'), letter), /250 2\.6\.0 /);
    site.setComponent('LAB-EX01', component, 'Maintenance', 'Active');
  }
  assert.match(await talk(port(0, 'smtp'), letter), /250 2\.6\.0 /);
});

test('IMAP of one server stops with its ImapProxy and comes back', async () => {
  const state = async (wanted: boolean): Promise<void> => {
    for (let tries = 0; ((await talk(port(0, 'imap'), ['a LOGOUT'])) === 'refused') === wanted; tries += 1) {
      assert.ok(tries < 100);
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  };
  await state(true);
  site.setComponent('LAB-EX01', 'ImapProxy', 'HealthAPI', 'Inactive');
  await state(false);
  assert.match(await talk(port(1, 'imap'), ['a LOGOUT']), /^\* OK/);
  site.setComponent('LAB-EX01', 'ImapProxy', 'HealthAPI', 'Active');
  await state(true);
});

test('port 80 redirects everything to HTTPS at the same name, Autodiscover without a login', async () => {
  const ask = (line: string, host: string): Promise<string> => new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: site.servers[1]?.redirectPort ?? 0 }, () => socket.write(`${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    let text = '';
    socket.on('data', (part: Buffer) => { text += part.toString('latin1'); });
    socket.on('close', () => resolve(text));
  });
  assert.match(await ask('GET /autodiscover/autodiscover.xml', 'autodiscover.lab.local'), /^HTTP\/1\.1 302 Found\r\n[^]*\r\nLocation: https:\/\/autodiscover\.lab\.local\/autodiscover\/autodiscover\.xml\r\n/);
  assert.match(await ask('GET /owa/?a=b', 'mail.lab.local:80'), /\r\nLocation: https:\/\/mail\.lab\.local\/owa\/\?a=b\r\n/);
});

test('ports of servers on one address follow each other, of servers with addresses of their own are the same', () => {
  const portsOf = (...args: string[]) => readCommandLine(args, () => {}).servers.map(({ port: https, redirectPort, mailPorts: mail }) => [https, redirectPort, mail]);
  assert.deepEqual(portsOf('--smtp', '2525', '--pops', '0', '--redirect', '8080'), [[8443, 8080, { smtp: 2525, pops: 0 }], [8444, 8081, { smtp: 2526, pops: 0 }]]);
  assert.deepEqual(portsOf('--server', 'A=127.0.0.21:443', '--server', 'B=127.0.0.22:443', '--imap', '143'), [[443, undefined, { imap: 143 }], [443, undefined, { imap: 143 }]]);
  assert.deepEqual(portsOf('--servers', '1'), [[8443, undefined, {}]]);
  assert.throws(() => portsOf('--smtp', 'x'), /--smtp takes a number from 0 to 65535, not 'x'/);
});

test('words that make no sense are refused in a sentence that names them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'poise-sim-'));
  const certificateOnly = join(folder, 'only.pem');
  writeFileSync(certificateOnly, made.certPem);
  for (const [words, sentence] of [
    ['--time-scale -1', "--time-scale takes a number from 1 to 3600, not '-1'"], ['--time-scale', '--time-scale takes a value'], ['--anonymous=x', '--anonymous takes no value'],
    ['--bogus', "there is no option '--bogus'; --help lists all"], ['--server a=127.0.0.1:0 --servers 3', '--server says name and address of each server; take --servers out, or --server'],
    ['--port 0 --server a=127.0.0.1:0', '--server says name and address of each server; take --port out, or --server'], ['--server a', "--server takes NAME=HOST:PORT, not 'a'"],
    ['--certificate /nowhere/x.pem', '--certificate /nowhere/x.pem: no such file or directory'], [`--certificate ${certificateOnly}`, `--certificate ${certificateOnly}: there is no key in it (PEM)`],
    ['--certificate a.pem --own-certificates', '--certificate is for all servers, --own-certificates makes one for each; take one of them out'],
  ]) assert.throws(() => readCommandLine((words ?? '').split(' '), () => {}), { message: sentence });
  rmSync(folder, { recursive: true });
});
