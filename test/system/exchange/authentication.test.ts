/** Logins of Exchange's clients through Poise and HAProxy: NTLM, Negotiate, Basic, forms, Extended Protection, and servers that die on them. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { channelBindingsOf } from '../../../src/exchange-sim/ntlm.ts';
import type { Client } from '../../harness/client.ts';
import { exchangeBackends, leftOut, outputOf, passwords, startExchange } from '../../harness/exchange-stage.ts';
import type { ExchangeStage } from '../../harness/exchange-stage.ts';
import { Origin } from '../../harness/origin.ts';
import { eventually, temporaryFolder } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';
import { typeThree } from '../../harness/ntlm-answer.ts';

const programs = ['haproxy', 'poise'] as const;
const users = [...passwords.keys()];
const typeOne = Buffer.from('4e544c4d5353500001000000078208a200000000000000000000000000000000', 'hex').toString('base64');
/** Where Windows logins are asked for; three backends and the one for all others. */
const windowsPaths = ['/EWS/Services.wsdl', '/mapi/emsmdb/', '/rpc/rpcproxy.dll', '/OAB/oab.txt', '/Autodiscover/page'];

function curl(stage: ExchangeStage, paths: readonly string[], ...args: string[]): Promise<string> {
  const urls = paths.flatMap((path) => ['-o', '/dev/null', `https://${stage.site.place.address}:${stage.site.port('fe')}${path}`]);
  return outputOf('curl', ['-sS', '--http1.1', '-k', '--max-time', '15', '-w', '%{http_code}/%{num_connects} ', ...args, ...urls]);
}

const as = (user: string): string[] => ['-u', `${user}:${passwords.get(user) ?? ''}`, '-H', `X-Sim-User: ${user}`];
/** All on one client connection. */
const allWell = (count: number): string => `200/1 ${'200/0 '.repeat(count - 1)}`;

/** NTLM on a connection of the test's own; with the binding to the certificate that this client sees, as Windows does it. */
async function ntlm(client: Client, path: string, user: string, bound: boolean): Promise<number> {
  const ask = (token: string): string => `GET ${path} HTTP/1.1\r\nHost: mail.lab.local\r\nX-Sim-User: ${user}\r\nAuthorization: NTLM ${token}\r\n\r\n`;
  const asked = await client.send(ask(typeOne)).answer();
  const challenge = Buffer.from(asked.header('www-authenticate')?.slice(5) ?? '', 'base64').subarray(24, 32);
  const bindings = bound ? channelBindingsOf(client.tls.getPeerCertificate().raw) : null;
  return (await client.send(ask(typeThree(user, 'LAB', passwords.get(user) ?? '', challenge, bindings).toString('base64'))).answer()).status;
}

for (const program of programs) {
  describe(`logins through ${program}`, () => {
    let stage: ExchangeStage;
    before(async () => { stage = await startExchange({ program, configuration: exchangeBackends }); });
    after(() => stage.stop());

    it('curl --ntlm: several users at once, each over several backends on one connection', { timeout: 60_000 }, async () => {
      const paths = Array.from({ length: 15 }, (_, at) => windowsPaths[(at * 2) % windowsPaths.length] ?? '');
      const told = await Promise.all(users.map((user) => curl(stage, paths, '--ntlm', ...as(user))));
      assert.deepEqual(told, users.map(() => allWell(paths.length)));
      const posted = await Promise.all(users.map((user) => curl(stage, ['/mapi/emsmdb/', '/mapi/nspi/'], '--ntlm', '-H', 'X-RequestType: PING', '-d', 'x'.repeat(3000), ...as(user))));
      assert.deepEqual(posted, users.map(() => allWell(2)));
      assert.match(await curl(stage, ['/EWS/Services.wsdl'], '--ntlm', '-u', 'alice:wrong'), /^401\//);
      assert.equal(stage.faults(), 0);
    });

    it('curl --negotiate, with NTLM inside', { timeout: 60_000 }, async () => {
      assert.ok(existsSync('/etc/gss/mech.d/mech.ntlmssp.conf'), leftOut('gss-ntlmssp'));
      const folder = temporaryFolder();
      const negotiate = (user: string): Promise<string> => {
        const file = join(folder, user);
        writeFileSync(file, `LAB:${user}:${passwords.get(user) ?? ''}\n`);
        const urls = windowsPaths.flatMap((path) => ['-o', '/dev/null', `https://${stage.site.place.address}:${stage.site.port('fe')}${path}`]);
        return outputOf('curl', ['-sS', '--http1.1', '-k', '--max-time', '15', '-w', '%{http_code}/%{num_connects} ', '--negotiate', '-u', ':', '-H', `X-Sim-User: ${user}`, ...urls], { env: { NTLM_USER_FILE: file } });
      };
      const told = await Promise.all(users.map(negotiate));
      for (const line of told) assert.match(line, /^(200\/\d ){5}$/);
      assert.equal(stage.faults(), 0);
    });

    it('Basic is asked for and answered at each request', { timeout: 30_000 }, async () => {
      const paths = ['/Microsoft-Server-ActiveSync', '/Autodiscover/page', '/rpc/rpcproxy.dll', '/Microsoft-Server-ActiveSync'];
      const told = await Promise.all(users.map((user) => curl(stage, paths, '--basic', ...as(user))));
      assert.deepEqual(told, users.map(() => allWell(paths.length)));
      assert.match(await curl(stage, paths.slice(0, 1), '--basic', '-u', 'bob:secret'), /^401\//);
      assert.equal(stage.faults(), 0);
    });

    it('forms login: every server reads the cookies of the other', { timeout: 30_000 }, async () => {
      const jar = join(temporaryFolder(), 'jar');
      assert.match(await curl(stage, ['/owa/'], '-L'), /^200\//);
      assert.match(await curl(stage, ['/owa/auth.owa'], '-c', jar, '-d', 'destination=/owa/&username=alice&password=secret'), /^302\//);
      const seen = stage.lines.length;
      assert.match(await curl(stage, ['/owa/', '/ecp/'], '-b', jar), /^200\/1 200\/0 $/);
      for (let look = 0; look < 4; look += 1) assert.match(await curl(stage, ['/owa/'], '-b', jar), /^200\//);
      const names = new Set(stage.lines.slice(seen).filter((line) => line.includes(' GET /owa/ ')).map((line) => line.split(' ')[2]));
      assert.equal(names.size, 2, 'both servers were asked');
    });
  });

  describe(`certificates through ${program}`, () => {
    it('forms login loops when each server has a certificate of its own', { timeout: 30_000 }, async () => {
      const stage = await startExchange({ program, configuration: exchangeBackends, ownCertificates: true });
      try {
        const jar = join(temporaryFolder(), 'jar');
        assert.match(await curl(stage, ['/owa/auth.owa'], '-c', jar, '-d', 'destination=/owa/&username=alice&password=secret'), /^302\//);
        let told = '';
        for (let look = 0; look < 4; look += 1) told += await curl(stage, ['/owa/'], '-b', jar);
        assert.equal(told.match(/302\/1/g)?.length, 2, told);
        assert.equal(told.match(/200\/1/g)?.length, 2, told);
        assert.ok(stage.lines.some((line) => line.includes('cookie+of+another+key')));
      } finally {
        await stage.stop();
      }
    });

    it('Extended Protection lets in who sees the certificate of the server, and nobody else', { timeout: 30_000 }, async () => {
      for (const ownCertificates of [false, true]) {
        const stage = await startExchange({ program, configuration: exchangeBackends, ownCertificates, protection: 'require' });
        try {
          for (const path of ['/mapi/emsmdb/', '/EWS/Services.wsdl']) {
            const client = await stage.site.client('fe', { tls: {} });
            assert.equal(await ntlm(client, path, 'alice', true), ownCertificates ? 401 : 200, path);
          }
          assert.equal(await ntlm(await stage.site.client('fe', { tls: {} }), '/mapi/emsmdb/', 'bob', false), 401);
          assert.equal(stage.lines.some((line) => line.includes('0xC000035B+other+certificate')), ownCertificates);
          assert.ok(stage.lines.some((line) => line.includes('0xC000035B+no+channel+binding')));
          assert.equal(stage.faults(), 0);
        } finally {
          await stage.stop();
        }
      }
    });
  });
}

const plain = `frontend fe
    bind {fe}
    default_backend be
backend be
    balance roundrobin
    http-reuse always
    option redispatch 1
    retry-on all-retryable-errors
    retries 3
    server s1 {a}
    server s2 {b}
`;
const request = (token: string): string => `GET /EWS/ HTTP/1.1\r\nHost: x\r\nAuthorization: NTLM ${token}\r\n\r\n`;
const challenge = 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM two\r\nContent-Length: 0\r\n\r\n';

/** Servers that challenge, and then do `next` to the answer; `heard` is everything that they were told. */
async function withServers(next: (token: string) => 'close' | 'close before it comes' | 'answer', script: (site: Site, heard: readonly string[]) => Promise<void>): Promise<void> {
  const heard: string[] = [];
  const server = (): Origin => new Origin(async (connection) => {
    for (;;) {
      const head = await connection.until(/\r\n\r\n/, 20_000).catch(() => '');
      const token = /^Authorization: NTLM (.*)\r$/m.exec(head)?.[1] ?? '';
      if (head === '') return;
      heard.push(token);
      const wish = next(token);
      if (wish === 'close') return connection.close();
      connection.send(token === 'three' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' : challenge);
      if (wish === 'close before it comes') return connection.close();
    }
  });
  const site = await Site.start('poise', { configuration: plain, origins: () => ({ a: server(), b: server() }) });
  try {
    await script(site, heard);
  } finally {
    await site.stop();
  }
}

describe('a server that dies during a login', () => {
  it('ends that client without a word, and its answer reaches no other server', { timeout: 30_000 }, async () => {
    let victims = 1;
    await withServers((token) => (token === 'one' && victims-- > 0 ? 'close before it comes' : 'answer'), async (site, heard) => {
      const victim = await site.client('fe');
      assert.equal((await victim.send(request('one')).answer()).status, 401);
      assert.deepEqual(await victim.send(request('three')).rest(), { bytes: '', ending: 'fin' });
      const other = await site.client('fe');
      assert.equal((await other.send(request('one')).answer()).status, 401);
      assert.equal((await other.send(request('three')).answer()).status, 200);
      assert.deepEqual(heard, ['one', 'one', 'three']);
    });
  });

  it('what proves a user is sent once, whatever retry-on and redispatch say', { timeout: 30_000 }, async () => {
    await withServers((token) => (token === 'three' ? 'close' : 'answer'), async (site, heard) => {
      const client = await site.client('fe');
      assert.equal((await client.send(request('one')).answer()).status, 401);
      assert.deepEqual(await client.send(request('three')).rest(), { bytes: '', ending: 'fin' });
      const alone = await site.client('fe');
      const refused = await alone.send(request('three')).answer();
      assert.deepEqual([refused.status, refused.header('connection')], [502, 'close']);
      await eventually('both were heard', () => heard.length === 3);
      assert.deepEqual(heard, ['one', 'three', 'three']);
    });
  });
});
