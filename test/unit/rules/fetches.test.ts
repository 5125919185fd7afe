/** Fetches that the comparison with HAProxy cannot reach in one request: TLS, live figures, authentication, captures, payloads. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { formatIp } from '../../../src/base/ip.ts';
import type { IpValue } from '../../../src/base/ip.ts';
import type { PeerCertificate, Subject, TlsFacts } from '../../../src/rules/subject.ts';
import { evaluate, holds } from './expression-tools.ts';
import { FakeHead, FakeScope, fakeProxy } from './fake-subject.ts';

const certificate: PeerCertificate = {
  der: Buffer.from('30820001', 'hex'), subject: '/C=FR/O=Lab, Inc/CN=client one', issuer: '/C=FR/CN=ca', subjectFields: { CN: 'client one' }, issuerFields: { CN: 'ca' }, serialHex: 'ABC',
  notBefore: 'Jan  2 03:04:05 2026 GMT', notAfter: 'Dec 31 23:59:59 2030 GMT', sha1: Buffer.alloc(20, 1),
};

function tls(changes: Partial<TlsFacts> = {}): TlsFacts {
  return {
    sni: () => 'mail.example.com', alpn: () => 'http/1.1', protocol: () => 'TLSv1.3', cipher: () => 'TLS_AES_128_GCM_SHA256', keyBits: () => 128, resumed: () => true,
    sessionId: () => new Uint8Array(0), peerCertificate: () => certificate, ownCertificate: () => undefined, verifyCode: () => 0, ...changes,
  };
}

function withTls(text: string, facts: TlsFacts | null = tls()): unknown {
  return evaluate(text, 'GET / HTTP/1.1', (s) => { Object.assign(s.session, { tls: facts }); });
}

test('TLS of the client', () => {
  assert.equal(withTls('ssl_fc'), true);
  assert.equal(withTls('ssl_fc', null), false);
  assert.equal(withTls('ssl_fc_sni', null), undefined);
  assert.deepEqual(['ssl_fc_sni', 'ssl_fc_alpn', 'ssl_fc_protocol', 'ssl_fc_cipher', 'ssl_fc_use_keysize', 'ssl_fc_is_resumed', 'ssl_fc_has_sni', 'ssl_fc_session_id'].map((name) => withTls(name)),
    ['mail.example.com', 'http/1.1', 'TLSv1.3', 'TLS_AES_128_GCM_SHA256', 128, true, true, undefined]);
});

test('certificates', () => {
  assert.equal(withTls('ssl_c_used'), true);
  assert.equal(withTls('ssl_c_verify'), 0);
  assert.equal(withTls('ssl_c_s_dn'), '/C=FR/O=Lab, Inc/CN=client one');
  assert.equal(withTls('ssl_c_s_dn(cn)'), 'client one');
  assert.equal(withTls('ssl_c_s_dn(OU)'), undefined);
  assert.equal(withTls('ssl_c_s_dn(,0,rfc2253)'), 'CN=client one,O=Lab\\, Inc,C=FR');
  assert.equal(withTls('ssl_c_i_dn(CN)'), 'ca');
  assert.equal(withTls('ssl_c_notbefore'), '260102030405Z');
  assert.equal(withTls('ssl_c_notafter'), '301231235959Z');
  assert.equal(withTls('ssl_c_serial,hex'), '0ABC');
  assert.equal(withTls('ssl_c_sha1,hex,length'), 40);
  assert.equal(withTls('ssl_f_s_dn'), undefined);
  assert.equal(withTls('ssl_c_s_dn(cn)', tls({ peerCertificate: () => undefined })), undefined);
});

test('live figures', () => {
  const scope = (): FakeScope => {
    const made = new FakeScope();
    made.proxies[1] = fakeProxy(1, 'be1', { servers: [0, 1] });
    for (const [index, name] of ['s1', 's2'].entries()) made.servers.push({ index, name, proxy: 1, maxconn: 10, maxqueue: 5, weight: 7 } as FakeScope['servers'][number]);
    return made;
  };
  const value = (text: string, changes: Partial<Subject['world']> = {}): unknown => evaluate(text, 'GET / HTTP/1.1', (s) => { Object.assign(s.world, changes); s.backend = s.world.model.proxies[1] ?? null; }, scope());
  assert.equal(value('nbsrv'), 2);
  assert.equal(value('nbsrv(be1)', { usableServers: (proxy) => proxy * 10 }), 10);
  assert.equal(value('srv_is_up(s1)', { serverIsUp: (server) => server === 1 }), false);
  assert.equal(value('srv_is_up(be1/s2)', { serverIsUp: (server) => server === 1 }), true);
  assert.equal(value('connslots'), 28);
  assert.equal(value('connslots', { serverIsUp: (server) => server === 0 }), 14);
  assert.equal(value('queue', { backendQueue: () => 3, serverQueue: () => 2 }), 7);
  assert.equal(value('avg_queue', { backendQueue: () => 3, serverQueue: () => 2 }), 4);
  assert.equal(value('avg_queue', { backendQueue: () => 3, usableServers: () => 0 }), 3 * 9999);
  assert.equal(value('be_conn(be1)'), 3);
  assert.equal(value('fe_conn'), 4);
  assert.equal(value('srv_conn_free(s1)'), 9);
  assert.equal(value('srv_iweight(s1)'), 7);
  assert.equal(value('be_name'), 'be1');
});

test('passwords, clear and hashed', () => {
  const hash = execFileSync('openssl', ['passwd', '-6', '-salt', 'salt', 'secret'], { encoding: 'utf8' }).trim();
  const check = (condition: string, credentials: string): boolean => {
    const scope = new FakeScope();
    scope.userlists.push({ index: 0, name: 'staff', place: scope.place, users: [{ name: 'ann', password: 'pw', insecure: true, groups: ['admins', 'all'] }, { name: 'bob', password: hash, insecure: false, groups: ['all'] }] });
    return holds(condition, `GET / HTTP/1.1\nAuthorization: Basic ${Buffer.from(credentials).toString('base64')}`, [], undefined, scope);
  };
  assert.ok(check('{ http_auth(staff) }', 'ann:pw') && check('{ http_auth(staff) }', 'bob:secret'));
  for (const credentials of ['ann:pW', 'ann:', 'bob:Secret', 'bob:', `bob:${hash}`, 'eve:pw', ':', 'ann']) assert.ok(!check('{ http_auth(staff) }', credentials), credentials);
  assert.ok(check('{ http_auth_group(staff) admins }', 'ann:pw') && !check('{ http_auth_group(staff) admins }', 'bob:secret') && check('{ http_auth_group(staff) all }', 'bob:secret'));
  assert.ok(!check('{ http_auth_group(staff) admins }', 'ann:no'));
});

test('payload by offset and by length value', () => {
  const bytes = (text: string): string | undefined => {
    const value = evaluate(text, null, (s) => { s.bytes = Buffer.from('AB\x00\x03xyzQ', 'latin1'); }, new FakeScope('tcp-request content'));
    return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : undefined;
  };
  assert.equal(bytes('req.payload(0,2)'), 'AB');
  assert.equal(bytes('req.payload(4,0)'), 'xyzQ');
  assert.equal(bytes('req.payload(4,9)'), undefined);
  assert.equal(bytes('req.payload_lv(2,2)'), 'xyz');
  assert.equal(bytes('req.payload_lv(2,2,+1)'), 'yzQ');
  assert.equal(bytes('req.payload_lv(2,2,0)'), 'AB\x00');
  assert.equal(bytes('req.payload_lv(7,2)'), undefined);
});

test('HTTP recognised on a byte stream', () => {
  const answers = (text: string): string => {
    let asked = false;
    const value = evaluate('req.proto_http', null, (s) => {
      s.bytes = Buffer.from(text, 'latin1');
      s.complete = false;
      Object.defineProperty(s, 'needMore', { get: () => asked, set: (more: boolean) => { asked ||= more; } });
    }, new FakeScope('tcp-request content'));
    return asked ? 'more' : String(value);
  };
  assert.equal(answers('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'true');
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  for (let length = 0; length < request.length; length++) assert.equal(answers(request.slice(0, length)), 'more', JSON.stringify(request.slice(0, length)));
  for (const text of ['\x16\x03\x01', 'SSH-2.0-x\r\n', 'GET /\r\n', 'GET / FTP/1.0\r\n']) assert.equal(answers(text), 'false', JSON.stringify(text));
});

test('direction of hdr follows the message', () => {
  const both = (s: Parameters<NonNullable<Parameters<typeof holds>[3]>>[0]): void => { s.response = FakeHead.of('HTTP/1.1 200 OK\nX-A: response'); };
  assert.ok(holds('named', 'GET / HTTP/1.1\nX-A: request', ['named hdr(x-a) request']));
  assert.ok(holds('named', 'GET / HTTP/1.1\nX-A: request', ['named hdr(x-a) response'], both));
});

test('addresses of connections', () => {
  const text = (name: string): string => formatIp(evaluate(name, 'GET / HTTP/1.1', undefined, new FakeScope('http-response')) as IpValue);
  assert.deepEqual([text('src'), text('dst'), text('bc_src'), text('bc_dst')], ['192.0.2.7', '198.51.100.1', '10.0.0.9', '10.0.0.1']);
  assert.equal(evaluate('src', 'GET / HTTP/1.1', (s) => { s.session.sourceAddress = ''; }), undefined, 'unix sockets have no address');
});

test('pieces that are not there, and what goes along where pieces run out', () => {
  const of = (text: string, converter: string): unknown => evaluate(`str(${text}),${converter}`, 'GET / HTTP/1.1');
  for (const index of ['3', '-3']) {
    assert.equal(of('a/b', `field(${index},/)`), undefined);
    assert.equal(of('a/b', `word(${index},/)`), '');
  }
  assert.equal(of('a/b/', 'field(3,/)'), '', 'an empty field is there');
  assert.equal(of('a/b', 'field(3,/),length'), undefined);
  assert.deepEqual([of('a//b//', 'word(2,/)'), of('a//b//', 'word(1,/,2)'), of('a//b//', 'word(2,/,2)'), of('a//b//', 'word(1,/,0)')], ['b', 'a//b', 'b//', 'a//b//']);
  assert.deepEqual([of('/a//b', 'word(-1,/,2)'), of('/a//b', 'word(-2,/,2)'), of('/a//b', 'word(-1,/,0)')], ['a//b', '/a', '/a//b']);
});
