/** Requests that could be read two ways, and unusual ones that are right: what is refused, how, and what the origin gets. */
import { comparison } from '../../harness/comparison.ts';
import { get, relayed, seen } from '../../harness/observe.ts';
import { answering, ok } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

const configuration = `
frontend fe
    bind {front}
    default_backend be
backend be
    server s1 {a}
`;
const origins = () => ({ a: answering((request) => ok(request.startLine.startsWith('HEAD') ? '' : `[${request.body}]`)) });

/** Sends each on a connection of its own: status line of the answer, how the connection ended, what the origin saw, the log. */
const outcome = (...requests: string[]) => async (site: Site): Promise<unknown[]> => {
  const results: unknown[] = [];
  for (const request of requests) {
    site.origin('a').forget();
    const logged = site.log.lines.length;
    const client = await site.client('front');
    client.send(request);
    const answer = await client.answer(request.split(' ')[0], 2000).catch((error: unknown) => String(error));
    const after = typeof answer === 'string' ? '' : await client.within(40);
    // Read before our own close, which looks like the other side's afterwards.
    const { ending } = client;
    client.close();
    await site.log.matching(/ fe /, logged + 1, 2000).catch(() => {});
    const line = (await site.logLines(/ fe /, logged + 1).catch(() => ['none'])).at(-1);
    results.push({ request: request.slice(0, 200), answer: typeof answer === 'string' ? answer : relayed(site, answer), after, ending, origin: seen(site, 'a').map(shorten), line: shorten(line ?? '') });
  }
  return results;
};

/** Long runs of one letter shortened, so that a failure can be read. */
function shorten<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replace(/([a-z])\1{50,}/g, (run, letter: string) => `${letter}*${run.length}`)) as T;
}

const request = (start: string, ...lines: string[]): string => `${[start, ...lines].join('\r\n')}\r\n\r\n`;
const host = 'Host: lab.local';

comparison('requests that are refused', { configuration, origins }, (situation) => {
  situation('conflicting lengths', outcome(request('POST /1 HTTP/1.1', host, 'Content-Length: 4', 'Content-Length: 5') + 'body1', request('POST /2 HTTP/1.1', host, 'Content-Length: 4, 5') + 'body2'), { shows: '400 Bad' });
  situation('bad lengths', outcome(...['-1', '+4', '4x', '', '0x4', '99999999999999999999', '4 4'].map((length) => `${request('POST /l HTTP/1.1', host, `Content-Length: ${length}`)}body`)), { shows: '400 Bad' });
  situation('bad chunk sizes', outcome(...['zz\r\n', '-1\r\n', '4;\nx\r\nbody', ' 4\r\nbody\r\n0\r\n\r\n', '4 \r\nbody\r\n0\r\n\r\n', '10000000000000000\r\n', '0x4\r\nbody\r\n', '4\r\nbodyX\r\n0\r\n\r\n', '4\nbody\n0\n\n', ';a=b\r\n'].map((body) => request('POST /c HTTP/1.1', host, 'Transfer-Encoding: chunked') + body)), { shows: '400 Bad' });
  situation('unknown transfer encodings', outcome(...['gzip', 'chunked, gzip', 'xchunked', 'chunked, chunked', 'identity', ''].map((encoding) => `${request('POST /t HTTP/1.1', host, `Transfer-Encoding: ${encoding}`)}4\r\nbody\r\n0\r\n\r\n`)), { shows: '400 Bad' });
  situation('space before the colon, missing colon, empty name', outcome(request('GET /s1 HTTP/1.1', host, 'X-Bad : 1'), request('GET /s2 HTTP/1.1', host, 'X-Bad'), request('GET /s3 HTTP/1.1', host, ': value'), request('GET /s4 HTTP/1.1', host, 'X Bad: 1')), { shows: '400 Bad' });
  situation('bare CR, NUL and control characters', outcome(request('GET /n1 HTTP/1.1', host, 'X: a\rb'), request('GET /n3 HTTP/1.1', host, 'X: a\x01b'), request('GET /n4\x01 HTTP/1.1', host), request('GET /n5 HTTP/1.1', host, 'X\0: b'), request('GET /n6 HTTP/1.1', host, 'X: a\x7fb')), { shows: '400 Bad' });
  situation('NUL in a value', async (site) => { const [one] = await outcome(request('GET /n2 HTTP/1.1', host, 'X: a\0b'))(site) as { answer: { start: string } }[]; return one?.answer.start; }, { shows: '200 OK', differs: { id: 'nul-is-refused', poise: () => 'HTTP/1.1 400 Bad request' } });
  situation('bad request lines', outcome('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', request('GET /r1'), request('GET  /r2 HTTP/1.1', host), request('GET /r3 HTTP/1.1 ', host), request('GET /r4 HTTP/2.0', host), request('GET /r5 HTTP/1.2', host), request('G@T /r6 HTTP/1.1', host), request('GET /r7 http/1.1', host), request(' GET /r8 HTTP/1.1', host), request('GET /r 9 HTTP/1.1', host), request('GET r10 HTTP/1.1', host)), { shows: '400 Bad' });
  situation('host faults', outcome(request('GET /h1 HTTP/1.1'), request('GET /h2 HTTP/1.1', host, 'Host: other'), request('GET /h3 HTTP/1.1', host, host), request('GET http://other/h4 HTTP/1.1', host), request('GET http://LAB.local:80/h5 HTTP/1.1', host), request('GET /h6 HTTP/1.1', 'Host: ')), { shows: '400 Bad' });
  situation('characters beyond ASCII in the target', outcome(request('GET /\xe4 HTTP/1.1', host), request('GET /x?\xff HTTP/1.1', host), request('GET /"x<y> HTTP/1.1', host), request('GET /x#frag HTTP/1.1', host)), { shows: '400 Bad' });
});

comparison('requests that are made unambiguous', { configuration, origins }, (situation) => {
  situation('equal lengths become one', outcome(`${request('POST /1 HTTP/1.1', host, 'Content-Length: 4', 'Content-Length: 4')}body`, `${request('POST /2 HTTP/1.1', host, 'Content-Length: 4, 4')}body`, `${request('POST /3 HTTP/1.1', host, 'Content-Length: 004')}body`), { shows: '[body]' });
  situation('transfer-encoding beats content-length', outcome(`${request('POST /te HTTP/1.1', host, 'Content-Length: 4', 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`), { shows: '[body]' });
  situation('transfer-encoding in HTTP/1.0', outcome(`${request('POST /te0 HTTP/1.0', 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`), { shows: 'te0' });
  situation('continuation lines', outcome(request('GET /fold HTTP/1.1', host, 'X-Fold: a', '  b', '\tc', 'X-Next: d')), { shows: 'x-fold' });
  situation('lines that end in LF alone', outcome('GET /lf HTTP/1.1\nHost: lab.local\nX: y\n\n'), { shows: '200 OK' });
  situation('empty lines before the request', outcome(`\r\n\r\n${request('GET /crlf HTTP/1.1', host)}`, `\n${request('GET /lf HTTP/1.1', host)}`), { shows: '200 OK' });
  situation('chunk extensions and trailers', outcome(`${request('POST /tr HTTP/1.1', host, 'Transfer-Encoding: chunked', 'Trailer: X-Sum')}4;ext=1\r\nbody\r\n3;"q"\r\nxyz\r\n0;last\r\nX-Sum: 7\r\n\r\n`), { shows: '[bodyxyz]' });
});

comparison('requests that are unusual but right', { configuration, origins }, (situation) => {
  situation('any method token', outcome(request('RPC_IN_DATA /rpc/rpcproxy.dll?x:6001 HTTP/1.1', host, 'Content-Length: 4') + 'rpc1', request("M-SEARCH!#$%&'*+.^_`|~ /m HTTP/1.1", host), request('get /lower HTTP/1.1', host)), { shows: 'RPC_IN_DATA' });
  situation('asterisk and CONNECT targets', outcome(request('OPTIONS * HTTP/1.1', host)), { shows: 'OPTIONS *' });
  situation('HTTP/1.0 without host', outcome(request('GET /old HTTP/1.0')), { shows: '/old HTTP/1' });
  situation('HTTP/0.9', outcome('GET /09\r\n\r\n'), { shows: '400' });
  situation('GET and DELETE with a body', outcome(`${request('GET /gb HTTP/1.1', host, 'Content-Length: 4')}body`, `${request('DELETE /db HTTP/1.1', host, 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`), { shows: 'body' });
  situation('POST without a length', outcome(request('POST /nolen HTTP/1.1', host)), { shows: '200 OK' });
  situation('a request in single bytes', async (site) => {
    const client = await site.client('front');
    await client.sendPieces([...`${request('POST /bytes HTTP/1.1', host, 'Transfer-Encoding: chunked')}4\r\nbody\r\n0\r\n\r\n`], 1);
    return [relayed(site, await client.answer()), seen(site, 'a')];
  }, { shows: '[body]' });
  situation('pipelined requests are answered in order', async (site) => {
    const client = await site.client('front');
    client.send(get('/p1') + request('POST /p2 HTTP/1.1', host, 'Content-Length: 2') + 'xy' + get('/p3'));
    const answers = [await client.answer(), await client.answer(), await client.answer()];
    return [answers.map((answer) => answer.body), seen(site, 'a').map((one) => one.start)];
  }, { shows: ['[xy]', '/p3'] });
  situation('keep-alive: several requests on one connection', async (site) => {
    const client = await site.client('front');
    const bodies: string[] = [];
    for (let n = 0; n < 5; n++) bodies.push((await client.send(get(`/k${n}`)).answer()).startLine);
    client.end();
    const rest = await client.rest();
    return [bodies, rest];
  }, { shows: '"fin"' });
  situation('Expect: 100-continue', async (site) => {
    const client = await site.client('front');
    client.send(request('POST /expect HTTP/1.1', host, 'Content-Length: 4', 'Expect: 100-continue'));
    await client.within(50);
    client.send('body');
    return [relayed(site, await client.answer()), seen(site, 'a')];
  }, { shows: 'expect: 100-continue' });
});
