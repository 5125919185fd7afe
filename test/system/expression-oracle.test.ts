/**
 * Sample expressions and ACLs compared with Debian's HAProxy: one HAProxy evaluates all of them per request and answers with the
 * results, the Compiler evaluates the same texts on the same request. Differences that are meant are not in the tables.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseCondition } from '../../src/config/expression/condition.ts';
import { parseFormat } from '../../src/config/expression/format.ts';
import { Compiler } from '../../src/rules/compile.ts';
import type { Server } from '../../src/model/model.ts';
import { FakeScope, fakeProxy, fakeSubject } from '../unit/rules/fake-subject.ts';

const address = '127.12.0.7';
const port = 20000 + (process.pid % 20000);

const lists: Readonly<Record<string, string>> = {
  MAP: 'a.example.com be_a\nexample.com be_x\n/api api\n/api/v2 api2\n/from   spaced value  \nlongest match wins\n',
  NETS: '127.0.0.0/8 loop\n10.0.0.0/8 private\n10.1.0.0/16 lab\n192.168.0.0/16 home\n2001:db8::/32 doc\n',
  INTS: '42 answer\n10:20 teens\n17 seventeen\n',
  ENDS: '.php script\n/c/ deep\nfile f\n',
  SUB: '.php script\nb/c inner\nv2 two\n',
  DIRS: 'b/c inner\nv2 two\nfile f\n',
  DOMS: 'example ex\nc last\n',
  RE: '^/(o.a)$ found-\\1\n(?i)owa/([a-z]+) auth \\1 \\0\n\\.php php\n',
  NUM: 'one 1\ntwo 2\n/owa 42\n',
  PATTERNS: '# comment\n/from/file\n  /indented\n\n/last',
};

/** Printed between < and >; evaluated in http-request. */
const expressions = [
  'method', 'path', 'pathq', 'query', 'url', 'url,lower', 'base', 'baseq', 'base32', 'url32', 'req.ver', 'path,length', 'query,length',
  'hdr(host)', 'req.hdr(Host)', 'req.hdr(x-list)', 'req.hdr(x-list,1)', 'req.hdr(x-list,2)', 'req.hdr(x-list,-1)', 'req.hdr(x-list,-2)', 'req.hdr(x-list,9)', 'req.fhdr(x-list)',
  'req.fhdr(x-list,1)', 'req.hdr_cnt(x-list)', 'req.fhdr_cnt(x-list)', 'req.hdr_cnt(none)', 'req.hdr(none)', 'req.hdr_val(x-num)', 'req.hdr_ip(x-ip)', 'req.hdr_ip(x-ip,1)',
  'req.hdr(x-empty)', 'req.hdr_cnt(x-empty)', 'req.hdr_names', 'req.hdr_names(:)', 'req.hdr(x-quoted)', 'req.hdr(x-quoted,1)', 'req.hdr(x-gaps,1)', 'req.hdr(x-gaps,2)', 'req.hdr_cnt(x-gaps)',
  'req.cook(a)', 'req.cook(b)', 'req.cook(none)', 'req.cook_cnt(a)', 'req.cook_cnt(none)', 'req.cook_val(num)', 'req.cook(q)', 'req.cook(empty)', 'cook(a)',
  'url_param(a)', 'url_param(b)', 'url_param(none)', 'urlp(a)', 'urlp_val(n)', 'urlp(x,;)', 'urlp(jsession,;)',
  'http_auth_user', 'http_auth_pass', 'http_auth_type', 'http_auth(users)', 'http_auth_bearer',
  'src', 'src_is_local', 'src,ipmask(24)', 'src,ipmask(8)', 'ipv4(10.1.2.3)', 'ipv6(2001:db8::1)', 'ipv6(::ffff:1.2.3.4)', 'ipv6(2001:db8:0:0:1:0:0:1)', 'ipv6(2001:db8::1),ipmask(24,32)',
  'str(1.2.3.4),ipmask(16)', 'ipv4(10.1.2.3),add(1)',
  'always_true', 'always_false', 'int(-5)', 'int(5)', 'bool(true)', 'bool(0)', 'str(abc)', "str('a,b')", 'str("a)b")', 'bin(616263)', 'bin(610063)', 'bin(610063),length', 'bin(00ff),hex', 'meth(POST)',
  'fe_name', 'nbproc', 'ssl_fc', 'ssl_fc_sni', 'ssl_c_used', 'ssl_fc_has_sni', 'http_first_req', 'fc_http_major', 'req.proto_http', 'so_id',
  'int(7),add(3)', 'int(7),sub(10)', 'int(7),mul(-3)', 'int(7),div(2)', 'int(-7),div(2)', 'int(7),div(0)', 'int(-7),mod(4)', 'int(7),mod(0)', 'int(7),neg', 'int(0),neg', 'int(12),and(10)',
  'int(12),or(3)', 'int(12),xor(10)', 'int(0),cpl', 'int(5),cpl', 'int(5),odd', 'int(5),even', 'int(5),not', 'int(0),not', 'int(5),bool', 'int(5),bool,iif(yes,no)', 'int(0),iif(yes,no)',
  'req.hdr(x-num),add(1)', 'req.hdr(x-text),add(1)', 'req.hdr(none),add(1)', 'str(12abc),add(1)', 'str(-3),add(1)', 'str(),length', 'bool(true),add(1)',
  'path,upper', 'path,lower', 'str(Ab-Z9é),upper', 'str(...x..),ltrim(.)', 'str(..x...),rtrim(.)', 'str(xyx),ltrim(xy)',
  'str(a-b-c),field(1,-)', 'str(a-b-c),field(2,-)', 'str(a-b-c),field(-1,-)', 'str(a-b-c),field(9,-)', 'str(a--c),field(2,-)', 'str(a-b-c-d),field(2,-,2)', 'str(a-b-c-d),field(2,-,0)', 'str(a-b-c-d),field(-2,-,2)',
  'str(a-b-c-d),field(-2,-,0)', 'str(a-b_c),field(2,-_)', 'str(--a--b--),word(1,-)', 'str(--a--b--),word(2,-)', 'str(--a--b--),word(3,-)', 'str(--a--b--),word(-1,-)', 'str(a--b--c),word(2,-,0)',
  'str(a--b--c),word(1,-,2)', 'str(a--b--c),word(-1,-,2)', 'str(f1_f2_f3__f5),field(4,_)', 'str(f1_f2_f3__f5),field(5,_)', 'str(f1_f2_f3__f5),word(4,_)', 'str(f1_f2_f3__f5),field(-2,_,3)', 'str(w1_w2_w3___w4),word(3,_,0)',
  'path,bytes(1)', 'path,bytes(1,2)', 'path,bytes(99)', 'bin(0102030405),bytes(1,3),hex', 'path,bytes(0,1),hex',
  'path,hex', 'int(5),hex', 'path,base64', 'str(aGVsbG8=),b64dec', 'str(aGVsbG8),b64dec', 'str(!!!),b64dec', 'path,ub64enc', 'str(aGVsbG8),ub64dec', 'bin(fbff),ub64enc', 'bin(fbff),base64',
  'str(a%20b%2Bc+d),url_dec', 'str(a+b),url_dec', 'str(a+b),url_dec(1)', 'str(?a+b),url_dec', 'str(%zz),url_dec', 'str(%4),url_dec', 'str(a b/c?d=é~-_.),url_enc', 'query,url_dec',
  'path,crc32', 'path,crc32(1)', 'path,crc32c', 'path,djb2', 'path,djb2(1)', 'path,sdbm', 'path,wt6', 'path,wt6(1)', 'path,xxh32', 'path,xxh32(7)', 'path,xxh64', 'req.fhdr(x-long),xxh32', 'req.fhdr(x-long),xxh64', 'req.fhdr(x-long),wt6', 'req.fhdr(x-long),crc32c',
  'path,sha1,hex', 'path,sha2,hex', 'path,sha2(512),hex', 'path,digest(md5),hex', 'path,digest(sha384),hex', 'path,hmac(sha256,a2V5),hex',
  'str(abc),regsub(b,X)', 'str(abcabc),regsub(b,X)', 'str(abcabc),regsub(b,X,g)', 'str(aBc),regsub(b,X,i)', 'str(aBcb),regsub(b,[\\0],gi)', 'str(/a/b/c),regsub(/,-,g)', "str(key=val),regsub('([a-z]*)=(.*)','\\2:\\1')",
  'str(abc),regsub(x*,-,g)', 'str(abc),regsub(^,/)', 'str(abc),regsub($,/)', 'str(aaa),regsub(a,b,)', 'path,regsub(^/,)', 'str(a.b),regsub(\\.,_)',
  'str(a),concat(-)', 'str(a),concat(-,txn.v,+)', 'str(a),concat(,txn.none,+)', 'str(a),concat(-,,+)', 'str(a),add_item(-,txn.v,x)', 'str(),add_item(-,txn.v)', 'str(a),add_item(-,txn.none)',
  'str(vv),strcmp(txn.v)', 'str(a),strcmp(txn.v)', 'str(z),strcmp(txn.v)', 'str(a),strcmp(txn.none)', 'str(vv),secure_memcmp(txn.v)', 'str(vx),secure_memcmp(txn.v)',
  'var(txn.v)', 'var(txn.none)', 'var(txn.none,dflt)', 'var(txn.n),add(1)', 'int(5),add(txn.n)', 'int(5),add(txn.none)', 'str(q),set-var(txn.q)', 'var(txn.q)', 'var(txn.ip)', 'var(txn.ip),ipmask(8)', 'var(sess.s)', 'var(req.r)',
  'req.fhdr(x-json),json', 'req.fhdr(x-json),json(utf8)', 'str(é),json(utf8)', 'str(é),json(ascii)', 'str(a/b\\tc),json',
  'req.fhdr(x-json),json_query($.a)', 'req.fhdr(x-json),json_query($.b.c)', 'req.fhdr(x-json),json_query($.n)', 'req.fhdr(x-json),json_query($.n,int)', 'req.fhdr(x-json),json_query($.t)', 'req.fhdr(x-json),json_query($.none)', "req.fhdr(x-json),json_query('$.l[1]')",
  'req.fhdr(x-lang),language(fr;en)', 'req.fhdr(x-lang),language(es,xx)', 'req.fhdr(x-lang),language(es)', 'req.fhdr(x-lang),language(de;en)',
  'int(0),http_date', 'int(1700000000),http_date', 'int(1700000000),http_date(60)', 'int(1700000000123),http_date(0,ms)', 'int(1700000000),utime(%Y-%m-%d_%H:%M:%S)', 'int(1700000000),utime(%a_%b_%e_%j_%U_%W_%V_%G_%y_%p_%I)', 'int(1700000000),utime(%s,10)', 'int(1700000000),ltime(%F_%T)',
  'req.hdr(host),host_only', 'req.hdr(host),port_only', 'str([::1]:80),host_only', 'str([::1]:80),port_only', 'str(a),port_only',
  'bin(01020304),be2dec(.,2)', 'bin(01020304),be2dec(:,3)', 'bin(01020304),be2dec(:,3,1)', 'bin(01020304),be2hex(-,2)', 'bin(010203),be2hex(,2)', 'bin(010203),be2hex(,2,1)', 'int(258),htonl,hex', 'str(ff),hex2i', 'str(a),hex',
  'req.hdr(host),map(MAP,dflt)', 'req.hdr(host),map(MAP)', 'path,map_beg(MAP,dflt)', 'req.hdr_ip(x-ip,1),map_ip(NETS,none)', 'src,map_ip(NETS,none)', 'int(17),map_int(INTS,none)', 'int(5),map_int(INTS,none)', 'req.hdr(x-num),map_int(INTS)',
  'path,map_beg_int(NUM,7)', 'path,map_str_int(NUM)', 'str(two),map_str_int(NUM,5)', 'str(ten),map_str_int(NUM,5)', 'str(ten),map_str_int(NUM)', 'str(longest),map(MAP)', 'path,map_end(ENDS,dflt)', 'path,map_sub(SUB,none)', 'path,map_dir(DIRS,none)', 'req.hdr(host),map_dom(DOMS,none)', 'path,map_reg(RE,none)', 'path,map_regm(RE,none)',
  'capture.req.method', 'capture.req.uri', 'capture.req.ver', 'req.hdrs,length', 'path,cut_crlf', 'path,debug', 'nbsrv(be1)', 'connslots(be1)', 'be_conn(be1)', 'str(be1),nbsrv', 'queue(be1)', 'avg_queue(be1)',
  'bin(00),length', 'src,bytes(0,3)', 'src,length', 'src,hex', 'int(300),bytes(6,2),hex', 'src_port,bool', 'req.body', 'req.body_len', 'req.body_size', 'rand(1)', 'http_auth_group(users)',
];

/** Conditions; the answer says 1 or 0. */
const conditions = [
  'TRUE', 'FALSE', 'METH_GET', 'METH_POST', 'METH_HEAD', 'HTTP', 'HTTP_1.1', 'HTTP_1.0', 'HTTP_URL_SLASH', 'HTTP_URL_ABS', 'HTTP_URL_STAR', 'HTTP_CONTENT', 'LOCALHOST', '!TRUE', '! TRUE', '!FALSE',
  '{ path /owa }', '{ path -i /owa }', '{ path_beg /OWA }', '{ path_beg -i /owa }', '{ path_beg /x /y /owa }', '{ path_end .php }', '{ path_sub wa }', '{ path_sub -i WA }', '{ path_dir owa }', '{ path_dir b/c }', '{ path_dir /b/ }', '{ path_dir b }',
  '{ path_dom owa }', '{ path_len 4 }', '{ path_len gt 3 }', '{ path_len 1:3 }', '{ path_reg ^/o.a$ }', '{ path_reg -i ^/O }', '{ path -m reg (?i)^/OWA }', '{ url_reg (?i)\\/owa }', '{ path -m found }', '{ req.hdr(none) -m found }', '{ req.hdr(x-empty) -m found }',
  '{ hdr(host) example.com }', '{ hdr(host) -i EXAMPLE.com }', '{ hdr_dom(host) example }', '{ hdr_dom(host) example.com }', '{ hdr_dom(host) a.example.com }', '{ hdr_beg(host) a. }', '{ hdr_end(host) .com }', '{ hdr_sub(host) amp }', '{ hdr_reg(host) ^a\\. }', '{ hdr_len(host) gt 5 }',
  '{ hdr(x-list) b }', '{ hdr(x-list) a }', '{ hdr(x-list) z }', '{ hdr(x-list) "a, b" }', '{ req.fhdr(x-list) a }', '{ hdr_cnt(x-list) 3 }', '{ hdr_cnt(x-list) ge 2 }', '{ hdr_val(x-num) 42 }', '{ hdr_val(x-num) 40:50 }', '{ hdr_val(x-num) lt 10 }', '{ hdr_val(x-num) gt 10 lt 20 }',
  '{ hdr_ip(x-ip) 10.0.0.0/8 }', '{ hdr_ip(x-ip) 192.168.1.0/24 }', '{ src 127.0.0.0/8 }', '{ src 10.0.0.1 127.0.0.0/255.0.0.0 }', '{ src ::1 }', '{ src ::ffff:127.0.0.0/104 }', '{ ipv6(::ffff:10.1.1.1) -m ip 10.0.0.0/8 }', '{ ipv6(2002:0a01:0101::1) -m ip 10.0.0.0/8 }', '{ str(10.1.1.1) -m ip 10.0.0.0/8 }', '{ str(nope) -m ip 10.0.0.0/8 }',
  '{ cook(a) 1 }', '{ cook(a) 3 }', '{ cook_beg(b) x }', '{ cook_cnt(a) 2 }', '{ urlp(a) 1 }', '{ urlp(a) 2 }', '{ urlp_reg(b) ^. }', '{ url_beg /owa }', '{ url_sub ? }', '{ query -m beg a= }',
  '{ method GET POST }', '{ method get }', '{ req.ver 1.1 }', '{ ssl_fc }', '{ ssl_fc 1 }', '!{ ssl_fc }', '{ always_true }', '{ int(5) 5 }', '{ int(5) ge 5 }', '{ int(5) lt 5 }', '{ int(5) 1:4 }', '{ int(5) :5 }', '{ int(5) 5: }', '{ int(0) }', '{ int(3) -m bool }', '{ str(5) -m int 5 }', '{ str(x5) -m int 0 }',
  '{ bin(616263) -m bin 616263 }', '{ bin(616263) -m str abc }', '{ bin(616263) -m beg ab }', '{ bin(616263) -m len 3 }', '{ path -m str -f PATTERNS }', '{ path -f PATTERNS }', '{ path_beg -f PATTERNS /extra }', '{ path -M -m str -f MAP }', '{ src,ipmask(8) 127.0.0.0 }', '{ path,lower /owa }', '{ path_beg,lower -m beg /owa }',
  '{ path,length gt 2 }', '{ str(a) -- }', '{ path -- -i }', '{ var(txn.v) -m str vv }', '{ var(txn.n) -m int 5 }', '{ var(txn.none) -m found }', '{ var(txn.n) -m int gt 4 }', '{ path,map_str_int(NUM,0) gt 0 }', '{ http_auth(users) }', '{ http_auth_group(users) admins }', '{ http_auth_group(users) others admins }', '{ nbsrv(be1) ge 1 }',
  '{ req.hdr(x-quoted) -m sub , }', 'TRUE FALSE', 'TRUE or FALSE', 'FALSE || TRUE', 'TRUE !FALSE', 'FALSE or TRUE FALSE', 'TRUE !{ path /owa }', '{ path_end / }', '{ path_dom b.c }', '{ path_dir -i OWA }', '{ hdr_dom(host) -i EXAMPLE }', '{ path_sub . }', '{ req.hdr_names -m sub host }', '{ path_reg [[:alpha:]]{3} }', '{ path_reg \\.(php|asp)$ }',
];

const requests = [
  'GET /owa HTTP/1.1\nHost: a.example.com:8443\nX-List: a, b\nX-List: c\nX-Num: 42\nX-Text: abc\nX-Ip: 192.168.1.5, 10.1.2.3\nX-Empty:\nX-Quoted: "a, b", c\nX-Gaps: a,,b\nCookie: a=1; b="x y"; a=2; num=7\nX-Json: {"a":"x","b":{"c":"d"},"n":4.5,"t":true,"l":[1,"two"]}\nX-Lang: de;q=0.5, fr;q=0.8, en;q=0.8\nX-Long: the quick brown fox jumps over the lazy dog, and again the quick brown fox jumps\nAuthorization: Basic dXNlcjpwdw==',
  'GET /OWA/auth/logon.aspx?url=https%3a%2f%2fx%2f&a=1&b=two+words&n=12&a=2 HTTP/1.1\nhost: EXAMPLE.com\nX-List: a\nX-Ip: 10.0.0.1:8080\nX-Num: -3\nCookie: a=3;b=;q="z";empty=\nCookie: num=x9\nAuthorization: Bearer abc.def\nX-Lang: es-ES,es;q=0.9\nX-Json: [1,2]',
  'POST /a/b/c/index.php;jsession=77;x=1?q HTTP/1.1\nHost: example.com\nContent-Length: 5\nX-Empty:   \nX-Gaps: , a ,\nAuthorization: Basic dXNlcjpiYWQ=',
  'GET /from/file HTTP/1.0\nX-Num: 12abc\nX-Ip: nope\nX-Long: short',
  'GET / HTTP/1.1\nHost: b.c.example.com\nX-Text:\nX-List: ,\nCookie: a\nAuthorization: Basic !!!\nX-Json: nope\nX-Lang: ',
  'GET /api/v2/x/./b.c/?a HTTP/1.1\nHost: [::1]:80\nX-Quoted: "unclosed, a\nX-Ip: 2001:db8::1\nAuthorization: Digest x\nX-Json: {"a":{"b":[1]},"n":-12}',
];

let directory = '';
let haproxy: ChildProcess | undefined;

function files(text: string): string {
  return text.replaceAll(/\b(?:MAP|NETS|INTS|ENDS|SUB|DIRS|DOMS|RE|NUM|PATTERNS)\b/g, (name) => join(directory, name));
}

/** All expressions as one body: `number:<value>` per line. */
function body(): string {
  return `${expressions.map((text, index) => `${index}:<%[${files(text)}]>`).join('\n')}\n`;
}

function configuration(): string {
  const flags = conditions.map((text, index) => `  http-request set-var(txn.c${index}) bool(true) if ${files(text)}`);
  return `global
  maxconn 50
userlist users
  group admins users user
  group others
  user user insecure-password pw
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend fe
  bind ${address}:${port}
  http-request set-var(txn.v) str(vv)
  http-request set-var(txn.n) int(5)
  http-request set-var(txn.ip) src
  http-request set-var(sess.s) str(ss)
  http-request set-var(req.r) path,length
${flags.join('\n')}
  http-request return status 200 content-type text/plain lf-file ${join(directory, 'conditions')} if { req.hdr(x-ask) conditions }
  http-request return status 200 content-type text/plain lf-file ${join(directory, 'expressions')}
backend be1
  server s1 127.12.0.8:1
`;
}

async function ask(request: string, what: string): Promise<string> {
  const socket = connect({ host: address, port, localAddress: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const done = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const content = request.includes('Content-Length: 5') ? 'hello' : '';
  socket.write(Buffer.from(`${request}\nX-Ask: ${what}\nConnection: close\n\n`.replaceAll('\n', '\r\n') + content, 'latin1'));
  await done;
  const text = Buffer.concat(chunks).toString('latin1');
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poise-oracle-'));
  for (const [name, text] of Object.entries(lists)) writeFileSync(join(directory, name), text);
  writeFileSync(join(directory, 'expressions'), body(), 'latin1');
  writeFileSync(join(directory, 'conditions'), `${conditions.map((_, index) => `${index}:<%[var(txn.c${index})]>`).join('\n')}\n`);
  writeFileSync(join(directory, 'haproxy.cfg'), configuration(), 'latin1');
  haproxy = spawn('haproxy', ['-db', '-q', '-f', join(directory, 'haproxy.cfg')], { stdio: 'ignore' });
  for (let i = 0; i < 50; i++) {
    if ((await ask(requests[4] ?? '', 'ready')) !== '') return;
    await sleep(100);
  }
  throw new Error(`haproxy did not start: ${spawnSync('haproxy', ['-c', '-f', join(directory, 'haproxy.cfg')], { encoding: 'utf8' }).stderr}`);
});

after(() => {
  haproxy?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function scopeOfFiles(): FakeScope {
  const scope = new FakeScope();
  for (const [name, text] of Object.entries(lists)) scope.files.set(join(directory, name), text);
  scope.proxies[1] = fakeProxy(1, 'be1', { servers: [0] });
  scope.servers.push({ index: 0, name: 's1', proxy: 1, maxconn: 0, maxqueue: 0, weight: 1 } as Server);
  scope.userlists.push({ index: 0, name: 'users', users: [{ name: 'user', password: 'pw', insecure: true, groups: ['admins'] }], place: scope.place });
  return scope;
}

function prepared(scope: FakeScope, request: string) {
  const s = fakeSubject(scope.model(), `${request}\nX-Ask: expressions`);
  s.session.sourceAddress = '127.0.0.1';
  s.txnVars = new Map<string, string | number>([['v', 'vv'], ['n', 5]]);
  s.session.vars = new Map([['s', 'ss']]);
  const { world } = s;
  const at = s.session.sourceIp();
  if (at !== undefined) s.txnVars.set('ip', at);
  s.reqVars = new Map([['r', s.request?.path().length ?? 0]]);
  if (request.includes('Content-Length: 5')) s.bytes = Buffer.from('hello');
  Object.assign(world, { usableServers: () => 1, backendConnections: () => 0, serverConnections: () => 0 });
  return s;
}

test('sample expressions give what HAProxy gives', async () => {
  const problems: string[] = [];
  for (const [number, request] of requests.entries()) {
    const theirs = (await ask(request, 'expressions')).split('\n');
    assert.ok(theirs.length >= expressions.length, `request ${number} was answered`);
    const scope = scopeOfFiles();
    const s = prepared(scope, request);
    for (const [index, text] of expressions.entries()) {
      const format = parseFormat(`${index}:<%[${files(text)}]>`, scope);
      if (format === undefined) { problems.push(`${text}: not read: ${scope.errors().at(-1) ?? ''}`); continue; }
      const mine = new Compiler(scope.model()).format(format, 'http')(s);
      if (mine !== theirs[index]) problems.push(`request ${number}, ${text}: HAProxy ${theirs[index] ?? ''}, Poise ${mine}`);
    }
  }
  assert.deepEqual(problems, []);
});

test('conditions hold where HAProxy says so', async () => {
  const problems: string[] = [];
  for (const [number, request] of requests.entries()) {
    const theirs = (await ask(request, 'conditions')).split('\n');
    const scope = scopeOfFiles();
    const s = prepared(scope, request);
    for (const [index, text] of conditions.entries()) {
      const words = files(text).replaceAll('"', '').split(' ');
      const condition = parseCondition(['if', ...(text.includes('"') ? ['{', 'hdr(x-list)', 'a, b', '}'] : words)], scope);
      if (condition === undefined) { problems.push(`${text}: not read: ${scope.errors().at(-1) ?? ''}`); continue; }
      const mine = `${index}:<${new Compiler(scope.model()).condition(condition)(s) ? '1' : ''}>`;
      if (mine !== theirs[index]) problems.push(`request ${number}, ${text}: HAProxy ${theirs[index] ?? ''}, Poise ${mine}`);
    }
  }
  assert.deepEqual(problems, []);
});
