/** Things that go wrong on either side: answers, log letters, timers. */
import { BlackHole } from '../../harness/black-hole.ts';
import { comparison } from '../../harness/comparison.ts';
import { get, relayed } from '../../harness/observe.ts';
import { answering, named, ok, Origin } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

/** Names of header lines in lower case: answers of origins keep theirs (docs/differences.md). */
function lowerNames(bytes: string): string {
  return bytes.replace(/^[\w-]+(?=:)/gm, (name) => name.toLowerCase());
}

/** Asks, and gives the answer's bytes, the end and the log line. */
const outcome = (bind: string, request: string, pattern: RegExp, timeoutMs = 3000) => async (site: Site): Promise<unknown> => {
  const client = await site.client(bind);
  const rest = await client.send(request).rest(timeoutMs);
  client.close();
  return { bytes: lowerNames(site.anonymous(rest.bytes)), ending: rest.ending, line: await site.logLine(pattern) };
};
const close = 'Connection: close';

comparison('servers that cannot be reached', {
  origins: () => ({ a: named('a'), hole: new BlackHole() }),
  configuration: `
frontend fe
    bind {front}
    use_backend refused if { path_beg /refused }
    use_backend retried if { path_beg /retried }
    use_backend again if { path_beg /again }
    use_backend none if { path_beg /none }
    use_backend disabled if { path_beg /disabled }
    use_backend black if { path_beg /black }
    default_backend nowhere
backend refused
    retries 0
    server s1 {nobody}
backend retried
    retries 2
    timeout connect 50ms
    server s1 {nobody}
backend again
    retries 1
    option redispatch
    balance roundrobin
    timeout connect 50ms
    server s1 {nobody}
    server s2 {a}
backend none
    balance roundrobin
backend disabled
    server s1 {a} disabled
backend black
    retries 0
    timeout connect 200ms
    server s1 {hole}
backend nowhere
    server s1 {a} weight 0
`,
}, (situation) => {
  situation('refused', outcome('front', get('/refused', close), /\/refused /), { shows: ['503 Service Unavailable', 'SC--'] });
  situation('connect timeout', outcome('front', get('/black', close), /\/black /), { shows: ['503', 'sC--'] });
  situation('refused and retried', outcome('front', get('/retried', close), /\/retried /), { shows: ['503', '0/2'] });
  situation('redispatched to another server', async (site) => {
    const results = [];
    for (let n = 0; n < 2; n++) results.push(await outcome('front', get(`/again${n}`, close), new RegExp(`/again${n} `))(site));
    return results;
  }, { shows: ['200 OK', '+1'] });
  situation('no server in the backend', outcome('front', get('/none', close), /\/none /), { shows: ['503', 'SC--', '<NOSRV>'] });
  situation('all servers disabled', outcome('front', get('/disabled', close), /\/disabled /), { shows: ['503', 'SC--'] });
  situation('weight 0 takes nothing new', outcome('front', get('/w0', close), /\/w0 /), { shows: '503' });
});

comparison('timeouts', {
  origins: () => ({
    a: named('a'),
    slow: new Origin(async (connection) => { await connection.until(/\r\n\r\n/); await sleep(1500); }),
    stall: new Origin(async (connection) => { await connection.until(/\r\n\r\n/); connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'); await sleep(2500); }),
    up: new Origin(async (connection) => { await connection.until(/\r\n\r\n/); connection.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'); await sleep(2500); }),
    deaf: new Origin(async (connection) => { connection.socket.pause(); await sleep(2500); }),
  }),
  configuration: `
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 400ms
    timeout server 300ms
    timeout http-request 200ms
    timeout http-keep-alive 150ms
frontend fe
    bind {front}
    use_backend slow if { path_beg /slow }
    use_backend stall if { path_beg /stall }
    use_backend up if { path_beg /up }
    default_backend be
frontend patient
    bind {patient}
    no option dontlognull
    default_backend be
backend be
    server s1 {a}
backend slow
    server s1 {slow}
backend stall
    server s1 {stall}
backend up
    timeout tunnel 250ms
    server s1 {up}
`,
}, (situation) => {
  situation('a head that never ends: 408', outcome('front', 'GET /half HTTP/1.1\r\nHost:', / cR/), { shows: ['408 Request Time-out', 'cR--'] });
  situation('a body that never ends', outcome('front', 'POST /halfbody HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf', /\/halfbody /), { shows: '/halfbody' });
  situation('a server that does not answer: 504', outcome('front', get('/slow', close), /\/slow /), { shows: ['504 Gateway Time-out', 'sH--'] });
  situation('a server that stops in the middle', outcome('front', get('/stall', close), /\/stall /), { shows: 'sD--' });
  situation('a tunnel without traffic', outcome('front', get('/up', 'Upgrade: x', 'Connection: Upgrade'), /\/up /), { shows: '101' });
  situation('keep-alive without another request', async (site) => {
    const client = await site.client('front');
    await client.send(get('/once')).answer();
    const rest = await client.rest();
    return [rest, await site.logLines(/ fe .*once/, 1)];
  }, { shows: '"fin"' });
  situation('a connection without any request', async (site) => {
    const client = await site.client('patient');
    const rest = await client.rest();
    return [rest, (await site.logLines(/ patient /, 1))];
  }, { shows: 'cR--' });
});

comparison('clients that give up', {
  origins: () => ({
    a: answering(async (request) => { await sleep(400); return ok(request.startLine); }),
    big: new Origin(async (connection) => { await connection.until(/\r\n\r\n/); connection.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nstart'); await connection.sendPieces(Array.from({ length: 8 }, () => 'more'), 50); }),
  }),
  configuration: `
frontend fe
    bind {front}
    use_backend big if { path_beg /big }
    default_backend be
listen abort
    bind {abort}
    option abortonclose
    server s1 {a}
frontend quiet
    bind {quiet}
    option dontlognull
    default_backend be
backend be
    server s1 {a}
backend big
    server s1 {big}
`,
}, (situation) => {
  const leaves = (bind: string, bytes: string, wait: (client: Awaited<ReturnType<Site['client']>>) => Promise<unknown>, pattern: RegExp, reset = false) => async (site: Site): Promise<unknown> => {
    const client = await site.client(bind);
    client.send(bytes);
    await wait(client);
    client.close(reset);
    return site.logLine(pattern);
  };
  situation('inside the head', leaves('front', 'GET /incomplete HTTP/1.1\r\nHo', () => sleep(50), / CR/), { shows: 'CR--' });
  situation('while the server thinks, with abortonclose', leaves('abort', get('/abort'), () => sleep(100), /\/abort /), { shows: 'CH--' });
  situation('while the server thinks, by reset', leaves('abort', get('/abort2'), () => sleep(100), /\/abort2 /, true), { shows: 'CD--', differs: { id: 'resets-are-noticed', poise: (line: string) => line.replace('CD--', 'CH--') } });
  situation('during the answer', leaves('front', get('/big'), (client) => client.until(/start/), /\/big /, true), { shows: 'CD--' });
  situation('inside the request body', leaves('front', 'POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsome', () => sleep(100), /\/cut /), { shows: '/cut' });
  situation('half-closing clients get their answer', async (site) => {
    const client = await site.client('front');
    client.send(get('/halfclose')).end();
    const answer = relayed(site, await client.answer());
    return [answer, (await client.rest()).ending, await site.logLine(/\/halfclose /)];
  }, { shows: '/halfclose' });
  situation('nothing sent: logged only without dontlognull', async (site) => {
    const silent = await site.client('quiet');
    silent.close();
    const first = await site.client('front');
    first.close();
    await sleep(100);
    const lines = await site.logLines(/BADREQ.*$/, site.log.lines.filter((line) => line.includes('<BADREQ>')).length);
    return lines.filter((line) => !/ CR--/.test(line) || / 0 - - /.test(line)).slice(-1);
  }, { shows: 'BADREQ' });
});

comparison('denied connections', {
  origins: () => ({ a: named('a') }),
  configuration: `
frontend fe
    bind {front}
    tcp-request connection reject if { src 127.4.0.0/16 }
    tcp-request content reject if { path_beg /content } HTTP
    http-request deny if { path_beg /deny }
    http-request silent-drop if { path_beg /silent }
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  situation('tcp-request connection reject', async (site) => {
    const refused = await site.everything('front', get('/'), { from: '127.4.0.1' }).catch((error: NodeJS.ErrnoException) => ({ bytes: '', ending: error.code === 'ECONNRESET' ? 'reset' : 'fin' }));
    const fine = await site.ask('front', get('/'));
    return [refused.bytes, fine.body];
  }, { shows: '"a"' });
  situation('tcp-request content reject', outcome('front', get('/content', close), / fe fe\/<NOSRV>/), { shows: 'PR--' });
  situation('deny is logged as PR', outcome('front', get('/deny', close), /\/deny /), { shows: 'PR--' });
});
