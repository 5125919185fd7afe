/** Answers that the proxy makes itself, byte for byte: redirects, denials, returns, authentication, monitor, error files. */
import { comparison } from '../../harness/comparison.ts';
import { get, relayed } from '../../harness/observe.ts';
import { named } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

/** One request per connection; the whole answer as it came (a following GET with close ends the connection). */
const bytes = (...requests: string[]) => async (site: Site): Promise<string[]> => {
  const answers: string[] = [];
  for (const request of requests) {
    const client = await site.client('front');
    const answer = await client.send(request).answer(request.split(' ')[0]);
    // Answers of the origin are relayed as they came; only those of the proxy are compared byte for byte.
    answers.push(answer.header('x-origin') === undefined ? site.anonymous(answer.raw) : JSON.stringify(relayed(site, answer)));
    client.close();
  }
  return answers;
};
const origins = () => ({ a: named('a') });

comparison('redirects', {
  origins,
  configuration: `
frontend fe
    bind {front}
    redirect scheme https code 301 if { path_beg /scheme }
    redirect location /owa/ if { path / }
    redirect prefix https://mail.lab.local code 303 if { path_beg /prefix }
    redirect prefix / drop-query append-slash code 307 if { path_beg /slash }
    redirect location /login code 308 set-cookie SEEN=1 if { path_beg /cookie }
    redirect location /logout clear-cookie USER= if { path_beg /clear }
    http-request redirect location https://%[hdr(host),lower]%[path]?from=%[src] code 302 if { path_beg /format }
    http-request redirect scheme https drop-query if { path_beg /nq }
    default_backend be
backend be
    http-request redirect location /from-backend code 302 if { path /be }
    server s1 {a}
`,
}, (situation) => {
  situation('scheme', bytes(get('/scheme/a?b=c'), 'GET /scheme HTTP/1.0\r\n\r\n', 'HEAD /scheme HTTP/1.1\r\nHost: h:8080\r\n\r\n'), { shows: 'location: https://lab.local/scheme/a?b=c' });
  situation('location', bytes(get('/'), 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n'), { shows: 'HTTP/1.1 302 Found' });
  situation('prefix, drop-query, append-slash, codes', bytes(get('/prefix/x?y'), get('/slash/x?y'), get('/slash/x/?y')), { shows: ['303 See Other', '307 Temporary Redirect'] });
  situation('cookies', bytes(get('/cookie'), get('/clear')), { shows: ['set-cookie: SEEN=1', '308 Permanent Redirect'] });
  situation('formats', bytes('GET /format/x HTTP/1.1\r\nHost: LAB.local\r\n\r\n', get('/nq?x=1'), get('/be')), { shows: ['https://lab.local/format/x?from=127.0.0.1', '/from-backend'] });
  situation('connection: close is honoured', bytes(get('/', 'Connection: close')), { shows: /connection: close/i });
});

comparison('denials and returns', {
  origins,
  files: { 'page.html': '<html>page for %[path]</html>\n', 'raw.txt': 'plain %[src] text', '403.http': 'HTTP/1.0 403 Go Away\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\nX-Own: yes\r\n\r\ngo away\n', '503.http': 'HTTP/1.1 503 Down\r\nContent-Length: 5\r\n\r\ndown\n' },
  configuration: `
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    errorfile 403 {dir}/403.http
    errorfile 503 {dir}/503.http
frontend fe
    bind {front}
    monitor-uri /alive
    acl dead path_beg /never
    monitor fail if dead
    http-request deny if { path /deny }
    http-request deny deny_status 429 if { path /429 }
    http-request deny status 401 hdr X-Why %[path] content-type text/plain string "no entry" if { path /custom }
    http-request return status 200 content-type "text/plain" string "hello %[path]" if { path /string }
    http-request return status 200 content-type text/plain lf-string "hello %[path]" hdr X-H %[src] if { path /lf }
    http-request return status 200 content-type text/html lf-file {dir}/page.html if { path /lffile }
    http-request return status 404 content-type text/plain file {dir}/raw.txt if { path /file }
    http-request return if { path /bare }
    http-request return status 503 default-errorfiles if { path /errorfile }
    http-request return status 204 if { path /204 }
    http-request tarpit deny_status 500 if { path /tarpit }
    timeout tarpit 100ms
    http-request reject if { path /reject }
    use_backend nobody if { path_beg /nobody }
    default_backend be
backend be
    server s1 {a}
backend nobody
    retries 0
    server s1 {refused}
`,
}, (situation) => {
  situation('deny', bytes(get('/deny'), get('/429'), get('/custom'), 'HEAD /custom HTTP/1.1\r\nHost: x\r\n\r\n'), { shows: ['429 Too Many Requests', 'no entry'] });
  situation('return', bytes(get('/string'), get('/lf'), get('/file'), get('/bare'), 'HEAD /string HTTP/1.1\r\nHost: x\r\n\r\n'), { shows: ['hello %[path]', 'hello /lf'] });
  situation('return a file with formats', bytes(get('/lffile')), { shows: 'page for /lffile' });
  situation('return an error file, and 204', bytes(get('/errorfile'), 'HEAD /errorfile HTTP/1.1\r\nHost: x\r\n\r\n'), { shows: 'down' });
  situation('errorfile for a failed server', bytes(get('/nobody')), { shows: 'HTTP/1.1 503 Down' });
  situation('reject closes without an answer', async (site) => site.everything('front', get('/reject')), { shows: '"bytes": ""' });
  situation('tarpit', bytes(get('/tarpit')), { shows: '500' });
  situation('monitor-uri', bytes(get('/alive'), get('/alive?x=1'), 'HEAD /alive HTTP/1.0\r\n\r\n', get('/alivex')), { shows: '200 OK' });
});

comparison('default error pages', {
  origins,
  configuration: `
frontend fe
    bind {front}
    http-request deny deny_status 400 if { path /400 }
    http-request deny deny_status 401 if { path /401 }
    http-request deny deny_status 403 if { path /403 }
    http-request deny deny_status 404 if { path /404 }
    http-request deny deny_status 405 if { path /405 }
    http-request deny deny_status 407 if { path /407 }
    http-request deny deny_status 408 if { path /408 }
    http-request deny deny_status 410 if { path /410 }
    http-request deny deny_status 413 if { path /413 }
    http-request deny deny_status 425 if { path /425 }
    http-request deny deny_status 429 if { path /429 }
    http-request deny deny_status 500 if { path /500 }
    http-request deny deny_status 501 if { path /501 }
    http-request deny deny_status 502 if { path /502 }
    http-request deny deny_status 503 if { path /503 }
    http-request deny deny_status 504 if { path /504 }
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  situation('every status', bytes(...['400', '401', '403', '404', '405', '407', '408', '410', '413', '425', '429', '500', '501', '502', '503', '504'].map((code) => get(`/${code}`))), { shows: ['410 Gone', '425 Too Early', '504 Gateway Time-out'] });
});

comparison('authentication', {
  origins,
  configuration: `
userlist people
    group staff users ann
    user ann insecure-password secret
    user bob insecure-password other
frontend fe
    bind {front}
    acl known http_auth(people)
    acl staff http_auth_group(people) staff
    http-request auth realm Lab if { path_beg /in } !known
    http-request auth if { path_beg /staff } !staff
    http-request auth realm "Two Words" if { path /words }
    default_backend be
backend be
    http-request del-header Authorization
    server s1 {a}
`,
}, (situation) => {
  const basic = (user: string): string => `Authorization: Basic ${Buffer.from(user).toString('base64')}`;
  situation('challenge and answer', bytes(get('/in'), get('/in', basic('ann:secret')), get('/in', basic('ann:wrong')), get('/in', 'Authorization: Basic !!!'), get('/in', basic('bob:other')), get('/words')), { shows: ['www-authenticate', '200 OK'] });
  situation('group', bytes(get('/staff', basic('ann:secret')), get('/staff', basic('bob:other'))), { shows: '401' });
});
