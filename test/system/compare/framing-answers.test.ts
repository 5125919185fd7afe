/** Answers of origins: framing that is right, unusual or wrong, interim answers, upgrades, early and endless answers. */
import { comparison } from '../../harness/comparison.ts';
import { MessageReader } from '../../harness/http.ts';
import { get, headerLines, relayed } from '../../harness/observe.ts';
import { Origin } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const configuration = `
frontend fe
    bind {front}
    default_backend be
backend be
    timeout tunnel 5s
    retries 0
    server s1 {a}
`;
/** Each connection reads one head and then plays what the situation put in `script`. */
const origins = () => ({ a: new Origin(() => {}) });

/** The origin answers the head of each connection's first request with these pieces and then closes. */
function plays(site: Site, pieces: readonly string[], after: 'close' | 'reset' | 'open' = 'close'): void {
  site.origin('a').script = async (connection) => {
    await connection.until(/\r\n\r\n/);
    await connection.sendPieces(pieces, 20);
    if (after === 'close') connection.end();
    if (after === 'reset') connection.close(true);
  };
}

/** The answers in the bytes: interim ones, then the last; without chunk framing, whose sizes each hop may choose. */
function messagesOf(site: Site, bytes: string, method = 'GET'): unknown[] {
  const messages: unknown[] = [];
  let left = bytes;
  while (left !== '') {
    const message = new MessageReader('response', method).read(left, true);
    if (message === null) {
      // Cut off: what came, again without the sizes of whole chunks.
      const headEnd = left.indexOf('\r\n\r\n');
      messages.push({ headers: headerLines(site, left.slice(0, headEnd).split('\r\n')), cutBody: left.slice(headEnd + 4) });
      break;
    }
    messages.push({ ...relayed(site, message), trailers: message.trailers.map((line) => line.toLowerCase()) });
    left = left.slice(message.raw.length);
  }
  return messages;
}

/** Everything the client gets for one request, for each answer. */
const outcome = (answers: readonly (string | readonly string[])[], after: 'close' | 'reset' | 'open' = 'close', request = get('/x', 'Connection: close')) => async (site: Site): Promise<unknown[]> => {
  const results: unknown[] = [];
  for (const answer of answers) {
    plays(site, [answer].flat(), after);
    const logged = site.log.lines.length;
    const client = await site.client('front');
    const rest = await client.send(request).rest(1500);
    const lines = await site.logLines(/ fe /, logged + 1).catch((error: unknown) => [String(error)]);
    results.push({ answer: [answer].flat().join('|').slice(0, 120), messages: messagesOf(site, rest.bytes, request.split(' ')[0]), ending: rest.ending, line: lines.at(-1) });
  }
  return results;
};
const head = (start: string, ...lines: string[]): string => `${[start, ...lines].join('\r\n')}\r\n\r\n`;

comparison('answers', { configuration, origins }, (situation) => {
  situation('length, chunked, until close', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 4') + 'body', head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + '4\r\nbody\r\n3;x=y\r\nxyz\r\n0\r\nX-T: 1\r\n\r\n', head('HTTP/1.1 200 OK') + 'until the end']), { shows: ['body', 'until the end', 'x-t: 1'] });
  situation('until close, to a keep-alive client', outcome([head('HTTP/1.1 200 OK') + 'until the end', head('HTTP/1.0 200 OK') + 'ten'], 'close', get('/x')), { shows: 'until the end' });
  situation('HTTP/1.0 client and a chunked answer', outcome([head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + '4\r\nbody\r\n0\r\n\r\n'], 'close', 'GET /x HTTP/1.0\r\n\r\n'), { shows: 'body' });
  situation('answers without body', outcome([head('HTTP/1.1 204 No Content'), head('HTTP/1.1 304 Not Modified', 'Content-Length: 10', 'ETag: x'), head('HTTP/1.1 200 OK', 'Content-Length: 0')]), { shows: '304 Not Modified' });
  situation('HEAD', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 10'), head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')], 'close', 'HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), { shows: 'content-length: 10' });
  situation('no reason, odd reason, odd status', outcome([head('HTTP/1.1 200', 'Content-Length: 0'), head('HTTP/1.1 200 ', 'Content-Length: 0'), head('HTTP/1.1 299 Odd one: yes', 'Content-Length: 0'), head('HTTP/1.1 999 x', 'Content-Length: 0')]), { shows: '299 Odd one' });
  situation('interim answers are relayed', outcome([head('HTTP/1.1 103 Early Hints', 'Link: </a>') + head('HTTP/1.1 100 Continue') + head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'ok']), { shows: ['103', '100 Continue'] });
  situation('several cookies and repeated lines stay apart', outcome([head('HTTP/1.1 401 Unauthorized', 'WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 0')]), { shows: 'NTLM' });
  situation('both length and chunked', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 3', 'Transfer-Encoding: chunked') + '4\r\nbody\r\n0\r\n\r\n']), { shows: 'body' });
  situation('equal lengths twice', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 4', 'Content-Length: 4') + 'body']), { shows: 'body' });
  situation('more bytes than announced are dropped', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'body']), { shows: '"bo"' });
});

comparison('answers that are wrong', { configuration, origins }, (situation) => {
  situation('rubbish', outcome(['rubbish\r\n\r\n', 'HTTP/1.1 abc\r\n\r\n', head('HTTP/3.0 200 OK'), head('HTTP/1.1 2000 OK'), '\x16\x03\x01\r\n\r\n']), { shows: ['502', 'PH--'] });
  situation('a status of two digits', async (site) => {
    plays(site, [head('HTTP/1.1 20 OK')]);
    const { bytes } = await site.everything('front', get('/two', 'Connection: close'));
    await site.logLine(/\/two /);
    return bytes.split('\r\n')[0];
  }, { shows: '20 OK', differs: { id: 'status-has-three-digits', poise: () => 'HTTP/1.1 502 Bad Gateway' } });
  situation('bad header lines', outcome([head('HTTP/1.1 200 OK', 'X : y', 'Content-Length: 0'), head('HTTP/1.1 200 OK', 'no colon', 'Content-Length: 0')]), { shows: 'PH--' });
  situation('NUL in a value', async (site) => {
    plays(site, [head('HTTP/1.1 200 OK', 'X: a\0b', 'Content-Length: 0')]);
    const { bytes } = await site.everything('front', get('/nul', 'Connection: close'));
    await site.logLine(/\/nul /);
    return bytes.split('\r\n')[0];
  }, { shows: '200 OK', differs: { id: 'nul-is-refused', poise: () => 'HTTP/1.1 502 Bad Gateway' } });
  situation('conflicting lengths', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 4', 'Content-Length: 5') + 'body', head('HTTP/1.1 200 OK', 'Content-Length: x') + 'body']), { shows: 'PH--' });
  situation('closes without an answer', outcome(['']), { shows: ['502', 'SH--'] });
  situation('resets without an answer', outcome([''], 'reset'), { shows: ['502', 'SH--'] });
  situation('closes inside the head', outcome(['HTTP/1.1 200 OK\r\nContent-Le']), { shows: '502' });
  situation('closes inside the body', outcome([head('HTTP/1.1 200 OK', 'Content-Length: 10') + 'body', head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked') + '4\r\nbody\r\n']), { shows: 'SD--' });
  situation('bad chunk inside the body', outcome([[`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}4\r\nbody\r\n`, 'zz\r\n']], 'open'), { shows: 'SD--' });
  situation('an interim answer and then nothing', outcome([head('HTTP/1.1 100 Continue')]), { shows: '502' });
});

comparison('tunnels and streams', { configuration, origins }, (situation) => {
  situation('upgrade', async (site) => {
    site.origin('a').script = async (connection) => {
      const request = await connection.until(/\r\n\r\n/);
      connection.send(head('HTTP/1.1 101 Switching Protocols', 'Upgrade: echo', 'Connection: Upgrade') + (/upgrade: echo/i.test(request) ? 'hi' : 'no'));
      connection.send(`<${await connection.until(/ping/)}>`);
      connection.end();
    };
    const client = await site.client('front');
    client.send(get('/up', 'Upgrade: echo', 'Connection: Upgrade'));
    const answer = await client.until(/\r\n\r\nhi/);
    client.send('ping');
    const rest = await client.rest();
    client.end();
    return [answer.toLowerCase().split('\r\n').sort(), rest, await site.logLine(/\/up /)];
  }, { shows: ['<ping>', '101'] });
  for (const [connected, head101, from, line] of [
    ['an upgrade: the end of the server is the end of both', head('HTTP/1.1 101 Switching Protocols', 'Upgrade: echo', 'Connection: Upgrade'), get('/ends', 'Upgrade: echo', 'Connection: Upgrade'), / \/ends /],
    ['CONNECT: the server may end its side alone', head('HTTP/1.1 200 OK'), 'CONNECT ends:1 HTTP/1.1\r\nHost: ends:1\r\n\r\n', /ends:1/],
  ] as const) {
    situation(connected, async (site) => {
      const heard = Promise.withResolvers<string>();
      site.origin('a').script = async (connection) => {
        await connection.until(/\r\n\r\n/);
        connection.send(`${head101}${'last'.repeat(500_000)}`).end();
        heard.resolve(await connection.until(/after/, 1500).catch(() => 'nothing'));
      };
      const client = await site.client('front');
      client.send(from);
      await client.until(/\r\n\r\n/);
      const rest = await client.rest();
      client.send('after').end();
      return [rest.bytes.length, rest.ending, await heard.promise, await site.logLine(line)];
    }, { shows: connected.startsWith('CONNECT') ? '"after"' : ['"nothing"', '101'] });
  }
  situation('upgrade refused', async (site) => {
    plays(site, [head('HTTP/1.1 200 OK', 'Content-Length: 2') + 'no'], 'open');
    const client = await site.client('front');
    return relayed(site, await client.send(get('/upno', 'Upgrade: echo', 'Connection: Upgrade')).answer());
  }, { shows: '"no"' });
  situation('CONNECT', async (site) => {
    site.origin('a').script = async (connection) => {
      await connection.until(/\r\n\r\n/);
      connection.send(head('HTTP/1.1 200 OK'));
      connection.send(`<${await connection.until(/ping/)}>`);
      connection.end();
    };
    const client = await site.client('front');
    client.send('CONNECT lab.local:443 HTTP/1.1\r\nHost: lab.local:443\r\n\r\n');
    const answer = await client.until(/\r\n\r\n/);
    client.send('ping');
    const rest = await client.rest();
    client.end();
    return [answer.toLowerCase().split('\r\n').sort(), rest, await site.logLine(/CONNECT /)];
  }, { shows: '<ping>' });
  situation('an answer before the request body ends', async (site) => {
    site.origin('a').script = async (connection) => {
      await connection.until(/\r\n\r\nfirst/);
      connection.send(head('HTTP/1.1 401 No', 'Content-Length: 2') + 'no');
      await connection.until(/last/, 3000).catch(() => {});
      connection.end();
    };
    const client = await site.client('front');
    client.send('POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nfirst');
    const answer = await client.answer();
    client.send('last');
    await sleep(50);
    client.end();
    return [relayed(site, answer), await site.logLine(/\/early /)];
  }, { shows: '401 No' });
  situation('both bodies stream at once', async (site) => {
    site.origin('a').script = async (connection) => {
      await connection.until(/\r\n\r\n/);
      connection.send(head('HTTP/1.1 200 OK', 'Content-Length: 9'));
      for (let n = 1; n <= 3; n++) connection.send(`<${await connection.until(new RegExp(`${n}`))}>`);
      connection.end();
    };
    const client = await site.client('front');
    client.send('RPC_OUT_DATA /both HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n');
    const echoes: string[] = [];
    await client.until(/\r\n\r\n/);
    for (let n = 1; n <= 3; n++) echoes.push(await client.send(`${n}`).until(/<\d>/));
    return [echoes, await site.logLine(/\/both /)];
  }, { shows: ['<1>', '<3>'] });
  situation('small pieces are forwarded at once', async (site) => {
    site.origin('a').script = async (connection) => {
      await connection.until(/\r\n\r\n/);
      connection.send(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}1\r\na\r\n`);
      await connection.until(/go/);
      connection.send('1\r\nb\r\n0\r\n\r\n');
    };
    const client = await site.client('front');
    client.send('POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n');
    const first = await client.until(/1\r\na\r\n/);
    client.send('go');
    return [first.includes('200 OK'), await client.until(/0\r\n\r\n/)];
  }, { shows: 'true' });
});
