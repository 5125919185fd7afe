/** Log lines in every format, to UDP syslog; captures, unique ids, levels, and what halog makes of them. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparison } from '../../harness/comparison.ts';
import { certificate } from '../../harness/certificates.ts';
import { readLog } from '../../harness/log.ts';
import { get, post, seen } from '../../harness/observe.ts';
import { answering, named, ok } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const values = () => ({ crt: certificate(['lab.local']).both });
const origins = () => ({ a: answering((request) => ok(request.startLine, 'Content-Type: text/plain', 'Server: Microsoft-IIS/8.5', 'X-Long: 123456789', 'Set-Cookie: SID=abcdefgh; path=/')) });

const logged = (bind: string, request: string, pattern: RegExp, tls = false) => async (site: Site): Promise<string> => {
  await site.ask(bind, request, tls ? { tls: {} } : {});
  return site.logLine(pattern);
};

comparison('log formats', {
  origins, values,
  configuration: `
defaults
    log global
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fhttp
    mode http
    bind {http}
    bind {https} ssl crt {crt}
    option httplog
    capture request header Host len 32
    capture request header User-Agent len 5
    capture request header X-None len 8
    capture response header Server len 64
    capture response header X-Long len 4
    capture cookie SID len 8
    default_backend bhttp
frontend ftcp
    mode tcp
    bind {tcp}
    option tcplog
    default_backend btcp
frontend fclf
    mode http
    bind {clf}
    option httplog clf
    default_backend bhttp
frontend fhttps
    mode http
    bind {fhttps} ssl crt {crt}
    option httpslog
    default_backend bhttp
frontend fplain
    mode http
    bind {plain}
    default_backend bhttp
frontend fcustom
    mode http
    bind {custom}
    log-format "%ci|%cp|%fi|%fp|%ft|%f|%b|%s|%ST|%B|%U|%HM|%HP|%HQ|%HU|%HV|%r|%hr|%hs|%ac|%fc|%bc|%sc|%rc|%sq|%bq|%tsc|%ts|%rt|%lc|%{+Q}o|%b|%{-Q}s|%CC|%CS|%hrl|%hsl|%pid|%H|%ID"
    default_backend bhttp
frontend fexpr
    mode http
    bind {expr}
    unique-id-format %{+X}o\\ %ci:%fp-%[path]
    unique-id-header X-Unique-ID
    http-request capture req.hdr(X-Cap) len 10
    http-request set-var(txn.host) req.hdr(host),upper
    http-request set-var(txn.path) path,lower
    http-request set-var(txn.agent) req.hdr(user-agent)
    http-request set-var(txn.esc) req.hdr(x-esc)
    log-format "\${NODE} %[src] %HM %[var(txn.path)] %[var(txn.host)] %{+Q}[var(txn.agent)] <%hr> %ID %[rand(1)] %{+E}[var(txn.esc)] %[be_name]"
    default_backend bhttp
frontend ferr
    mode http
    bind {err}
    option httplog
    error-log-format "ERR %ci %ST %ts"
    log-tag mytag
    default_backend bhttp
frontend flevels
    mode http
    bind {levels}
    option httplog
    option log-separate-errors
    option dontlog-normal
    http-request set-log-level silent if { path_beg /silent }
    http-request set-log-level warning if { path_beg /warning }
    http-request deny if { path_beg /deny }
    default_backend bhttp
frontend fasap
    mode http
    bind {asap}
    option httplog
    option logasap
    default_backend bhttp
backend bhttp
    mode http
    server s1 {a}
backend btcp
    mode tcp
    server s1 {a}
`,
  environment: { NODE: 'node-x' },
}, (situation) => {
  const browser = get('/owa/?x=1', 'User-Agent: Outlook/16', 'Cookie: SID=clientside; b=1');
  situation('httplog with captures', logged('http', browser, / fhttp .*owa/), { shows: ['{lab.local|Outlo|}', '{Microsoft-IIS/8.5|1234}', 'SID=clie'] });
  situation('httplog over TLS shows ~', logged('https', get('/tls'), /\/tls/, true), { shows: 'fhttp~ bhttp/s1' });
  situation('request lines with odd characters', async (site) => {
    await site.ask('http', 'GET /odd"{}|\\ HTTP/1.1\r\nHost: a"b{c}|d\x7f\r\nUser-Agent: \x01\xe4\r\n\r\n');
    return site.logLine(/\/odd/);
  }, { shows: '/odd' });
  situation('tcplog', logged('tcp', get('/tcp', 'Connection: close'), / ftcp /), { shows: 'btcp/s1' });
  situation('httplog clf', async (site) => (await logged('clf', get('/clf'), /\/clf/)(site)).replace(/"" \d+ \d+/, '"" PORT MS').replace(/"s1"( \d+){5}/, '"s1" TIMERS'), { shows: '127.0.0.1 - -' });
  situation('httpslog', logged('fhttps', get('/httpslog'), /httpslog/, true), { shows: 'TLSv1.3' });
  situation('without a format', logged('plain', get('/plain'), /fplain/), { shows: 'Connect from' });
  situation('log-format with every alias', async (site) => {
    await site.ask('custom', post('/c/ustom?q=1', 'body', 'X: y'));
    return (await site.logLine(/\/c\/ustom/)).replace(/\|\d{4,5}\|ADDR/, '|PORT|ADDR').replace(/\|\d+\|("[^|]*")\|""$/, '|PID|$1|""').replace(/\|\d+\|\d+\|\|"bhttp/, '|RT|LC||"bhttp').replace(/\|200\|\d+\|\d+\|/, '|200|SENT|RECEIVED|');
  }, { shows: '/c/ustom' });
  situation('log-format with expressions, captures and a unique id', async (site) => {
    const line = await logged('expr', get('/EXPR', 'User-Agent: Mail "x"', 'X-Cap: captured-and-cut', 'X-Esc: a]b"c'), /\/expr/)(site);
    return [line, seen(site, 'a')];
  }, { shows: ['node-x 127.0.0.1 GET /expr LAB.LOCAL', '<{captured-a}>', 'x-unique-id'] });
  situation('error-log-format and log-tag', async (site) => {
    await site.ask('err', get('/fine'));
    const client = await site.client('err');
    await client.send('rubbish\r\n\r\n').rest();
    return [await site.logLine(/\/fine/), await site.logLine(/ERR/)];
  }, { shows: ['mytag', 'ERR 127.0.0.1 400 PR'] });
  situation('levels, silence and separated errors', async (site) => {
    for (const uri of ['/silent', '/warning', '/normal', '/deny', '/deny-last']) await site.ask('levels', get(uri));
    await site.logLine(/\/deny-last/);
    await sleep(50);
    return (await site.logLines(/ flevels /, site.log.lines.filter((line) => line.includes(' flevels ')).length));
  }, { shows: '/deny' });
  situation('logasap', async (site) => logged('asap', get('/asap'), /\/asap/)(site), { shows: '+' });
});

comparison('log targets', {
  origins,
  configuration: `
global
    log {log} format rfc5424 local1
    log {addr}:5515 format short local2 warning
    log stdout format raw local0
    log-tag lb
    nbthread 1
    stats socket {admin} mode 600 level admin
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {front}
    log-format-sd "%{+Q,+E}o [origin@1 uri=%HU status=%ST]"
    default_backend be
backend be
    server s1 {a}
frontend own
    bind {own}
    no log
    log {log} len 80 format rfc3164 daemon info
    default_backend be
frontend host
    bind {host}
    no log
    log {log} format priority local3
    default_backend be
`,
}, (situation) => {
  const stamp = (line: string): string => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d/, 'STAMP').replace(/ lb \d+ /, ' lb PID ');
  situation('rfc5424 with structured data', async (site) => {
    await site.ask('front', get('/sd"x'));
    return stamp(await site.logLine(/ fe /));
  }, { shows: 'origin@1' });
  situation('raw on stdout', async (site) => {
    await site.ask('front', get('/stdout'));
    await site.logLine(/\/stdout/);
    await sleep(50);
    return (site.process?.stdout ?? '').split('\n').filter((line) => line.includes('/stdout')).map((line) => readLog(site.anonymous(line)));
  }, { shows: '/stdout' });
  situation('cut to a length', async (site) => {
    await site.ask('own', get(`/${'long'.repeat(40)}`));
    return (await site.log.matching(/^<30>/)).map((line) => line.length);
  }, { shows: /\d/ });
  situation('priority', async (site) => {
    await site.ask('host', get('/priority'));
    return site.logLine(/\/priority/);
  }, { shows: '<15' });
});

comparison('halog', {
  origins: () => ({ a: named('a'), slow: answering(async () => { await sleep(30); return ok('slow'); }) }),
  configuration: `
frontend fe
    bind {front}
    use_backend slow if { path_beg /slow }
    http-request deny if { path_beg /deny }
    use_backend down if { path_beg /down }
    default_backend be
backend be
    server s1 {a}
backend slow
    server s1 {slow}
backend down
    retries 0
    server s1 {nobody}
`,
}, (situation) => {
  situation('reads the lines and counts the same', async (site) => {
    const uris = ['/1', '/2', '/2', '/slow', '/slow', '/deny', '/down', '/1?x', '/3', '/2'];
    for (const uri of uris) await site.ask('front', get(uri, 'User-Agent: x'));
    await site.log.matching(/ fe /, uris.length);
    const file = join(site.place.folder, 'haproxy.log');
    // A log file has the host name after the date, which the datagrams leave out.
    writeFileSync(file, `${site.log.lines.filter((line) => line.includes(' fe ')).map((line) => line.replace(/^<\d+>(\S+ +\d+ [\d:]+) /, '$1 node ')).join('\n')}\n`);
    const halog = (...options: string[]): string[] => execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin halog ${options.join(' ')} < ${file} 2>/dev/null`], { encoding: 'latin1' }).split('\n');
    return {
      status: halog('-st', '-H'), servers: halog('-srv', '-H').map((line) => line.split(' ').slice(0, 9).join(' ')), urls: halog('-uc', '-H').map((line) => line.replace(/ [\d.]+/g, ' n').replace(/^(\d+) n/, '$1 n')).sort(),
      terminations: halog('-tc', '-H').map((line) => line), errors: halog('-e', '-H').length, count: halog('-c'),
    };
  }, { shows: ['/2', '503', '403'] });
  situation('the article\'s grep finds the traffic of one backend', async (site) => {
    await site.ask('front', get('/catchall'));
    await site.logLine(/catchall/);
    return site.log.lines.filter((line) => /fe be\/s1/.test(line) && line.includes('catchall')).length;
  }, { shows: '1' });
});
