/** What rules and options do to header lines and to the request line, as the origin and the client see it. */
import { comparison } from '../../harness/comparison.ts';
import { get, post, relayed, seen } from '../../harness/observe.ts';
import { answering, ok } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

/** Sends one request and gives what the origin saw. */
const sees = (request: string, bind = 'front') => async (site: Site): Promise<unknown> => {
  await site.ask(bind, request);
  return seen(site, 'a');
};
const plain = { a: () => answering(() => ok('hello', 'X-Origin: a', 'X-Secret: s3', 'Set-Cookie: one=1', 'Set-Cookie: two=2', 'Server: Microsoft-IIS/8.5')) };
const origins = () => ({ a: plain.a() });

comparison('request headers by rule', {
  origins,
  configuration: `
frontend fe
    bind {front}
    http-request set-header X-Client-IP %[src]
    http-request set-header X-Port %[dst_port]
    http-request add-header X-Added one
    http-request add-header X-Added two if { path_beg /owa }
    http-request del-header X-Drop
    http-request del-header X-Pre -m beg if { path /pre }
    http-request replace-header X-Rep ^a(.*)b$ z\\1y
    http-request replace-value X-Val ^(o)ne$ \\1ne!
    http-request set-header X-Fmt "a %[method] b %{+Q}[path] c" if { path /fmt }
    http-request set-var(txn.p) path,upper
    http-request set-header X-Var %[var(txn.p)]
    http-request set-var-fmt(req.f) "%[src]-%[path]" if { path /fmt }
    http-request set-header X-Fmt2 %[var(req.f)] if { path /fmt }
    default_backend be
backend be
    http-request set-header X-Backend %[be_name]/%b
    server s1 {a}
`,
}, (situation) => {
  situation('set, add, delete', sees(get('/owa', 'X-Client-IP: spoofed', 'X-Client-IP: twice', 'X-Drop: 1', 'x-drop: 2', 'X-Keep: kept', 'X-Added: zero')), { shows: ['x-client-ip: 127.0.0.1', 'x-added: zero', 'x-added: two'] });
  situation('delete by prefix', sees(get('/pre', 'X-Pre-A: 1', 'X-PreB: 2', 'X-Pr: 3')), { shows: 'x-pr: 3' });
  situation('replace-header and replace-value', sees(get('/', 'X-Rep: aXb', 'X-Rep: aX', 'X-Val: one, two, one')), { shows: ['x-rep: zXy', 'one!'] });
  situation('formats and variables', sees(get('/fmt')), { shows: ['a GET b', '127.0.0.1-/fmt'] });
  situation('order, repetition and inner blanks of other lines stay', sees(get('/', 'B: 2', 'A: 1', 'B:  3  ', 'Accept:a,  b', 'Empty:', 'A: 4')), { shows: 'b: 3' });
});

comparison('request line by rule', {
  origins,
  configuration: `
frontend fe
    bind {front}
    http-request set-method PUT if { path /method }
    http-request set-path /new%[path] if { path_beg /path }
    http-request set-query a=%[query] if { path_beg /query }
    http-request set-uri /whole?x=1 if { path /uri }
    http-request replace-path ^/rep/(.*) /done/\\1 if { path_beg /rep }
    http-request replace-pathq ^/pq/([^?]*)\\?(.*) /\\2?\\1 if { path_beg /pq }
    http-request replace-uri ^/ru/(.*) /\\1/ru if { path_beg /ru }
    http-request set-pathq /both?yes if { path /both }
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  const lines = (...uris: string[]) => async (site: Site): Promise<string[]> => {
    for (const uri of uris) await site.ask('front', get(uri));
    return site.origin('a').requests.map((request) => request.startLine);
  };
  situation('set-method, set-path, set-query, set-uri, set-pathq', lines('/method', '/path?q=1', '/query?q=1', '/query', '/uri', '/both?no'), { shows: ['PUT /method', '/new/path?q=1', '/query?a=q=1', '/whole?x=1', '/both?yes'] });
  situation('replace-path, replace-pathq, replace-uri', lines('/rep/x?y=1', '/pq/a?b', '/ru/x?y'), { shows: ['/done/x?y=1', '/b?a'] });
  situation('absolute-form and set-path', lines('http://lab.local/path/z?k=1', 'http://lab.local/query/z?k=1'), { shows: '/new/path/z?k=1' });
});

comparison('forwarded addresses', {
  origins,
  configuration: `
frontend fe
    bind {front}
    option forwardfor except 127.7.0.0/16
    default_backend be
frontend none
    bind {none}
    option forwardfor header X-Client if-none
    default_backend be
frontend orig
    bind {orig}
    option forwardfor
    option originalto
    default_backend be2
frontend setsrc
    bind {setsrc}
    option forwardfor
    http-request set-src hdr(x-real-ip)
    http-request set-header X-Src %[src]
    default_backend be
backend be
    server s1 {a}
backend be2
    option forwardfor header X-Behind
    server s1 {a}
`,
}, (situation) => {
  situation('forwardfor adds a line of its own', sees(get('/', 'X-Forwarded-For: 1.2.3.4')), { shows: ['x-forwarded-for: 1.2.3.4', 'x-forwarded-for: 127.0.0.1'] });
  situation('forwardfor except a network', async (site) => { await site.ask('front', get('/'), { from: '127.7.1.1' }); return seen(site, 'a'); }, { shows: /^(?![^]*x-forwarded-for)/ });
  situation('forwardfor with another name, only when missing', async (site) => {
    await site.ask('none', get('/', 'X-Client: 9.9.9.9'));
    await site.ask('none', get('/'));
    return seen(site, 'a');
  }, { shows: ['x-client: 9.9.9.9', 'x-client: 127.0.0.1'] });
  situation('originalto, and the backend\'s name for forwardfor', sees(get('/'), 'orig'), { shows: ['x-original-to: ADDR', 'x-behind: 127.0.0.1'] });
  situation('set-src', sees(get('/', 'X-Real-IP: 10.1.2.3'), 'setsrc'), { shows: ['x-src: 10.1.2.3', 'x-forwarded-for: 10.1.2.3'] });
});

comparison('response headers by rule', {
  origins: () => ({ a: plain.a(), bad: answering(() => 'HTTP/1.1 503 Broken\r\nContent-Length: 4\r\nX-Secret: s3\r\n\r\noops') }),
  configuration: `
frontend fe
    bind {front}
    http-response set-header Strict-Transport-Security max-age=31536000
    http-response del-header Server
    http-response add-header X-Status %[status] if { status 503 }
    http-response set-status 202 reason "Fine so far" if { res.hdr(x-origin) a } { var(txn.path) -m str /status }
    http-request set-var(txn.path) path
    http-after-response set-header X-After yes
    use_backend bad if { path /bad }
    use_backend deny if { path /deny }
    default_backend be
backend be
    http-response replace-header X-Secret s(.) S\\1
    http-response replace-value Set-Cookie (one)=1 \\1=ONE
    http-response set-header X-Cookies %[res.hdr_cnt(set-cookie)]
    http-response set-header X-Path %[var(txn.path)]
    server s1 {a}
backend bad
    server s1 {bad}
backend deny
    http-response deny if { res.hdr(x-secret) -m found }
    server s1 {a}
`,
}, (situation) => {
  const answer = (uri: string) => async (site: Site) => relayed(site, await site.ask('front', get(uri)));
  situation('set, delete, replace', answer('/'), { shows: ['strict-transport-security', 'x-secret: S3', 'one=ONE', 'x-after: yes'] });
  situation('by status', answer('/bad'), { shows: 'x-status: 503' });
  situation('set-status', answer('/status'), { shows: '202 Fine so far' });
  situation('deny an answer', answer('/deny'), { shows: ['502 Bad Gateway', 'x-after: yes'] });
});

comparison('what the proxy itself adds and takes', {
  origins: () => ({ a: answering((request) => ok(request.startLine, 'Connection: close', 'Keep-Alive: timeout=5', 'X-Up: UP')) }),
  configuration: `
frontend fe
    bind {front}
    default_backend be
frontend closing
    bind {closing}
    option httpclose
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  situation('a POST with many lines', sees(post('/x', 'body', 'Accept: */*', 'Cookie: a=1', 'Cookie: b=2', 'X-Odd_name.1: v', 'TE: trailers', 'Authorization: Negotiate abc==')), { shows: ['content-length: 4', 'authorization: Negotiate'] });
  situation('long header lines pass', sees(get('/', `Cookie: ${'c'.repeat(9000)}`, `X-Long: ${'x'.repeat(3000)}`)), { shows: 'ccccccccc' });
  const spelled = ['HOST: lab.local', 'X-MixedCase:value', 'x-lower:   blanks  around  ', 'X-MixedCase: again'];
  const asHaproxySpells = ['host: lab.local', 'x-mixedcase: value', 'x-lower: blanks  around', 'x-mixedcase: again'];
  situation('spelling of header lines that no rule touches', async (site) => {
    const answer = await site.ask('front', ['GET / HTTP/1.1', ...spelled, '', ''].join('\r\n'));
    return [site.origin('a').requests[0]?.lines.slice(1), answer.lines.slice(1).filter((line) => /x-up|length/i.test(line))];
  }, { shows: asHaproxySpells, differs: { id: 'header-lines-untouched', poise: () => [spelled, ['Content-Length: 14', 'X-Up: UP']] } });
  situation('connection header towards the origin', async (site) => {
    const closing = (request: string, bind: string): Promise<unknown> => site.ask(bind, request);
    await closing(get('/1', 'Connection: close'), 'front');
    await closing(get('/2', 'Connection: keep-alive'), 'front');
    await closing(get('/3'), 'closing');
    return site.origin('a').requests.map((request) => `${request.startLine} ${request.header('connection') ?? '-'}`);
  }, { shows: '/3 HTTP/1.1 close' });
  situation('connection header towards the client', async (site) => {
    const answers = [
      await site.ask('front', get('/1')), await site.ask('front', get('/2', 'Connection: close')), await site.ask('front', 'GET /3 HTTP/1.0\r\n\r\n'),
      await site.ask('front', 'GET /4 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'), await site.ask('closing', get('/5')),
    ];
    return answers.map((answer) => `${answer.startLine} ${answer.body} ${answer.header('connection') ?? '-'}`);
  }, { shows: 'GET /5 HTTP/1.1 close' });
});
