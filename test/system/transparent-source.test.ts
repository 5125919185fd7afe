/**
 * `source … usesrc` in network namespaces: a client's network and a server's network with the balancer between them, whose routes bring the answers
 * of the server back to it, whoever they are for. The same requests through HAProxy and through Poise; Poise has given root up by then.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, it } from 'node:test';
import { certificate } from '../harness/certificates.ts';
import { describeInNamespaces } from '../harness/pair/describe.ts';
import { eventually } from '../harness/place.ts';
import { projectFolder, runtime } from '../harness/program.ts';

const name = `poise-${process.pid}-src`;
const [clients, balancer, servers] = [`${name}-c`, `${name}-b`, `${name}-s`];
/** A program starts within this time on a busy machine. */
const startMs = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'poise-source-'));
chmodSync(folder, 0o755);

function ip(...words: string[]): void {
  const done = spawnSync('ip', words, { encoding: 'utf8' });
  assert.equal(done.status, 0, `ip ${words.join(' ')}: ${done.stderr}`);
}

/** Two networks, 10.71.0.0/24 and fd71::/64 with the clients, 10.72.0.0/24 and fd72::/64 with the servers. */
function lay(): void {
  for (const one of [clients, balancer, servers]) {
    ip('netns', 'add', one);
    ip('-n', one, 'link', 'set', 'lo', 'up');
    // Addresses are used at once, and not after a second of asking whether somebody else has them.
    for (const knob of ['all', 'default']) ip('netns', 'exec', one, 'sh', '-c', `echo 0 > /proc/sys/net/ipv6/conf/${knob}/accept_dad`);
  }
  for (const [one, net] of [[clients, 71], [servers, 72]] as const) {
    ip('link', 'add', 'eth0', 'netns', one, 'type', 'veth', 'peer', 'name', `net${net}`, 'netns', balancer);
    for (const [place, device, last] of [[one, 'eth0', 2], [balancer, `net${net}`, 1]] as const) {
      ip('-n', place, 'addr', 'add', `10.${net}.0.${last}/24`, 'dev', device);
      ip('-n', place, 'addr', 'add', `fd${net}::${last}/64`, 'dev', device, 'nodad');
      ip('-n', place, 'link', 'set', device, 'up');
    }
    ip('-n', one, 'route', 'add', 'default', 'via', `10.${net}.0.1`);
    ip('-n', one, '-6', 'route', 'add', 'default', 'via', `fd${net}::1`);
  }
  ip('-n', clients, 'addr', 'add', '10.71.0.3/24', 'dev', 'eth0');
  // What the servers send is for this machine, whatever address it names.
  for (const family of ['-4', '-6']) {
    ip('-n', balancer, family, 'rule', 'add', 'iif', 'net72', 'lookup', '100');
    ip('-n', balancer, family, 'route', 'add', 'local', 'default', 'dev', 'lo', 'table', '100');
  }
}

/** Answers with the address and port of who has connected, in clear and over TLS. */
const origin = `
const { createServer } = require('node:http');
const answer = (request, response) => {
  const { remoteAddress, remotePort } = request.socket;
  const own = String(remotePort) === request.headers['x-port'] ? 'its own port' : 'another port';
  response.end(remoteAddress.replace('::ffff:', '') + ' ' + own + '\\n');
};
const pem = require('node:fs').readFileSync(process.argv[1]);
createServer(answer).listen(9000, '::');
require('node:https').createServer({ key: pem, cert: pem }, answer).listen(9443, '::', () => console.log('ready'));
`;

const configuration = (identity: string): string => `
global
    ${identity}
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    retries 0
frontend fe
    bind 10.71.0.1:8080
    bind :::8080 v6only
    use_backend fixed if { path /fixed }
    use_backend header if { path /header }
    use_backend tls if { path /tls }
    use_backend none if { path /none }
    use_backend six if { path /six }
    default_backend address
frontend tcp
    mode tcp
    bind 10.71.0.1:8081
    default_backend both
backend address
    source 0.0.0.0 usesrc clientip
    server s 10.72.0.2:9000
backend six
    source [::] usesrc clientip
    server s fd72::2:9000
backend fixed
    server s 10.72.0.2:9000 source 0.0.0.0 usesrc 10.99.0.7
backend header
    source 0.0.0.0 usesrc hdr_ip(x-forwarded-for,-1)
    server s 10.72.0.2:9000
backend tls
    source 0.0.0.0 usesrc clientip
    server s 10.72.0.2:9443 ssl verify none
backend none
    source 0.0.0.0 usesrc clientip
    server s 10.72.0.2:9001
backend both
    mode tcp
    source 0.0.0.0 usesrc client
    server s 10.72.0.2:9000
`;

function curl(...words: string[]): string {
  const done = spawnSync('ip', ['netns', 'exec', clients, 'curl', '-s', '-m', '5', '-w', '%{http_code}\\n', ...words], { encoding: 'utf8' });
  return done.stdout.replaceAll(/<[^]*>\s*/g, '');
}

/** `port`: of the client in mode tcp; another one for every program, since the last one's may still be kept by the kernel. */
function asked(port: number): Record<string, string> {
  const web = 'http://10.71.0.1:8080';
  return {
    'one client': curl(`${web}/`), 'another client': curl('--interface', '10.71.0.3', `${web}/`), 'the first once more, twice': curl(`${web}/a`, `${web}/b`),
    'an address on the server line': curl(`${web}/fixed`), 'the address of a header': curl('-H', 'X-Forwarded-For: 1.2.3.4, 10.88.0.9', `${web}/header`),
    'TLS to the server': curl(`${web}/tls`), 'a server that refuses': curl(`${web}/none`), 'over IPv6': curl('-g', 'http://[fd71::1]:8080/six'),
    'a client of IPv6, a server of IPv4': curl('-g', 'http://[fd71::1]:8080/').split('\n').at(-2) ?? '',
    'address and port': curl('--local-port', String(port), '-H', `X-Port: ${port}`, 'http://10.71.0.1:8081/'),
  };
}

const expected = {
  'one client': '10.71.0.2 another port\n200\n', 'another client': '10.71.0.3 another port\n200\n', 'the first once more, twice': '10.71.0.2 another port\n200\n'.repeat(2),
  'an address on the server line': '10.99.0.7 another port\n200\n', 'the address of a header': '10.88.0.9 another port\n200\n',
  'TLS to the server': '10.71.0.2 another port\n200\n', 'a server that refuses': '503\n', 'over IPv6': 'fd71::2 another port\n200\n',
  'address and port': '10.71.0.2 its own port\n200\n',
};

/** Everything that the programs have printed. */
let printed = '';
let running: ChildProcess | null = null;

function inBalancer(command: string, ...words: string[]): ChildProcess {
  const program = spawn('ip', ['netns', 'exec', balancer, command, ...words], { stdio: ['ignore', 'inherit', 'pipe'], env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`, POISE_RUNTIME: runtime } });
  program.stderr.on('data', (chunk: Buffer) => { printed += chunk.toString(); });
  running = program;
  return program;
}

/** The program that runs, if any. */
async function end(): Promise<void> {
  const program = running;
  running = null;
  if (program === null || program.exitCode !== null) return;
  await new Promise((resolve) => { program.once('exit', resolve); program.kill('SIGTERM'); });
}

/** Effective capabilities of every thread. */
function rights(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => /^CapEff:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'))?.[1] ?? '');
}

describeInNamespaces('connections from the addresses of clients', {}, () => {
  let server: ChildProcess | null = null;

  before(async () => {
    lay();
    const started = spawn('ip', ['netns', 'exec', servers, process.execPath, '-e', origin, certificate(['server.local']).both], { stdio: ['ignore', 'pipe', 'inherit'] });
    server = started;
    await new Promise((resolve) => { started.stdout.once('data', resolve); });
    for (const server of ['http://10.72.0.2:9000/', 'http://[fd72::2]:9000/']) {
      await eventually(`${server} is reached`, () => spawnSync('ip', ['netns', 'exec', balancer, 'curl', '-s', '-g', '-m', '1', server]).status === 0, 10_000);
    }
  });

  after(() => {
    server?.kill();
    for (const one of [clients, balancer, servers]) spawnSync('ip', ['netns', 'del', one]);
    rmSync(folder, { recursive: true, force: true });
  });

  const file = (identity: string): string => {
    const path = join(folder, 'lb.cfg');
    writeFileSync(path, configuration(identity));
    return path;
  };
  const answers = async (status: string): Promise<void> => {
    await eventually('the balancer answers', () => curl('-o', '/dev/null', 'http://10.71.0.1:8080/fixed').startsWith(status), startMs).catch((error: Error) => { throw new Error(`${error.message}: ${printed}`); });
  };
  afterEach(end);

  it('HAProxy as root', { timeout: 60_000 }, async () => {
    inBalancer('haproxy', '-db', '-f', file(''));
    await answers('200');
    const seen = asked(45_001);
    assert.deepEqual({ ...seen, 'a client of IPv6, a server of IPv4': undefined }, { ...expected, 'a client of IPv6, a server of IPv4': undefined });
  });

  it('Poise that has given root up, with the one right that is left', { timeout: 60_000 }, async () => {
    const program = inBalancer(join(projectFolder, 'bin/poise'), '-db', '-f', file('uid 65534\n    gid 65534\n    nbthread 2'));
    await answers('200');
    assert.deepEqual(asked(45_002), { ...expected, 'a client of IPv6, a server of IPv4': '200' });
    // Threads of the runtime, which only compile and collect, have none; the traffic threads have cap_net_raw alone.
    await eventually('every thread has what it needs', () => [...new Set(rights(program.pid ?? 0))].toSorted().join(' ') === '0000000000000000 0000000000002000');
  });

  it('what needs a right that was given up with root is refused by a reload', { timeout: 60_000 }, async () => {
    const foreign = configuration('uid 65534\n    gid 65534\n    nbthread 1');
    const plain = foreign.replaceAll(/ (?:no-)?usesrc [^\n]*/g, '');
    const path = join(folder, 'lb.cfg');
    writeFileSync(path, plain);
    const program = inBalancer(join(projectFolder, 'bin/poise'), '-db', '-f', path);
    await answers('200');
    for (const [text, word] of [[foreign, 'source … usesrc'], [plain.replace('nbthread 1', 'nbthread 1\n    setcap cap_net_raw'), 'setcap']] as const) {
      printed = '';
      writeFileSync(path, text);
      program.kill('SIGHUP');
      await eventually('it is refused', () => printed.includes(`A change of ${word} needs a restart.`));
    }
    assert.ok(curl('-o', '/dev/null', 'http://10.71.0.1:8080/fixed').startsWith('200'));
  });

  it('Poise without the right says what is missing', { timeout: 60_000 }, async () => {
    const words = ['--reuid', '65534', '--regid', '65534', '--clear-groups', join(projectFolder, 'bin/poise'), '-db', '-f', file('nbthread 1')];
    inBalancer('setpriv', ...words);
    await answers('503');
    await eventually('it says why', () => printed.includes("server fixed/s: 'usesrc' needs the right cap_net_raw"));
  });
});
