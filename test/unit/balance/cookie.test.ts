/** Cookie persistence. Expected bytes and letters were taken from HAProxy 2.6 with the same requests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { Persistence, PersistenceMemo } from '../../../src/balance/persistence.ts';
import { dateText, readDate } from '../../../src/balance/cookie-text.ts';
import type { Cookie } from '../../../src/model/model.ts';
import { S, op } from '../../../src/model/server-state.ts';
import { StickTables } from '../../../src/shared/stick-table.ts';
import { bringUp, head, headerCompiler, lines, makeModel, makeSubject } from './fixture.ts';
import type { BackendParts } from './fixture.ts';

const nowSeconds = 1_795_200_000;
const plain: Cookie = {
  name: 'SRV', mode: 'insert', indirect: false, nocache: false, postonly: false, preserve: false, httponly: false, secure: false, domains: [], maxIdleSeconds: 0,
  maxLifeSeconds: 0, dynamic: false, attrs: [],
};

interface Exchange {
  /** Cookie lines or other request lines. */
  readonly request?: string;
  readonly response?: string;
  readonly method?: string;
}

/** Runs one exchange; s1 serves what persistence leaves open. s3 is down. */
function run(cookie: Partial<Cookie>, exchange: Exchange, parts: BackendParts = {}): { server: number; letters: string; toServer: string[]; toClient: string[] } {
  const model = makeModel([{
    servers: [{ cookie: 'c1' }, { cookie: 'c2' }, { cookie: 'c3' }], ...parts, proxy: { cookie: { ...plain, ...cookie }, ...parts.proxy },
  }]);
  const segments = bringUp(model);
  const down = segments.serverState(2);
  down[S.op] = op.stopped;
  const [proxy] = model.proxies;
  assert(proxy !== undefined);
  const persistence = new Persistence(proxy, model, segments, headerCompiler, new StickTables(model, segments.handles, systemClock));
  assert(persistence.active);
  const subject = makeSubject({ request: `${exchange.method ?? 'GET'} / HTTP/1.1\r\n${exchange.request ?? ''}\r\n`, nowMs: nowSeconds * 1000 });
  const memo = new PersistenceMemo();
  const server = persistence.choose(subject, memo);
  const toServer = lines(subject.request);
  subject.response = head(`HTTP/1.1 200 OK\r\n${exchange.response ?? ''}\r\n`, true);
  persistence.answered(subject, memo, server < 0 ? 0 : server);
  return { server, letters: subject.facts.cookieFound + subject.facts.cookieSet, toServer, toClient: lines(subject.response) };
}

const date = (ago: number): string => dateText(nowSeconds - ago);

describe('cookie persistence', () => {
  it('insert: tells the client its server once', () => {
    assert.deepEqual(run({}, {}), { server: -1, letters: 'NI', toServer: [], toClient: ['set-cookie: SRV=c1; path=/'] });
    assert.deepEqual(run({}, { request: 'Cookie: SRV=c2\r\n' }), { server: 1, letters: 'VN', toServer: ['Cookie: SRV=c2'], toClient: [] });
    assert.deepEqual(run({}, { request: 'Cookie: SRV=zzz\r\n' }), { server: -1, letters: 'II', toServer: ['Cookie: SRV=zzz'], toClient: ['set-cookie: SRV=c1; path=/'] });
    assert.deepEqual(run({}, { request: 'Cookie: SRV=c3\r\n' }), { server: -1, letters: 'DI', toServer: ['Cookie: SRV=c3'], toClient: ['set-cookie: SRV=c1; path=/'] });
  });

  it('indirect: the server never sees the cookie, the others stay as they were', () => {
    const cases: [string, number, string[]][] = [
      ['Cookie: SRV=c2', 1, []],
      ['Cookie: a=b; SRV=c2; c=d', 1, ['Cookie: a=b; c=d']],
      ['Cookie: SRV=c2; c=d', 1, ['Cookie: c=d']],
      ['Cookie: a=b; SRV=c2', 1, ['Cookie: a=b']],
      ['Cookie: a=b;SRV=c2;c=d', 1, ['Cookie: a=b; c=d']],
      ['Cookie: SRV = c2', 1, []],
      ['Cookie: SRV=c1; SRV=c2', 0, []],
      ['Cookie: a=b\r\nCookie: SRV=c2', 1, ['Cookie: a=b']],
      ['Cookie: xSRV=c2; SRV2=c2', -1, ['Cookie: xSRV=c2; SRV2=c2']],
      ['Cookie: q="a;SRV=c2"; x=y', -1, ['Cookie: q="a;SRV=c2"; x=y']],
      ['Cookie: SRV="c2"', -1, []],
      ['Cookie: SRV=', -1, []],
      ['Cookie: SRV', -1, ['Cookie: SRV']],
      ['Cookie: a=b;;  c=d', -1, ['Cookie: a=b;;  c=d']],
    ];
    for (const [request, server, toServer] of cases) {
      const result = run({ indirect: true }, { request: `${request}\r\n` });
      assert.deepEqual([result.server, result.toServer], [server, toServer], request);
    }
  });

  it('prefix: the server\'s own cookie carries the name', () => {
    const mode = { mode: 'prefix' } as const;
    assert.deepEqual(run(mode, { request: 'Cookie: SRV=c2~abc\r\n' }), { server: 1, letters: 'VN', toServer: ['Cookie: SRV=abc'], toClient: [] });
    assert.deepEqual(run(mode, { request: 'Cookie: SRV=zz~abc\r\n' }).toServer, ['Cookie: SRV=abc']);
    assert.deepEqual(run(mode, { request: 'Cookie: SRV=~abc\r\n' }).letters, 'IN');
    assert.deepEqual(run(mode, { request: 'Cookie: SRV=c3~abc\r\n' }).letters, 'DN');
    assert.deepEqual(run(mode, { request: 'Cookie: SRV=c2\r\n' }).server, 1);
    assert.deepEqual(run(mode, { response: 'Set-Cookie: SRV=own; path=/x\r\n' }), { server: -1, letters: 'NR', toServer: [], toClient: ['Set-Cookie: SRV=c1~own; path=/x'] });
  });

  it('rewrite and passive', () => {
    const own = { response: 'Set-Cookie: JS=1\r\nSet-Cookie: SRV = "own"; secure\r\n' };
    assert.deepEqual(run({ mode: 'rewrite' }, own), { server: -1, letters: 'NR', toServer: [], toClient: ['Set-Cookie: JS=1', 'Set-Cookie: SRV=c1; secure'] });
    assert.deepEqual(run({ mode: 'rewrite' }, {}).letters, 'NN');
    assert.deepEqual(run({ mode: 'rewrite' }, { response: 'Set-Cookie: a=b, SRV=own; Path=/\r\n' }).toClient, ['Set-Cookie: a=b, SRV=own; Path=/']);
    const passive = run({ mode: 'passive' }, { request: 'Cookie: SRV=c2\r\n', response: 'Set-Cookie: SRV=own\r\n' });
    assert.deepEqual(passive, { server: 1, letters: '--', toServer: ['Cookie: SRV=c2'], toClient: ['Set-Cookie: SRV=own'] });
  });

  it('insert removes the server\'s cookie of this name, preserve lets it win', () => {
    const own = 'Set-Cookie: SRV=own; path=/x\r\n';
    assert.deepEqual(run({}, { response: own }).toClient, ['set-cookie: SRV=c1; path=/']);
    assert.deepEqual(run({}, { request: 'Cookie: SRV=c2\r\n', response: own }), { server: 1, letters: 'VD', toServer: ['Cookie: SRV=c2'], toClient: [] });
    assert.deepEqual(run({ preserve: true }, { response: own }), { server: -1, letters: 'NP', toServer: [], toClient: ['Set-Cookie: SRV=own; path=/x'] });
    assert.deepEqual(run({ preserve: true }, {}).letters, 'NI');
  });

  it('postonly', () => {
    assert.equal(run({ postonly: true }, {}).letters, 'NN');
    assert.equal(run({ postonly: true }, { method: 'POST' }).letters, 'NI');
  });

  it('attributes in HAProxy\'s order', () => {
    const cookie = { httponly: true, secure: true, domains: ['.a.com', 'b.com'], attrs: ['SameSite=None', 'foo bar'] };
    assert.deepEqual(run(cookie, {}).toClient, ['set-cookie: SRV=c1; path=/; domain=.a.com; domain=b.com; HttpOnly; Secure; SameSite=None; foo bar']);
  });

  it('a server without cookie takes the client\'s away', () => {
    const result = run({}, { request: 'Cookie: SRV=c2\r\n' }, { servers: [{ cookie: '' }, { cookie: 'c7' }, {}] });
    assert.deepEqual([result.letters, result.toClient], ['II', ['set-cookie: SRV=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/']]);
  });

  it('maxidle and maxlife: dates are written, refreshed and judged', () => {
    const life = { indirect: true, maxIdleSeconds: 600, maxLifeSeconds: 3600 };
    const fresh = date(-3);
    const asked = (last: string, first: string): ReturnType<typeof run> => run(life, { request: `Cookie: SRV=c2|${last}|${first}\r\n` });
    assert.deepEqual(run(life, {}).toClient, [`set-cookie: SRV=c1|${fresh}|${fresh}; path=/`]);
    assert.deepEqual([asked(date(8), date(3000)).letters, asked(date(8), date(3000)).toClient], ['VU', [`set-cookie: SRV=c2|${fresh}|${date(3000)}; path=/`]]);
    assert.equal(asked(date(700), date(700)).letters, 'EI');
    assert.equal(asked(date(8), date(4000)).letters, 'OI');
    assert.equal(asked(date(-100), date(-100)).letters, 'VN');
    assert.equal(asked(date(-100_000), date(-100_000)).letters, 'OI');
    assert.equal(run(life, { request: 'Cookie: SRV=c2\r\n' }).letters, 'VU');
    assert.equal(run(life, { request: 'Cookie: SRV=c2||\r\n' }).letters, 'VU');
    assert.equal(run(life, { request: 'Cookie: SRV=zz|AAAAA\r\n' }).letters, 'II');
    assert.equal(run({}, { request: `Cookie: SRV=c2|${date(60)}\r\n` }).letters, 'VU', 'a date without maxidle is taken away');
    assert.equal(readDate(dateText(nowSeconds)), nowSeconds);
  });

  it('dynamic cookies are HAProxy\'s', () => {
    const server = { address: { kind: 'inet', family: 4, host: '127.15.4.1', port: 9401, portLast: 9401 } } as const;
    const result = run({ dynamic: true }, {}, { servers: [server, {}, {}], proxy: { dynamicCookieKey: 'secret', cookie: { ...plain, dynamic: true } } });
    assert.deepEqual(result.toClient, ['set-cookie: SRV=ca9698bc37b65e04; path=/']);
  });

  it('nocache marks answers that caches would keep', () => {
    const cases: [string, boolean][] = [
      ['', false], ['ETag: "x"\r\n', true], ['Cache-Control: max-age=10\r\n', true], ['Cache-Control: max-age=10, private\r\n', false],
      ['Cache-Control: no-store\r\nETag: "x"\r\n', false], ['Cache-Control: max-age=0\r\nETag: "x"\r\n', false], ['Pragma: no-cache\r\nETag: "x"\r\n', false],
      ['Set-Cookie: a=b\r\nETag: "x"\r\n', false], ['Expires: 0\r\n', true], ['Cache-Control: public\r\n', false],
    ];
    for (const [response, marked] of cases) {
      assert.equal(run({ nocache: true }, { response }).toClient.includes('cache-control: private'), marked, response);
      assert(!run({}, { response }).toClient.includes('cache-control: private'));
    }
    assert(!run({ nocache: true }, { response: 'ETag: "x"\r\n', method: 'POST' }).toClient.includes('cache-control: private'));
  });

  it('use-server goes before the cookie', () => {
    const parts: BackendParts = { proxy: { cookie: plain, useServer: [{ target: 2, dynamic: null, condition: null, place: { file: '', line: 0 } }, { target: 0, dynamic: null, condition: null, place: { file: '', line: 0 } }] } };
    assert.deepEqual(run({}, { request: 'Cookie: SRV=c2\r\n' }, parts), { server: 0, letters: 'UN', toServer: ['Cookie: SRV=c2'], toClient: [] }, 'the rule for the server that is down is passed over');
  });

  it('force-persist, ignore-persist and option persist', () => {
    const rule = (kind: 'force' | 'ignore'): BackendParts => ({ proxy: { cookie: plain, persistRules: [{ kind, condition: { text: 'x-f=1', unless: false, anyOf: [] } }] } });
    assert.equal(run({}, { request: 'X-F: 1\r\nCookie: SRV=c3\r\n' }, rule('force')).server, 2);
    assert.equal(run({}, { request: 'X-F: 1\r\nCookie: SRV=c3\r\n' }, rule('force')).letters, 'DN');
    assert.equal(run({}, { request: 'Cookie: SRV=c3\r\n' }, rule('force')).server, -1);
    const ignored = run({}, { request: 'X-F: 1\r\nCookie: SRV=c2\r\n' }, rule('ignore'));
    assert.deepEqual([ignored.server, ignored.letters, ignored.toClient], [-1, 'UN', []]);
    assert.equal(run({}, { request: 'Cookie: SRV=c3\r\n' }, { switches: { persist: true } }).server, 2);
  });
});
