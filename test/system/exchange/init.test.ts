/**
 * The files of `poise init exchange`, judged by those they are for: `haproxy -c`, `keepalived -t`, `poise check --strict`; and run, by HAProxy
 * and by Poise, in front of the simulated Exchange servers. Only addresses, the log target, the socket and check intervals are changed for that.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ExchangeSite } from '../../../src/exchange-sim/site.ts';
import { certificate } from '../../harness/certificates.ts';
import { Client, type ClientOptions } from '../../harness/client.ts';
import { readStatistics } from '../../harness/csv.ts';
import { whyNoNamespaces } from '../../harness/pair/stage.ts';
import { eventually, reservePlace, temporaryFolder, type Place } from '../../harness/place.ts';
import { Program, projectFolder, runtime, type ProgramName } from '../../harness/program.ts';
import { SyslogSink } from '../../harness/syslog.ts';

const files = certificate(['mail.example.com']);
const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, POISE_RUNTIME: runtime };

interface Done { readonly code: number | null; readonly stdout: string; readonly stderr: string }

function run(command: string, words: readonly string[], folder: string): Done {
  const { status, stdout, stderr } = spawnSync(command, [...words], { cwd: folder, encoding: 'utf8', env: environment, timeout: 30_000 });
  return { code: status, stdout, stderr };
}

const poise = (words: readonly string[], folder: string): Done => run(join(projectFolder, 'bin/poise'), words, folder);

const common = ['--servers', 'lab-ex01=10.0.0.21,lab-ex02=10.0.0.22', '--name', 'mail.example.com', '--vip', '10.0.0.10/24', '--cert', files.both];

const folders = new Map<string, string>();

/** The folder with the files, which nobody changes. */
function written(...more: readonly string[]): string {
  const known = folders.get(more.join(' '));
  if (known !== undefined) return known;
  const folder = temporaryFolder();
  folders.set(more.join(' '), folder);
  const done = poise(['init', 'exchange', ...common, ...more], folder);
  assert.equal(done.code, 0, done.stderr);
  assert.equal(done.stderr, '');
  assert.match(done.stdout, /^Written: .*haproxy\.cfg/);
  return folder;
}

const sets: Readonly<Record<string, readonly string[]>> = {
  'layer 7 with mail': ['--smtp', '--imap', '--pop', '--mail-to', 'a@example.com,b@example.com', '--mail-server', '10.0.0.9:2525', '--nodes', 'hap01=10.0.0.11,hap02=10.0.0.12'],
  'tcp': ['--mode', 'tcp', '--smtp', '--pop', '--webhook', 'https://chat.example.com/x'],
  'moving over from HAProxy': ['--from', 'haproxy', '--imap', '--services', 'owa,eas,ecp', '--inside', '10.0.0.0/8', '--ca', certificate(['mail.example.com']).certificate],
};

describe('what is written is accepted without a word', () => {
  for (const [name, options] of Object.entries(sets)) {
    const folder = written(...options);
    const nodes = readdirSync(folder).filter((file) => file.startsWith('keepalived-'));

    it(`${name}: by haproxy -c`, () => {
      const done = run('haproxy', ['-c', '-f', 'haproxy.cfg'], folder);
      assert.deepEqual([done.code, done.stdout.trim(), done.stderr], [0, 'Configuration file is valid', '']);
    });

    it(`${name}: by poise check --strict, with both nodes compared`, () => {
      const own = readdirSync(folder).includes('poise.cfg') ? ['-f', 'poise.cfg'] : [];
      assert.equal(own.length > 0, !options.includes('haproxy'));
      const done = poise(['check', '--strict', '--json', '-f', 'haproxy.cfg', ...own, ...nodes.flatMap((file) => ['--keepalived', file])], folder);
      assert.equal(done.code, 0, done.stdout);
      const { problems } = JSON.parse(done.stdout) as { problems: { severity: string; word: string }[] };
      // What only HAProxy needs has no effect here, and that is all there is to say; above all nothing about timeouts.
      const remarks = options.includes('haproxy') ? ['h1-case-adjust', 'option h1-case-adjust-bogus-client', 'max-session-srv-conns'] : [];
      assert.deepEqual(problems.map(({ severity, word }) => `${severity} ${word}`), remarks.map((word) => `notice ${word}`));
    });

    const keepalived = spawnSync('keepalived', ['--version'], { env: environment }).status === 0;
    it(`${name}: by keepalived -t`, { skip: keepalived ? whyNoNamespaces() || false : 'keepalived is not installed' }, () => {
      // An empty namespace: the files are often checked on a machine that has no such interface.
      for (const file of nodes) {
        const done = run('unshare', ['--net', 'keepalived', '-t', '-f', file], folder);
        assert.deepEqual([done.code, done.stdout, done.stderr], [0, '', '']);
      }
    });
  }
});

describe('bad input', () => {
  it('writes nothing, says everything that is wrong, exits with 1', () => {
    const folder = temporaryFolder();
    const done = poise(['init', 'exchange', '--servers', 'a=10.0.0.21,b=10.0.0.21', '--name', 'mail.example.com', '--vip', '10.0.0.10', '--cert', 'gone.pem', '--out', 'out'], folder);
    assert.equal(done.code, 1);
    assert.match(done.stderr, /same address[^]*prefix length[^]*Nothing was written/);
    assert.deepEqual(readdirSync(folder), []);
    assert.match(poise(['init', 'exchange', ...common, '--cert', 'gone.pem'], folder).stderr, /'.*gone\.pem' \(--cert\) is not there; name the PEM file/);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(poise(['init', 'sharepoint'], folder).code, 1);
  });

  it('files that are there stay, unless --force', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'haproxy.cfg'), 'mine');
    const done = poise(['init', 'exchange', ...common], folder);
    assert.deepEqual([done.code, readdirSync(folder), readFileSync(join(folder, 'haproxy.cfg'), 'utf8')], [1, ['haproxy.cfg'], 'mine']);
    assert.match(done.stderr, /has haproxy\.cfg already; .*--force/);
    assert.equal(poise(['init', 'exchange', ...common, '--force'], folder).code, 0);
    assert.equal(readdirSync(folder).length, 4);
  });
});

const mailPorts = { smtp: 25, submission: 587, imap: 143, imaps: 993, pop: 110, pops: 995 } as const;
/** Both servers and the virtual address share one loopback address here; their ports lie apart. */
const shift: Readonly<Record<string, number>> = { '10.0.0.10': 22_000, '10.0.0.21': 20_000, '10.0.0.22': 21_000, '127.0.0.1': 15_000 };
const statisticsPort = 8404 + 15_000;

function moved(text: string, place: Place): string {
  return text
    .replaceAll(/(10\.0\.0\.\d+|127\.0\.0\.1):(\d+)/g, (_, address: string, port: string) => `${place.address}:${Number(port) + (shift[address] ?? 0)}`)
    .replace('log /dev/log local0 info', `log ${place.address}:5514 local0 info`)
    .replace(/stats socket \S+/, `stats socket ${join(place.folder, 'admin.sock')}`)
    .replace('inter 5s fastinter 1s', 'inter 200ms fastinter 100ms').replaceAll('inter 15s', 'inter 200ms').replace('slowstart 1m', '').replace('maxconn 20000', 'maxconn 2000');
}

class Trial {
  readonly place: Place;
  readonly log = new SyslogSink();
  readonly exchange: ExchangeSite;
  readonly file: string;

  constructor(place: Place, configuration: string) {
    this.place = place;
    this.file = join(place.folder, 'haproxy.cfg');
    writeFileSync(this.file, moved(configuration, place));
    const pem = { certPem: readFileSync(files.certificate, 'latin1'), keyPem: readFileSync(files.key, 'latin1') };
    this.exchange = new ExchangeSite(['LAB-EX01', 'LAB-EX02'].map((name, at) => ({
      name, fqdn: `${name}.example.com`, host: place.address, port: 20_443 + at * 1000, ...pem,
      mailPorts: Object.fromEntries(Object.entries(mailPorts).map(([protocol, port]) => [protocol, port + 20_000 + at * 1000])),
    })));
  }

  port(port: number): number { return port + 22_000; }

  async ask(uri: string, port = 443): Promise<{ status: number; server: string; location: string }> {
    const client = await Client.connect(this.place.address, this.port(port), port === 443 ? { tls: { servername: 'mail.example.com', ALPNProtocols: ['h2', 'http/1.1'] } } : {});
    if (port === 443) assert.equal(client.tls.alpnProtocol, 'http/1.1');
    const answer = await client.send(`GET ${uri} HTTP/1.1\r\nHost: mail.example.com\r\nConnection: close\r\n\r\n`).answer();
    client.close();
    return { status: answer.status, server: answer.header('x-feserver') ?? '', location: answer.header('location') ?? '' };
  }

  /** `backend/server=status` */
  async states(): Promise<string[]> {
    const client = await Client.connect(this.place.address, statisticsPort);
    const answer = await client.send('GET /;csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').answer();
    client.close();
    return readStatistics(answer.body).rows.filter((row) => row['type'] === '2').map((row) => `${row['pxname']}/${row['svname']}=${row['status']} ${row['check_status']?.replace('* ', '')}`);
  }

  async connect(port: number, options: ClientOptions = {}): Promise<Client> {
    return Client.connect(this.place.address, this.port(port), options);
  }
}

const services = {
  owa: '/OWA/x', mapi: '/mapi/x', eas: '/microsoft-server-activesync', ews: '/Ews/exchange.asmx', autodiscover: '/autodiscover/x', oab: '/oab/x', ecp: '/ECP/x', rpc: '/RPC/x',
} as const;
const hidden = [
  '/owa/healthcheck.htm', '/OWA/HealthCheck.htm', '/ecp/%68ealthcheck.htm', '/PowerShell', '/powershell/?x=1', '//PowerShell/', '/%50owershell', '/owa/../powershell', '/owa/..%5Cpowershell',
  '/%u0070owershell', '/autodiscover/autodiscover.json?a@x.example/PowerShell', '/Autodiscover/x?y=%70owershell', '/autodiscover/autodiscover.json?@x/power%2573hell',
];

async function web(trial: Trial): Promise<void> {
  assert.deepEqual(await trial.ask('/owa/?a=b', 80), { status: 301, server: '', location: 'https://mail.example.com/owa/?a=b' });
  for (const [service, uri] of Object.entries(services)) {
    const { server } = await trial.ask(uri);
    assert.match(server, /^LAB-EX0[12]$/, uri);
    const line = (await trial.log.matching(new RegExp(` fe_exchange~ be_exchange_${service}/lab-ex0[12] `)))[0] ?? '';
    assert.match(line, new RegExp(`be_exchange_${service}/${server.toLowerCase()} `), 'the name of the address book is the name of the server');
  }
  assert.deepEqual([(await trial.ask('/')).location, (await trial.log.matching(/ fe_exchange~ be_exchange\/lab-ex0[12] /)).length], ['/owa/', 1]);
  for (const uri of hidden) assert.deepEqual(await trial.ask(uri), { status: 403, server: '', location: '' }, uri);
}

/** A header of 60 KB, which a big Kerberos ticket comes to. */
async function bigTicket(trial: Trial): Promise<void> {
  const client = await trial.connect(443, { tls: { servername: 'mail.example.com' } });
  const answer = await client.send(`GET /owa/x HTTP/1.1\r\nHost: mail.example.com\r\nX-Ticket: ${'k'.repeat(60_000)}\r\n\r\n`).answer();
  client.close();
  assert.notEqual(answer.header('x-feserver'), undefined, answer.startLine);
}

async function mail(trial: Trial): Promise<void> {
  const smtp = await trial.connect(25);
  await smtp.until(/^220 .*\r\n/);
  await smtp.send('EHLO client.example.com\r\n').until(/^250 .*\r\n/m);
  assert.match(await smtp.send('MAIL FROM:<a@example.org>\r\n').until(/\r\n/), /^250 /);
  smtp.close();
  for (const [port, greeting] of [[587, /^220 /], [143, /^\* OK/], [110, /^\+OK/]] as const) {
    const client = await trial.connect(port);
    assert.match(await client.until(/\r\n/), greeting);
    client.close();
  }
  for (const [port, greeting] of [[993, /^\* OK/], [995, /^\+OK/]] as const) {
    const client = await trial.connect(port, { tls: { servername: 'mail.example.com' } });
    assert.match(await client.until(/\r\n/), greeting);
    client.close();
  }
}

/** One component of one server at a time: only its own section notices. */
async function maintenance(trial: Trial): Promise<void> {
  for (const [component, sections] of [['OabProxy', ['be_exchange_oab']], ['HubTransport', ['exchange_smtp', 'exchange_submission']], ['ImapProxy', ['exchange_imap', 'exchange_imaps']]] as const) {
    const down = async (): Promise<string[]> => (await trial.states()).filter((state) => !/=(UP|no check) /.test(state)).map((state) => state.replace(/=.*/, ''));
    assert.equal(trial.exchange.setComponent('LAB-EX01', component, 'Maintenance', 'Inactive'), '');
    const expected = sections.map((section) => `${section}/lab-ex01`).sort();
    await eventually(`${component} noticed`, async () => { const found = (await down()).filter((one) => !one.includes(' ')).sort(); return found.length === expected.length && found.every((one, at) => one === expected[at]); }, 12_000).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${(await trial.states()).join(', ')}`);
    });
    assert.equal(trial.exchange.setComponent('LAB-EX01', component, 'Maintenance', 'Active'), '');
    await eventually(`${component} back`, async () => (await down()).length === 0, 12_000);
  }
}

async function live(name: ProgramName, options: readonly string[], script: (trial: Trial) => Promise<void>): Promise<void> {
  const place = await reservePlace();
  const trial = new Trial(place, readFileSync(join(written(...options), 'haproxy.cfg'), 'utf8'));
  let program: Program | undefined;
  try {
    await trial.exchange.listen(place.address, 0);
    await trial.log.listen(place.address, 5514);
    program = new Program(name, ['-f', trial.file, '-db'], { cwd: place.folder });
    await program.listening([trial.port(443), statisticsPort].map((port) => ({ address: place.address, port })));
    await eventually('every server is checked and up', async () => (await trial.states()).every((state) => /=UP L7OK$|^be_exchange\/.*=(UP|no check) ?.*$/.test(state)), 15_000).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${(await trial.states()).join(', ')}`);
    });
    await script(trial);
  } finally {
    await program?.stop();
    await trial.exchange.close();
    await trial.log.close();
    await place.release();
  }
}

describe('what is written works', () => {
  for (const name of ['haproxy', 'poise'] as const) {
    it(`layer 7 with mail, run by ${name}`, { timeout: 90_000 }, () => live(name, ['--smtp', '--imap', '--pop'], async (trial) => {
      await web(trial);
      await bigTicket(trial);
      await mail(trial);
      await maintenance(trial);
    }));

    it(`services left out are refused, run by ${name}`, { timeout: 60_000 }, () => live(name, ['--services', 'owa,eas'], async (trial) => {
      for (const uri of ['/owa/', '/Microsoft-Server-ActiveSync']) assert.notEqual((await trial.ask(uri)).server, '');
      for (const uri of ['/ecp', '/ECP/', '//ecp/', '/%65cp/', '/EWS/Exchange.asmx', '/rpc/rpcproxy.dll', '/Autodiscover/autodiscover.xml']) assert.equal((await trial.ask(uri)).status, 403, uri);
    }));

    it(`tcp: TLS goes through to the servers, run by ${name}`, { timeout: 60_000 }, () => live(name, ['--mode', 'tcp', '--smtp'], async (trial) => {
      assert.match((await trial.ask('/ecp/x')).server, /^LAB-EX0[12]$/);
      assert.match((await trial.log.matching(/ exchange_https exchange_https\/lab-ex0[12] /))[0] ?? '', /exchange_https/);
      const smtp = await trial.connect(25);
      assert.match(await smtp.until(/\r\n/), /^220 /);
      smtp.close();
      assert.equal((await trial.ask('/owa/', 80)).status, 301);
    }));
  }
});
