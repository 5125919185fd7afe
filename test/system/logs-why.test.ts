/** `%[why]` and `log-why`: the cause in words for what can happen to requests, connections and handshakes, with the real program. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { authority, certificate } from '../harness/certificates.ts';
import { Client } from '../harness/client.ts';
import { answering, named, ok, Origin } from '../harness/origin.ts';
import { eventually } from '../harness/place.ts';
import { Site, type SiteDefinition } from '../harness/site.ts';

const definition: SiteDefinition = {
  configuration: `global
    log {log} local0
    nbthread 1
    tune.ssl.default-dh-param 2048
    stats socket {admin} mode 600 level admin
defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 2s
    timeout server 400ms
    timeout http-request 300ms
    timeout queue 200ms
    retries 2
    option redispatch
frontend fe
    bind {fe}
    http-request deny deny_status 403 if { path /secret } { hdr(x-key) -m str hidden }
    http-request return status 503 if { path /later }
    http-request tarpit if { path /trap }
    timeout tarpit 100ms
    use_backend refused if { path_beg /refused }
    use_backend dead if { path_beg /dead }
    use_backend maint if { path_beg /maint }
    use_backend narrow if { path_beg /narrow }
    use_backend untrusted if { path_beg /untrusted }
    use_backend empty if { path_beg /empty }
    default_backend be
backend be
    server s1 {s1}
backend refused
    server lab-ex01 {closed}
    server lab-ex02 {s1}
backend dead
    server lab-ex01 {closed}
backend maint
    server lab-ex01 {s1} disabled
    server lab-ex02 {closed} disabled
backend narrow
    server s1 {s1} maxconn 1
backend untrusted
    server s1 {secure} ssl verify required ca-file {otherca}
backend empty
frontend field
    bind {field}
    log-format "%ST %ts [%[why]]"
    default_backend be
frontend secure
    bind {tls} ssl crt {crt} ssl-min-ver TLSv1.2
    default_backend be
frontend quiet
    bind {quiet}
    default_backend be
frontend stream
    mode tcp
    option tcplog
    bind {stream}
    tcp-request inspect-delay 2s
    tcp-request content reject if { req.payload(0,3) -m str bad }
    tcp-request content accept if { req.len gt 0 }
    default_backend tcpbe
frontend early
    mode tcp
    option tcplog
    option logasap
    bind {early}
    default_backend tcpbe
backend tcpbe
    mode tcp
    server t1 {closed} backup disabled
    server t2 {t2}
frontend lines
    mode tcp
    bind {lines}
    default_backend tcpdead
backend tcpdead
    mode tcp
    retries 0
    server t1 {closed}
poise
    log-why fe field secure stream lines early
`,
  origins: () => ({
    s1: answering(async (request, connection) => {
      if (request.startLine.includes('/slow')) { await connection.rest(2000); return ''; }
      if (request.startLine.includes('/half')) { connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'); await connection.rest(3000); return ''; }
      if (request.startLine.includes('/cut')) { connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'); return ''; }
      if (request.startLine.includes('/junk')) return 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n';
      if (request.startLine.includes('/big')) return 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n';
      return ok('fine');
    }),
    t2: new Origin(async (connection) => { await connection.until(/hello/).catch(() => ''); connection.close(true); }),
    secure: named('secure', { tls: tlsFiles() }),
  }),
  values: () => ({ otherca: authority('other'), crt: certificate(['mail.example.com']).both }),
};

function tlsFiles(): { cert: string; key: string } {
  const files = certificate(['mail.example.com']);
  return { cert: read(files.certificate), key: read(files.key) };
}

function read(path: string): string {
  return readFileSync(path, 'latin1');
}

describe('the second line', () => {
  let site: Site;
  before(async () => { site = await Site.start('poise', definition); });
  after(() => site.stop());

  /** Words of the second line that holds them. */
  async function told(words: string): Promise<void> {
    await eventually(words, () => site.log.lines.some((line) => site.anonymous(line).includes(`why: ${words}`)), 6000).catch((error: unknown) => {
      throw new Error(`${String(error)}; log has ${JSON.stringify(site.log.lines.slice(-12), null, 1)}`);
    });
  }

  async function get(path: string, more = ''): Promise<number> {
    return (await site.ask('fe', `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`)).status;
  }

  it('names the server that refused and the one that answered, and HAProxy\'s own line stays', async () => {
    // Which of the two is first depends on the turn: two requests meet both.
    assert.equal(await get('/refused'), 200);
    assert.equal(await get('/refused'), 200);
    await told('server lab-ex01 refused connection, redispatched to lab-ex02');
    const line = site.log.lines.findIndex((one) => one.includes('why: server lab-ex01 refused'));
    assert.match(site.log.lines[line - 1] ?? '', / fe refused\/lab-ex02 \d+\/\d+\/\d+\/\d+\/\d+ 200 .* ---- \d+\/\d+\/\d+\/\d+\/\+1 0\/0 "GET \/refused HTTP\/1\.1"$/);
    assert.match(site.log.lines[line] ?? '', /^<134>\w+ +\d+ [\d:]+ haproxy\[\d+\]: [\d.]+:\d+ \[[^\]]+\] fe refused\/lab-ex02 -- why: /);
  });

  it('counts the retries when there is no other server', async () => {
    assert.equal(await get('/dead'), 503);
    await told('server lab-ex01 refused connection, 2 retries before it');
  });

  it('says why no server is up', async () => {
    assert.equal(await get('/maint'), 503);
    await told('no server is up in backend maint: lab-ex01 in maintenance, lab-ex02 in maintenance');
    assert.equal(await get('/empty'), 503);
    await told('backend empty has no servers');
  });

  it('names the rule that denied, with file and line, and no secret', async () => {
    const line = definition.configuration.split('\n').findIndex((one) => one.includes('deny_status')) + 1;
    assert.equal(await get('/secret', 'X-Key: hidden\r\n'), 403);
    await told(`denied by http-request deny (DIR/lb.cfg:${line})`);
    assert.equal(await get('/later'), 503);
    await told(`answered by http-request return (DIR/lb.cfg:${line + 1})`);
    assert.equal(await get('/trap'), 500);
    await told(`tarpitted by http-request tarpit (DIR/lb.cfg:${line + 2})`);
    assert.ok(site.log.lines.every((one) => !one.includes('hidden')));
  });

  it('names the limit or the rule that a refused request broke', async () => {
    await site.everything('fe', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await told('request refused: Host lines differ (RFC 9112 3.2)');
    await site.everything('fe', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`);
    await told('request refused: the head is larger than the limit of 65536 bytes');
    const chunked = await site.client('fe');
    await chunked.sendPieces(['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'oops\r\n']);
    await told('request body refused: a chunk size is not a hexadecimal number, or is too large (RFC 9112 7.1)');
  });

  it('tells timeouts with their keyword and value', async () => {
    (await site.client('fe')).send('GET / HT');
    await told('timeout http-request (300 ms) while waiting for the request head');
    assert.equal(await get('/slow'), 504);
    await told('timeout server (400 ms) while waiting for the answer of server s1');
  });

  it('tells a full queue', async () => {
    const first = await site.client('fe');
    first.send('GET /narrow/half HTTP/1.1\r\nHost: x\r\n\r\n');
    await first.until(/abc/);
    assert.equal(await get('/narrow'), 503);
    await told('timeout queue (200 ms) while waiting for a free slot of');
    first.close(true);
    await told('client closed during response');
  });

  it('tells what servers do', async () => {
    await site.everything('fe', 'GET /cut HTTP/1.1\r\nHost: x\r\n\r\n');
    await told('server s1 closed during response');
    assert.equal(await get('/junk'), 502);
    await told('answer of server s1 refused: Content-Length is not one number, or differs between lines (RFC 9110 8.6, RFC 9112 6.3)');
    assert.equal(await get('/big'), 413);
    await told('server s1 answered 413: the request body exceeds its limit');
    assert.equal(await get('/untrusted'), 503);
    await told('server s1 showed a certificate whose issuer ca-file does not hold');
  });

  it('tells why handshakes fail', async () => {
    const plain = await site.client('tls');
    plain.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await told('client spoke clear HTTP on a TLS port');
    await assert.rejects(Client.connect(site.place.address, site.port('tls'), { tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } }));
    await told('client offered no TLS version that is allowed here');
  });

  it('tells of streams', async () => {
    const line = definition.configuration.split('\n').findIndex((one) => one.includes('content reject')) + 1;
    await site.everything('stream', 'bad');
    await told(`rejected by tcp-request content reject (DIR/lb.cfg:${line})`);
    await site.everything('stream', 'hello');
    await told('server t2 reset the connection during the transfer');
    const before = site.log.lines.length;
    await site.everything('early', 'hello');
    await site.log.matching(/ early tcpbe\/t2 SD why: server t2 reset the connection during the transfer$/);
    assert.deepEqual(site.log.lines.slice(before).map((one) => / early tcpbe\/t2 (\d+\/\d+\/\+\d+ \+0 --|SD why)/.exec(one)?.[1]?.replace(/\d+\/\d+\/\+\d+/, 'n')), ['n +0 --', 'SD why']);
    await site.everything('lines', 'hello');
    await told('server t1 refused connection');
  });

  it('is silent about what ended well, and elsewhere', async () => {
    const before = site.log.lines.length;
    assert.equal(await get('/'), 200);
    await site.everything('quiet', 'GET /\x01 HTTP/1.1\r\n\r\n');
    await site.log.matching(/ quiet quiet\/<NOSRV> .*"<BADREQ>"/);
    assert.deepEqual(site.log.lines.slice(before).filter((line) => line.includes('why:')), []);
  });

  it('stands in log-format as %[why]', async () => {
    await site.everything('field', 'GET /\x01 HTTP/1.1\r\n\r\n');
    await site.log.matching(/400 PR \[request refused: the request target is empty or holds a character that is not allowed there \(RFC 9112 3\.2\)\]$/);
    await site.ask('field', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await site.log.matching(/200 -- \[-\]$/);
  });
});

it('why elsewhere is an error that says where it may stand', async () => {
  const site = await Site.prepare('poise', { configuration: 'frontend fe\n bind {fe}\n http-request set-header X %[why]\n use_backend be if { why -m found }\n default_backend be\nbackend be\npoise\n log-why nowhere\n' });
  const { code, stderr } = await site.runOnce(['-c', '-f', site.file]);
  assert.notEqual(code, 0);
  assert.match(stderr, /sample fetch 'why' is known after the end only and cannot be used in http-request/);
  assert.match(stderr, /sample fetch 'why' is known after the end only and cannot be used in conditions/);
  assert.match(stderr, /put it into log-format, error-log-format or log-format-sd/);
  assert.match(stderr, /there is no frontend 'nowhere'/);
  await site.stop();
});
