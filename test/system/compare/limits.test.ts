/** Dynamic limits, order in queues, sessions of servers that go down or come up, errors that live traffic meets, retries. */
import { certificate } from '../../harness/certificates.ts';
import type { Client } from '../../harness/client.ts';
import { comparison } from '../../harness/comparison.ts';
import { statRow } from '../../harness/csv.ts';
import { get } from '../../harness/observe.ts';
import { answering, named, ok, Origin } from '../../harness/origin.ts';
import { eventually, sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const slow = (ms: number) => answering(async (request) => { await sleep(ms); return ok(request.startLine.split(' ')[1] ?? ''); });

/** Requests sent in this order on connections of their own, before the first is answered. */
async function inOrder(site: Site, bind: string, uris: readonly string[]): Promise<Client[]> {
  const clients: Client[] = [];
  for (const uri of uris) {
    const client = await site.client(bind);
    client.send(get(uri, 'Connection: close'));
    clients.push(client);
    await sleep(25);
  }
  return clients;
}

const statuses = async (clients: readonly Client[]): Promise<number[]> => {
  const all: number[] = [];
  for (const client of clients) all.push((await client.answer()).status);
  return all;
};
const gauge = async (site: Site, proxy: string, service: string, ...names: string[]): Promise<string> => {
  const row = statRow(await site.command('show stat'), proxy, service);
  return names.map((name) => `${name}=${row[name]}`).join(' ');
};

comparison('limits that follow the load', {
  values: () => ({ lab: certificate(['lab.local']).both }),
  origins: () => ({ a: slow(500), b: slow(200), c: slow(400), d: slow(400) }),
  configuration: `
frontend fe
    bind {front}
    use_backend dynamic if { path_beg /dyn }
    use_backend order if { path_beg /order }
    use_backend full if { path_beg /full }
frontend narrow
    bind {narrow} maxconn 1
    bind {free}
    bind {securenarrow} maxconn 1 ssl crt {lab}
    default_backend c
backend dynamic
    fullconn 10
    timeout queue 5s
    server s1 {a} minconn 1 maxconn 10
backend order
    timeout queue 9s
    http-request set-priority-class int(-5) if { path_end /urgent }
    http-request set-priority-class int(5) if { path_end /lazy }
    http-request set-priority-offset int(-2000) if { path_end /early }
    http-request set-priority-offset int(2000) if { path_end /late }
    server s1 {b} maxconn 1
backend full
    timeout queue 5s
    cookie SRV
    server s1 {c} maxconn 1 maxqueue 1 cookie c
    server s2 {d} maxconn 1 maxqueue 1 cookie d
backend c
    server s1 {c}
`,
}, (situation) => {
  situation('minconn grows with the backend to maxconn at fullconn', async (site) => {
    const clients = await inOrder(site, 'front', ['/dyn1', '/dyn2', '/dyn3', '/dyn4']);
    const seen = await gauge(site, 'dynamic', 's1', 'scur', 'qcur');
    await statuses(clients);
    return seen;
  }, { shows: 'scur=' });
  situation('priority class, then arrival with offset', async (site) => {
    const clients = await inOrder(site, 'front', ['/order/first', '/order/lazy', '/order/late', '/order/plain', '/order/early', '/order/urgent']);
    await statuses(clients);
    return site.origin('b').requests.map((one) => one.startLine);
  }, { shows: /first[^]*urgent[^]*early[^]*plain[^]*late[^]*lazy/ });
  situation('maxqueue without redispatch', async (site) => {
    const ask = async (uri: string): Promise<Client> => (await site.client('front')).send(get(uri, 'Connection: close', 'Cookie: SRV=c'));
    const clients: Client[] = [];
    for (const uri of ['/full1', '/full2', '/full3']) { clients.push(await ask(uri)); await sleep(30); }
    return [await statuses(clients), (await site.logLines(/\/full\d /, 3)).sort()];
  }, { shows: '200' });
  situation('bind maxconn with TLS', async (site) => {
    const startedAt = Date.now();
    const times = await Promise.all(['/1', '/2'].map(async (uri) => {
      const answer = await site.ask('securenarrow', get(uri, 'Connection: close'), { tls: {} });
      return `${answer.status} after ${Math.round((Date.now() - startedAt) / 400)} turns`;
    }));
    return times.toSorted();
  }, { shows: /after 1 turns[^]*after 2 turns/ });
  situation('bind maxconn holds the next client of that bind only', async (site) => {
    const [first, second] = await inOrder(site, 'narrow', ['/one', '/two']);
    const other = await site.ask('free', get('/other'));
    const early = (await second?.within(100)) ?? '';
    const all = [await first?.answer(), await second?.answer()].map((one) => one?.status);
    return [other.status, early, all];
  }, { shows: ['200'] });
});

comparison('maxconn of the process', {
  origins: () => ({ c: slow(400) }),
  values: () => ({ lab: certificate(['lab.local']).both }),
  configuration: `
global
    log {log} local0
    maxconn 2
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {front}
    bind {secure} ssl crt {lab}
    default_backend be
backend be
    server s1 {c}
`,
}, (situation) => {
  for (const [bind, options] of [['front', {}], ['secure', { tls: {} }]] as const) {
    situation(`the third client waits, ${bind}`, async (site) => {
      const startedAt = Date.now();
      const times = await Promise.all(['/1', '/2', '/3'].map(async (uri) => {
        const answer = await site.ask(bind, get(uri, 'Connection: close'), options);
        return `${answer.status} after ${Math.round((Date.now() - startedAt) / 400)} turns`;
      }));
      return times.toSorted();
    }, { shows: /after 1 turns[^]*after 1 turns[^]*after 2 turns/ });
  }
});

comparison('sessions of servers that change', {
  origins: () => ({
    a: slow(900),
    half: new Origin(async (connection) => { await connection.request(); connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'); }),
    up: new Origin(async (connection) => { await connection.request(); connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello'); }),
    t: new Origin((connection) => { connection.send('hello'); }), }),
  configuration: `
frontend fe
    bind {front}
    use_backend stay if { path_beg /stay }
    use_backend half if { path_beg /half }
    use_backend up if { path_beg /up }
    default_backend stay
backend half
    server s1 {half} on-marked-down shutdown-sessions check inter 100s
backend up
    server s1 {up} on-marked-down shutdown-sessions check inter 100s
backend stay
    server s1 {a} check inter 100s
listen tcp
    mode tcp
    option tcplog
    bind {stream}
    server s1 {t} on-marked-down shutdown-sessions check inter 100s
`,
}, (situation) => {
  const killed = (backend: string, command: string, request = get(`/${backend}`)) => async (site: Site): Promise<unknown> => {
    const client = await site.client('front');
    client.send(request);
    await sleep(150);
    await site.command(command);
    const rest = await client.rest(1500);
    await site.command(`set server ${backend}/s1 health up`);
    return [rest.bytes.split('\r\n')[0], rest.ending, await site.logLines(new RegExp(` /${backend} `)), await gauge(site, backend, 's1', 'srv_abrt', 'cli_abrt', 'eresp', 'scur')];
  };
  situation('in the middle of an answer', killed('half', 'set server half/s1 health down'), { shows: '/half' });
  situation('in a tunnel', killed('up', 'set server up/s1 health down', get('/up', 'Connection: upgrade', 'Upgrade: x')), { shows: '/up' });
  situation('without it sessions go on', async (site) => {
    const client = await site.client('front');
    client.send(get('/stay', 'Connection: close'));
    await sleep(120);
    await site.command('set server stay/s1 health down');
    const answer = await client.answer();
    await site.command('set server stay/s1 health up');
    return [answer.status, await site.logLine(/ \/stay /)];
  }, { shows: '200' });
  situation('on-marked-down in mode tcp', async (site) => {
    const client = await site.client('stream');
    await client.until(/hello/);
    await site.command('set server tcp/s1 health down');
    const rest = await client.rest(2000);
    return [rest.ending, await site.logLine(/tcp tcp\/s1/)];
  }, { shows: 'D' });
});

const bad = () => answering((request) => (request.startLine.includes('/bad') ? 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n' : request.startLine.includes('/broken') ? 'what\r\n\r\n' : ok('fine')));

comparison('observe', {
  origins: () => ({ a: bad() }),
  configuration: `
frontend fe
    bind {front}
    use_backend %[path,field(2,/)]
backend mark
    server s1 {a} check inter 100s observe layer7 error-limit 3 on-error mark-down
backend sudden
    server s1 {a} check inter 100s fall 3 observe layer7 error-limit 2 on-error sudden-death
backend failcheck
    server s1 {a} check inter 100s fall 2 observe layer7 error-limit 2 on-error fail-check
backend fast
    server s1 {a} check inter 100s fastinter 200ms observe layer7 error-limit 2 on-error fastinter
backend refusing
    retries 0
    server s1 {addr}:19 check inter 100s observe layer4 error-limit 2 on-error mark-down
`,
}, (situation) => {
  const state = (site: Site, proxy: string): Promise<string> => gauge(site, proxy, 's1', 'status', 'hanafail', 'chkfail', 'chkdown', 'last_chk', 'check_status');
  const observed = (backend: string, ...paths: string[]) => async (site: Site): Promise<string[]> => {
    const found: string[] = [];
    for (const path of paths) {
      const answer = await site.ask('front', get(`/${backend}/${path}`));
      await sleep(60);
      found.push(`${answer.status} ${await state(site, backend)}`);
    }
    return found;
  };
  situation('mark-down after error-limit errors in a row', observed('mark', 'bad', 'bad', 'good', 'bad', 'bad', 'bad'), { shows: 'DOWN' });
  situation('sudden-death', observed('sudden', 'bad', 'broken'), { shows: 'hanafail=1' });
  situation('fail-check', observed('failcheck', 'bad', 'bad', 'bad', 'bad'), { shows: 'hanafail=1' });
  situation('fastinter', async (site) => [await observed('fast', 'bad', 'bad')(site), await eventually('a check', async () => (await gauge(site, 'fast', 's1', 'check_status')).includes('L4OK'), 3000)], { shows: 'true' });
  situation('layer4', observed('refusing', 'x', 'x'), { shows: '503' });
});

comparison('retries', {
  origins: () => ({
    fine: named('fine'),
    closing: new Origin(async (connection) => { await connection.request(); connection.close(); }),
    busy: answering(() => 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'),
    mute: new Origin(async (connection) => { await connection.request(); await sleep(3000); }),
  }),
  configuration: `
global
    log {log} local0
    stats socket {admin} level admin
    maxconn 500
defaults
    mode http
    log global
    option httplog
    timeout connect 300ms
    timeout client 5s
    timeout server 400ms
    balance first
frontend fe
    bind {front}
    use_backend %[path,field(2,/)]
backend none
    retries 2
    server s1 {addr}:19
backend zero
    retries 0
    server s1 {addr}:19
    server s2 {fine}
backend last
    retries 3
    option redispatch
    server s1 {addr}:19
    server s2 {fine}
backend each
    retries 3
    option redispatch 1
    server s1 {addr}:19
    server s2 {fine}
backend second
    retries 3
    option redispatch 2
    server s1 {addr}:19
    server s2 {fine}
backend minus
    retries 3
    option redispatch -2
    server s1 {addr}:19
    server s2 {fine}
backend sticky
    retries 2
    cookie SRV
    server s1 {addr}:19 cookie one
    server s2 {fine} cookie two
backend stickyaway
    retries 2
    option redispatch
    cookie SRV
    server s1 {addr}:19 cookie one
    server s2 {fine} cookie two
backend empty
    retries 2
    retry-on empty-response
    server s1 {closing}
backend emptyaway
    retries 2
    option redispatch 1
    retry-on empty-response
    server s1 {closing}
    server s2 {fine}
backend noretry
    retries 2
    server s1 {closing}
backend code
    retries 2
    option redispatch 1
    retry-on 503
    server s1 {busy}
    server s2 {fine}
backend slow
    retries 1
    option redispatch 1
    retry-on response-timeout
    server s1 {mute}
    server s2 {fine}
backend everything
    retries 1
    option redispatch 1
    retry-on all-retryable-errors
    server s1 {closing}
    server s2 {fine}
`,
}, (situation) => {
  const through = (backend: string, path = '', ...headers: string[]) => async (site: Site): Promise<unknown> => {
    const startedAt = Date.now();
    const answer = await site.ask('front', get(`/${backend}/${path}`, ...headers));
    const tenths = Math.round((Date.now() - startedAt) / 300);
    const line = await site.logLine(new RegExp(` /${backend}/${path} `));
    const figures = [await gauge(site, backend, 'BACKEND', 'wretr', 'wredis', 'econ', 'eresp'), await gauge(site, backend, 's1', 'wretr', 'wredis', 'econ', 'eresp', 'stot', 'lbtot')];
    return [answer.status, answer.body.slice(0, 4), tenths, line, figures];
  };
  for (const backend of ['none', 'zero', 'last', 'each', 'second', 'minus', 'empty', 'emptyaway', 'noretry', 'code', 'slow', 'everything']) {
    situation(backend, through(backend), { shows: 'wretr=' });
  }
  situation('sticky', through('sticky', '', 'Cookie: SRV=one'), { shows: 'wretr=' });
  situation('stickyaway', through('stickyaway', '', 'Cookie: SRV=one'), { shows: 'wretr=' });
});

comparison('idle connections kept', {
  origins: () => ({ a: answering(() => ok('a')), b: slow(150) }),
  configuration: `
frontend fe
    bind {front}
    use_backend %[path,field(2,/)]
backend one
    server s1 {a}
backend several
    server s1 {b}
backend low
    server s1 {a} pool-low-conn 2
backend none
    server s1 {a} pool-purge-delay 0
backend few
    server s1 {b} pool-max-conn 2
backend observed
    server s1 {a} check inter 100s
`,
}, (situation) => {
  const kept = (backend: string, together: number) => async (site: Site): Promise<string> => {
    for (let round = 0; round < 4; round++) {
      const clients: Client[] = [];
      for (let n = 0; n < together; n++) clients.push((await site.client('front')).send(get(`/${backend}`)));
      for (const client of clients) await client.answer();
      await sleep(20);
    }
    return gauge(site, backend, 's1', 'srv_icur', 'idle_conn_cur', 'used_conn_cur', 'hanafail', 'lbtot');
  };
  situation('one request after the other', kept('one', 1), { shows: 'srv_icur=1' });
  situation('three at once', kept('several', 3), { shows: 'srv_icur=3' });
  situation('pool-low-conn keeps more', kept('low', 1), { shows: 'srv_icur=3' });
  situation('pool-purge-delay 0 keeps none', kept('none', 1), { shows: 'srv_icur=0' });
  situation('pool-max-conn', kept('few', 3), { shows: 'srv_icur=2' });
  situation('hanafail is empty without observe', kept('observed', 1), { shows: 'hanafail= ' });
});
