/** Turn orders, loads, states and hash keys of the balancing algorithms. Orders were read from HAProxy 2.6. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackendBalancer } from '../../../src/balance/balancer.ts';
import { spreadTurns, weightMap } from '../../../src/balance/schedule.ts';
import { G } from '../../../src/model/counters.ts';
import type { Model } from '../../../src/model/model.ts';
import { S, admin, op } from '../../../src/model/server-state.ts';
import type { Segments } from '../../../src/shared/segments.ts';
import { bringUp, changed, headerCompiler, makeModel, makeSubject } from './fixture.ts';
import type { BackendParts } from './fixture.ts';

interface Rig {
  readonly model: Model;
  readonly segments: Segments;
  readonly balancer: BackendBalancer;
  /** The servers of so many picks, numbered from 1. */
  picks(count: number, avoid?: number): string;
  set(server: number, field: number, value: number): void;
  gauge(server: number, field: number, value: number): void;
}

function rig(parts: BackendParts): Rig {
  const model = makeModel([parts]);
  const segments = bringUp(model);
  const [proxy] = model.proxies;
  assert(proxy !== undefined);
  const balancer = new BackendBalancer(proxy, model, segments, headerCompiler);
  const subject = makeSubject({ request: 'GET / HTTP/1.1\r\n\r\n', random: seeded(7) });
  return {
    model, segments, balancer,
    picks: (count, avoid = -1) => Array.from({ length: count }, () => balancer.pick(subject, avoid) + 1).join(''),
    set: (server, field, value) => {
      segments.serverState(server)[field] = value;
      changed(segments, 0);
    },
    gauge: (server, field, value) => { segments.gauges(segments.serverObject(server))[field] = value; },
  };
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('last-resort', () => {
  /** A backend of the line `last-resort`, or not. */
  function backend(named: boolean): { balancer: BackendBalancer; picks: () => string; set: (server: number, field: number, value: number) => void } {
    const made = makeModel([{ servers: [{}, {}, {}] }]);
    const model: Model = { ...made, poise: { ...made.poise, lastResort: named ? [0] : [] } };
    const segments = bringUp(model);
    const [proxy] = model.proxies;
    assert(proxy !== undefined);
    const balancer = new BackendBalancer(proxy, model, segments, headerCompiler);
    const subject = makeSubject({ request: 'GET / HTTP/1.1\r\n\r\n', random: seeded(7) });
    return {
      balancer,
      picks: () => [...new Set(Array.from({ length: 12 }, () => balancer.pick(subject, -1) + 1))].sort().join(''),
      set: (server, field, value) => { segments.serverState(server)[field] = value; changed(segments, 0); },
    };
  }

  it('uses every server that is merely down once all are, and only then', () => {
    const one = backend(true);
    one.set(0, S.op, op.stopped);
    one.set(1, S.op, op.stopped);
    assert.equal(one.picks(), '3');
    assert.equal(one.balancer.usable(0), false);
    one.set(2, S.op, op.stopped);
    assert.equal(one.picks(), '123');
    assert.equal(one.balancer.hasUsable(), true);
    assert.equal(one.balancer.usable(0), true);
    one.set(1, S.op, op.running);
    assert.equal(one.picks(), '2');
  });

  it('never uses a server in maintenance, in drain, or of weight 0', () => {
    const one = backend(true);
    for (const server of [0, 1, 2]) one.set(server, S.op, op.stopped);
    one.set(0, S.admin, admin.forcedMaint);
    one.set(1, S.uweight, 0);
    assert.equal(one.picks(), '3');
    one.set(2, S.admin, admin.forcedDrain);
    assert.equal(one.picks(), '0');
    assert.equal(one.balancer.hasUsable(), false);
  });

  it('is off for backends that are not named', () => {
    const one = backend(false);
    for (const server of [0, 1, 2]) one.set(server, S.op, op.stopped);
    assert.equal(one.picks(), '0');
  });
});

const three = [{}, {}, {}];
const weights = (...values: number[]): { weight: number }[] => values.map((weight) => ({ weight }));

describe('roundrobin', () => {
  it('takes turns in HAProxy\'s order', () => {
    const orders: [number[], string][] = [
      [[1, 1, 1], '123123123'], [[3, 1], '111211121112'], [[1, 3], '222122212221'], [[5, 3, 1], '112132112112132112'], [[1, 2, 3], '323132323132'],
      [[4, 4, 1], '121212123'], [[10, 5, 5], '121312131213'], [[7, 2], '111121112'], [[1, 2, 5], '33233132'],
    ];
    for (const [values, order] of orders) assert.equal(rig({ servers: weights(...values) }).picks(order.length), order, String(values));
  });

  it('every turn order gives each server exactly its share, spread out', () => {
    const random = seeded(11);
    for (let round = 0; round < 200; round += 1) {
      const values = Array.from({ length: 1 + Math.floor(random() * 8) }, () => 1 + Math.floor(random() * 256));
      const turns = spreadTurns(values);
      const total = values.reduce((a, b) => a + b, 0);
      const seen = values.map(() => 0);
      for (const [slot, position] of turns.entries()) {
        seen[position] = (seen[position] ?? 0) + 1;
        for (const [index, count] of seen.entries()) {
          assert(Math.abs(count - ((slot + 1) * (values[index] ?? 0)) / total) < 2, `weights ${String(values)} at slot ${slot}`);
        }
      }
      for (const [index, value] of values.entries()) assert.equal((seen[index] ?? 0) * total, value * turns.length);
    }
  });

  it('threads share the turns', () => {
    const { balancer, model, segments } = rig({ servers: three });
    const [proxy] = model.proxies;
    assert(proxy !== undefined);
    const other = new BackendBalancer(proxy, model, segments, headerCompiler);
    const subject = makeSubject();
    const order = Array.from({ length: 12 }, (_, turn) => (turn % 2 === 0 ? balancer : other).pick(subject, -1) + 1).join('');
    assert.equal(order, '123123123123');
  });

  it('the position survives the wrap of its counter', () => {
    const { picks, segments } = rig({ servers: three });
    segments.gauges(segments.backendObject(0))[G.rr_next] = 2147483646;
    assert.match(picks(6), /^(123|231|312)/);
  });

  it('full servers are passed over, a server to avoid is used only when nothing else is left', () => {
    const { picks, gauge } = rig({ servers: [{ maxconn: 2 }, { maxconn: 2 }, {}] });
    gauge(0, G.scur, 2);
    assert(!picks(6).includes('1'));
    gauge(1, G.qcur, 1);
    assert.equal(picks(3), '333');
    assert.equal(picks(2, 2), '33');
    gauge(0, G.scur, 1);
    assert.equal(picks(2, 2), '11');
  });

  it('gives none when all are full, and says whether waiting makes sense', () => {
    const { picks, gauge, balancer, set } = rig({ servers: [{ maxconn: 1 }] });
    gauge(0, G.scur, 1);
    assert.equal(picks(1), '0');
    assert(balancer.hasUsable());
    set(0, S.op, op.stopped);
    assert.equal(picks(1), '0');
    assert(!balancer.hasUsable());
  });
});

describe('states', () => {
  it('no algorithm ever gives a server that may not take traffic', () => {
    const random = seeded(3);
    const parts: BackendParts[] = [
      { balance: { algorithm: 'roundrobin' } }, { balance: { algorithm: 'static-rr' } }, { balance: { algorithm: 'leastconn' } }, { balance: { algorithm: 'first' } },
      { balance: { algorithm: 'random' } }, { balance: { algorithm: 'uri' } }, { balance: { algorithm: 'uri' }, hashType: { method: 'consistent' } },
      { balance: { algorithm: 'source' }, switches: { allbackups: true } }, { balance: { algorithm: 'hdr', name: 'x' }, hashType: { method: 'consistent' }, proxy: { hashBalanceFactor: 150 } },
    ];
    for (const part of parts) {
      const { balancer, set, model, segments } = rig({ ...part, servers: [{ weight: 3 }, {}, { weight: 2 }, { backup: true }, { backup: true }] });
      for (let step = 0; step < 300; step += 1) {
        const server = Math.floor(random() * 5);
        const kind = Math.floor(random() * 3);
        if (kind === 0) set(server, S.op, Math.floor(random() * 4));
        else if (kind === 1) set(server, S.admin, random() < 0.5 ? 0 : [admin.forcedMaint, admin.inheritedMaint, admin.forcedDrain, admin.inheritedDrain, admin.resolutionMaint][Math.floor(random() * 5)] ?? 0);
        else set(server, S.lbweight, Math.floor(random() * 3) * 16);
        const picked = balancer.pick(makeSubject({ request: `GET /${step} HTTP/1.1\r\nX: ${step}\r\n\r\n`, source: `10.0.0.${step & 255}`, random }), Math.floor(random() * 6) - 1);
        const may = model.servers.filter((one) => balancer.usable(one.index));
        const active = may.filter((one) => !one.backup);
        if (picked < 0) assert.equal(may.length, 0, `${part.balance?.algorithm} found none of ${may.length}`);
        else assert((active.length > 0 ? active : may).some((one) => one.index === picked), `${part.balance?.algorithm} gave ${picked}`);
      }
      assert.equal(segments.serverState(0).length > 0, true);
    }
  });

  it('a configured-disabled server that was enabled takes traffic', () => {
    const { picks, set } = rig({ servers: three });
    set(0, S.admin, admin.configMaint);
    assert.equal(picks(3), '123');
  });

  it('backup servers: the first one alone, or all with allbackups', () => {
    const servers = [{}, { backup: true }, { backup: true }];
    const one = rig({ servers });
    assert.equal(one.picks(3), '111');
    one.set(0, S.op, op.stopped);
    assert.equal(one.picks(3), '222');
    one.set(1, S.admin, admin.forcedDrain);
    assert.equal(one.picks(3), '333');
    const all = rig({ servers, switches: { allbackups: true } });
    all.set(0, S.op, op.stopping);
    assert.match(all.picks(4), /^(2323|3232)$/);
  });

  it('slow start weights count in sixteenths', () => {
    const { picks, set } = rig({ servers: [{}, {}] });
    set(1, S.op, op.starting);
    set(1, S.lbweight, 4);
    const order = picks(100);
    assert.equal([...order].filter((one) => one === '2').length, 20);
  });
});

describe('other algorithms', () => {
  it('static-rr walks the weight table', () => {
    assert.equal(rig({ servers: weights(5, 3, 1), balance: { algorithm: 'static-rr' } }).picks(18), '112121213112121213');
    assert.equal([...weightMap([1, 2, 3])].map((one) => one + 1).join(''), '132323');
  });

  it('leastconn takes the first idle server from its turn on, whatever the others have', () => {
    const { picks, gauge } = rig({ servers: weights(1, 200, 1, 1), balance: { algorithm: 'leastconn' } });
    gauge(0, G.scur, 1);
    gauge(1, G.scur, 1);
    assert.equal(picks(4), '3334');
    assert.equal(picks(4, 2), '4444');
  });

  it('leastconn prefers the least loaded for its weight, equal ones take turns', () => {
    const { picks, gauge } = rig({ servers: three, balance: { algorithm: 'leastconn' } });
    assert.equal([...picks(6)].sort().join(''), '112233');
    gauge(0, G.scur, 5);
    gauge(1, G.scur, 1);
    gauge(2, G.scur, 3);
    assert.equal(picks(3), '222');
    assert.equal(picks(3, 1), '333');
    const heavy = rig({ servers: weights(4, 1), balance: { algorithm: 'leastconn' } });
    heavy.gauge(0, G.scur, 6);
    heavy.gauge(1, G.scur, 1);
    assert.equal(heavy.picks(1), '1');
    heavy.gauge(0, G.scur, 8);
    assert.equal(heavy.picks(1), '2');
  });

  it('leastconn counts waiting requests and passes over full servers', () => {
    const { picks, gauge } = rig({ servers: [{ maxconn: 1, maxqueue: 1 }, { maxconn: 10 }], balance: { algorithm: 'leastconn' } });
    gauge(0, G.scur, 1);
    gauge(1, G.scur, 9);
    assert.equal(picks(2), '11', 'one may wait at the first server');
    gauge(0, G.qcur, 1);
    assert.equal(picks(2), '22');
    gauge(1, G.scur, 10);
    assert.equal(picks(1), '0');
  });

  it('first fills servers in the order of their ids', () => {
    const { picks, gauge } = rig({ servers: [{ maxconn: 1, sid: 9 }, { maxconn: 1, sid: 2 }, { sid: 5 }], balance: { algorithm: 'first' } });
    assert.equal(picks(2), '22');
    gauge(1, G.scur, 1);
    assert.equal(picks(2), '33');
    gauge(2, G.scur, 100);
    assert.equal(picks(2), '33');
    assert.equal(picks(1, 2), '1');
  });

  it('random prefers the less loaded of its draws and honours weights', () => {
    const { picks, gauge } = rig({ servers: weights(3, 1), balance: { algorithm: 'random', randomDraws: 1 } });
    const count = (order: string, one: string): number => [...order].filter((each) => each === one).length;
    const share = count(picks(2000), '1') / 2000;
    assert(share > 0.6 && share < 0.9, String(share));
    const two = rig({ servers: [{}, {}], balance: { algorithm: 'random', randomDraws: 2 } });
    two.gauge(0, G.scur, 50);
    two.gauge(1, G.scur, 1);
    assert.equal(count(two.picks(50), '2'), 50);
    gauge(0, G.scur, 0);
  });

  it('minconn and fullconn move the limit with the backend\'s load; slow start limits connections too', () => {
    const { balancer, segments, set } = rig({ servers: [{ maxconn: 100, minconn: 10 }], proxy: { fullconn: 1000 } });
    const backend = segments.gauges(segments.backendObject(0));
    for (const [load, limit] of [[0, 10], [200, 20], [500, 50], [1000, 100], [5000, 100]] as const) {
      backend[G.scur] = load;
      assert.equal(balancer.load.maxconn(0), limit);
    }
    set(0, S.throttle, 25);
    assert.equal(balancer.load.maxconn(0), 25);
  });
});

describe('hashes', () => {
  const at = (balancer: BackendBalancer, request: string, avoid = -1): number => balancer.pick(makeSubject({ request: `${request}\r\n\r\n`, source: '10.1.2.3' }), avoid);

  it('the same key goes to the same server, and avoid goes to another', () => {
    for (const method of ['map-based', 'consistent'] as const) {
      const { balancer } = rig({ servers: three, balance: { algorithm: 'uri' }, hashType: { method } });
      for (let key = 0; key < 50; key += 1) {
        const request = `GET /k${key} HTTP/1.1`;
        const server = at(balancer, request);
        assert.equal(at(balancer, request), server);
        assert.notEqual(at(balancer, request, server), server);
        assert.equal(at(balancer, `GET /k${key}?q=${key} HTTP/1.1`), server, 'the query does not count');
      }
    }
  });

  it('without a key requests take turns', () => {
    for (const method of ['map-based', 'consistent'] as const) {
      const { balancer } = rig({ servers: three, balance: { algorithm: 'hdr', name: 'X-Key' }, hashType: { method } });
      const seen = new Set(Array.from({ length: 60 }, () => at(balancer, 'GET / HTTP/1.1')));
      assert.equal(seen.size, 3);
      const kept = new Set(Array.from({ length: 10 }, () => at(balancer, 'GET / HTTP/1.1\r\nX-Key: a')));
      assert.equal(kept.size, 1);
    }
  });

  it('consistent: a server that leaves moves only its own keys', () => {
    const { balancer, set } = rig({ servers: [{}, {}, {}, {}], balance: { algorithm: 'uri' }, hashType: { method: 'consistent', avalanche: true } });
    const before = Array.from({ length: 300 }, (_, key) => at(balancer, `GET /${key} HTTP/1.1`));
    set(1, S.op, op.stopped);
    for (const [key, server] of before.entries()) {
      const now = at(balancer, `GET /${key} HTTP/1.1`);
      if (server === 1) assert.notEqual(now, 1);
      else assert.equal(now, server);
    }
  });

  it('hash-balance-factor bounds a server\'s share', () => {
    const { balancer, gauge } = rig({ servers: three, balance: { algorithm: 'uri' }, hashType: { method: 'consistent' }, proxy: { hashBalanceFactor: 150 } });
    const own = at(balancer, 'GET /a HTTP/1.1');
    gauge(own, G.scur, 10);
    const next = at(balancer, 'GET /a HTTP/1.1');
    assert.notEqual(next, own);
    for (const server of [0, 1, 2]) gauge(server, G.scur, 10);
    assert.equal(at(balancer, 'GET /a HTTP/1.1'), own);
  });

  it('what is hashed: parts of the URI, parameters, header elements, domains', () => {
    const same = (parts: BackendParts, a: string, b: string, expected = true): void => {
      // Many servers, so that equal keys are told from lucky ones.
      const { balancer } = rig({ ...parts, servers: Array.from({ length: 97 }, () => ({})) });
      assert.equal(at(balancer, a) === at(balancer, b), expected, `${a} | ${b}`);
    };
    const uri = (changes: object): BackendParts => ({ balance: { algorithm: 'uri', ...changes } });
    same(uri({ uriLen: 4 }), 'GET /abcd HTTP/1.1', 'GET /abcx HTTP/1.1');
    same(uri({ uriDepth: 1 }), 'GET /a/b HTTP/1.1', 'GET /a/c/d HTTP/1.1');
    same(uri({ uriDepth: 2 }), 'GET /a/b HTTP/1.1', 'GET /a/c HTTP/1.1', false);
    same(uri({ uriWhole: true }), 'GET /a?1 HTTP/1.1', 'GET /a?2 HTTP/1.1', false);
    same(uri({}), 'GET http://h/a HTTP/1.1', 'GET /a HTTP/1.1', false);
    same(uri({ uriPathOnly: true }), 'GET http://h/a HTTP/1.1', 'GET /a HTTP/1.1');
    const param = { balance: { algorithm: 'url_param', name: 'sid' } } as const;
    same(param, 'GET /a?sid=5&x=1 HTTP/1.1', 'GET /b?y=2&sid=5 HTTP/1.1');
    same(param, 'GET /a?sid=5 HTTP/1.1', 'GET /a?sid=6 HTTP/1.1', false);
    const hdr = { balance: { algorithm: 'hdr', name: 'Host' } } as const;
    same(hdr, 'GET / HTTP/1.1\r\nHost: a.b', 'GET /x HTTP/1.1\r\nHost: a.b, c.d');
    const domain = { balance: { algorithm: 'hdr', name: 'Host', hdrUseDomainOnly: true } } as const;
    same(domain, 'GET / HTTP/1.1\r\nHost: www.example.org', 'GET / HTTP/1.1\r\nHost: mail.example.net');
  });
});
