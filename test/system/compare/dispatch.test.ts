/** Queues, limits, retries on idle connections, reuse of server connections. */
import { comparison } from '../../harness/comparison.ts';
import { get } from '../../harness/observe.ts';
import { answering, ok, Origin } from '../../harness/origin.ts';
import { eventually, sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const slow = () => answering(async (request) => { await sleep(250); return ok(request.startLine); });

comparison('queue and maxconn', {
  origins: () => ({ a: slow(), b: slow(), c: slow() }),
  configuration: `
frontend fe
    bind {front}
    use_backend short if { path_beg /short }
    use_backend two if { path_beg /two }
    default_backend be
frontend counted
    bind {counted}
    default_backend c
frontend narrow
    bind {narrow}
    maxconn 1
    default_backend c
backend be
    timeout queue 5s
    server s1 {a} maxconn 1
backend short
    timeout queue 100ms
    server s1 {b} maxconn 1
backend two
    balance leastconn
    timeout queue 5s
    server s1 {b} maxconn 1
    server s2 {c} maxconn 1
backend c
    server s1 {c}
`,
}, (situation) => {
  const several = async (site: Site, bind: string, ...uris: string[]): Promise<string[]> => {
    const clients = [];
    for (const uri of uris) {
      const client = await site.client(bind);
      client.send(get(uri, 'Connection: close'));
      clients.push(client);
      await sleep(40);
    }
    const answers: string[] = [];
    for (const client of clients) answers.push((await client.answer()).startLine);
    return answers;
  };
  situation('requests wait their turn', async (site) => {
    const startedAt = Date.now();
    const answers = await several(site, 'front', '/q1', '/q2', '/q3');
    const tookLong = Date.now() - startedAt > 700;
    return [answers, tookLong, site.origin('a').requests.map((one) => one.startLine), await site.logLines(/ \/q\d /, 3)];
  }, { shows: ['true', '0/1', '/q3'] });
  situation('timeout queue gives 503 sQ', async (site) => [await several(site, 'front', '/short1', '/short2'), (await site.logLines(/\/short\d /, 2)).sort()], { shows: ['503', 'sQ--'] });
  situation('a queue of the backend is served by any server', async (site) => [await several(site, 'front', '/two1', '/two2', '/two3'), (await site.logLines(/\/two\d /, 3)).map((line) => line.replace(/two\/s\d/, 'two/sX')).sort()], { shows: '/two3' });
  /** %ac/%fc/%bc/%sc of the last line, with a client that is done but has not closed its side. */
  const connectionCounts = (request: string) => async (site: Site): Promise<string[]> => {
    const counts: string[] = [];
    for (const n of [1, 2, 3]) {
      const client = await site.client('counted');
      await client.send(request.replace('/x', `/counts${n}`)).rest();
      await sleep(50);
      counts.push(/ (\d+\/\d+\/\d+\/\d+)\/\d+ \d+\/\d+ /.exec((await site.log.matching(new RegExp(`/counts${n} `)))[0] ?? '')?.[1] ?? 'none');
    }
    return counts;
  };
  situation('a connection that is answered and closed is not counted any longer', connectionCounts(get('/x', 'Connection: close')), { shows: /"1\/1\/0\/0",\s*"1\/1\/0\/0"/ });
  situation('a client leaves while it waits', async (site) => {
    const first = await site.client('front');
    first.send(get('/c1', 'Connection: close'));
    await sleep(30);
    const second = await site.client('front');
    second.send(get('/c2'));
    await sleep(50);
    second.close(true);
    await first.answer();
    return [await site.logLine(/\/c1 /), await site.logLine(/\/c2 /)];
  }, {
    shows: ['/c2', 'CD--'],
    differs: { id: 'resets-are-noticed', poise: (lines: string[]) => [lines[0]?.replace(' c/c/1/', ' c/c/0/'), lines[1]?.replace(' be/s1 n/n/n/n/n 200 BYTES - - CD-- c/c/0/', ' be/<NOSRV> n/n/-1/-1/n -1 0 - - CQ-- c/c/1/')] },
  });
  situation('frontend maxconn keeps the next client waiting', async (site) => {
    const startedAt = Date.now();
    const answers = await several(site, 'narrow', '/n1', '/n2');
    return [answers, Date.now() - startedAt > 450];
  }, { shows: 'true' });
});

comparison('reuse of server connections', {
  origins: () => ({ a: answering((_, connection) => ok(`${connection.number}`)), once: new Origin(() => {}) }),
  configuration: `
frontend fe
    bind {front}
    use_backend never if { path_beg /never }
    use_backend always if { path_beg /always }
    use_backend closing if { path_beg /closing }
    use_backend once if { path_beg /once }
    default_backend safe
backend safe
    server s1 {a}
backend never
    http-reuse never
    server s1 {a}
backend always
    http-reuse always
    server s1 {a}
backend closing
    option http-server-close
    server s1 {a}
backend once
    http-reuse always
    retries 2
    server s1 {once}
`,
}, (situation) => {
  /** How many connections the origin saw for the requests, grouped by client connection. */
  const connections = (...perClient: string[][]) => async (site: Site): Promise<number> => {
    for (const uris of perClient) {
      const client = await site.client('front');
      for (const uri of uris) await client.send(get(uri)).answer();
      client.close();
      await sleep(30);
    }
    return new Set(site.origin('a').requests.map((one) => one.connection)).size;
  };
  situation('one client keeps its connection', connections(['/1', '/2', '/3']), { shows: '1' });
  situation('http-reuse never', connections(['/never', '/never'], ['/never', '/never']), { shows: '2' });
  situation('http-reuse always', connections(['/always'], ['/always', '/always'], ['/always']), { shows: '1' });
  situation('option http-server-close', connections(['/closing', '/closing', '/closing']), { shows: '' });
  situation('an idle connection that died is replaced without the client noticing', async (site) => {
    let served = 0;
    site.origin('once').script = async (connection) => {
      while (await connection.request() !== null) {
        served++;
        connection.send(ok(`c${connection.number}`));
        await sleep(10);
        connection.close();
        return;
      }
    };
    const bodies: string[] = [];
    for (let n = 0; n < 3; n++) {
      const answer = await site.ask('front', get('/once'));
      bodies.push(`${answer.status} ${answer.body}`);
      await sleep(60);
    }
    return [bodies, served];
  }, { shows: 'c3' });
});

comparison('connections that authenticated', {
  origins: () => ({
    a: answering((request, connection) => (request.startLine.includes('/challenge')
      ? `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 1\r\n\r\n${connection.number}`
      : ok(`${connection.number}`))),
  }),
  configuration: `
frontend fe
    bind {front}
    default_backend be
backend be
    http-reuse always
    server s1 {a}
`,
}, (situation) => {
  situation('after a 401 NTLM the connection is the client\'s alone', async (site) => {
    const first = await site.client('front');
    const own = (await first.send(get('/challenge')).answer()).body;
    const same = (await first.send(get('/next')).answer()).body;
    const others: string[] = [];
    for (let n = 0; n < 3; n++) others.push((await site.ask('front', get(`/other${n}`))).body);
    const still = (await first.send(get('/again')).answer()).body;
    first.close();
    await eventually('connection closed', () => site.origin('a').connections[Number(own) - 1]?.ending !== 'open');
    return [own === same, own === still, others.includes(own)];
  }, { shows: /true,\s*true,\s*false/ });
});
