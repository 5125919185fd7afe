/** Stick rules: what is looked up, what is written, and which server wins. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { Persistence, PersistenceMemo } from '../../../src/balance/persistence.ts';
import type { StickRule, StickTable } from '../../../src/model/model.ts';
import { S, op } from '../../../src/model/server-state.ts';
import { StickTables } from '../../../src/shared/stick-table.ts';
import { bringUp, headerCompiler, makeModel, makeSubject } from './fixture.ts';
import type { BackendParts } from './fixture.ts';

const stickTable: StickTable = { type: 'string', keyBytes: 32, sizeEntries: 100, expireMs: 0, nopurge: false, peers: '', srvkey: 'name', writeTo: '', store: [] };

function rule(kind: StickRule['kind'], header: string, condition = '', table = 0): StickRule {
  return {
    kind, table, expr: { fetch: { name: 'hdr', args: [] }, converters: [], type: 'str', text: header },
    condition: condition === '' ? null : { text: condition, unless: false, anyOf: [] },
  };
}

interface Rig {
  /** One request: the server that persistence gives, then `served` (or that server) takes it. */
  ask(headers: string, served?: number, answer?: string): number;
  readonly tables: StickTables;
  down(server: number): void;
}

function rig(rules: readonly StickRule[], parts: BackendParts = {}): Rig {
  const model = makeModel([
    { servers: [{}, {}, { nonStick: true }], ...parts, proxy: { stickTable, stickRules: rules, ...parts.proxy } },
    { name: 'other', servers: [{}], proxy: { stickTable } },
  ]);
  const segments = bringUp(model);
  const tables = new StickTables(model, segments.handles, systemClock);
  const [proxy] = model.proxies;
  assert(proxy !== undefined);
  const persistence = new Persistence(proxy, model, segments, headerCompiler, tables);
  return {
    tables,
    ask: (headers, served = 0, answer = '') => {
      const subject = makeSubject({ request: `GET / HTTP/1.1\r\n${headers}\r\n`, response: `HTTP/1.1 200 OK\r\n${answer}\r\n` });
      const response = subject.response;
      subject.response = null;
      const memo = new PersistenceMemo();
      const server = persistence.choose(subject, memo);
      subject.response = response;
      persistence.answered(subject, memo, server < 0 ? served : server);
      return server;
    },
    down: (server) => { segments.serverState(server)[S.op] = op.stopped; },
  };
}

describe('stick rules', () => {
  it('stick on: the second request goes where the first went', () => {
    const r = rig([rule('on', 'x-key')]);
    assert.equal(r.ask('X-Key: a\r\n', 1), -1);
    assert.equal(r.ask('X-Key: a\r\n'), 1);
    assert.equal(r.ask('X-Key: b\r\n'), -1);
    assert.equal(r.ask(''), -1);
    assert.equal(r.tables.table(0)?.used, 2);
  });

  it('a server that is down is not used, and the entry moves to the new one', () => {
    const r = rig([rule('on', 'x-key')]);
    r.ask('X-Key: a\r\n', 1);
    r.down(1);
    assert.equal(r.ask('X-Key: a\r\n', 0), -1);
    assert.equal(r.ask('X-Key: a\r\n'), 0);
    const kept = rig([rule('on', 'x-key')], { switches: { persist: true } });
    kept.ask('X-Key: a\r\n', 1);
    kept.down(1);
    assert.equal(kept.ask('X-Key: a\r\n'), 1, 'option persist');
  });

  it('match only looks, store-request only writes, conditions decide', () => {
    const r = rig([rule('match', 'x-key'), rule('store-request', 'x-key', 'x-store=1')]);
    r.ask('X-Key: a\r\n', 1);
    assert.equal(r.ask('X-Key: a\r\n', 1), -1);
    r.ask('X-Key: a\r\nX-Store: 1\r\n', 1);
    assert.equal(r.ask('X-Key: a\r\n'), 1);
  });

  it('the first store rule of a table counts', () => {
    const r = rig([rule('store-request', 'x-one'), rule('store-request', 'x-two'), rule('match', 'x-look')]);
    r.ask('X-One: 1\r\nX-Two: 2\r\n', 1);
    assert.equal(r.ask('X-Look: 2\r\n'), -1);
    assert.equal(r.ask('X-Look: 1\r\n'), 1);
    r.ask('X-Two: 2\r\n', 0);
    assert.equal(r.ask('X-Look: 2\r\n'), 0, 'without a key the next rule takes its place');
  });

  it('store-response takes its key from the answer', () => {
    const r = rig([rule('store-response', 'x-session'), rule('match', 'x-key')]);
    r.ask('', 1, 'X-Session: s77\r\n');
    assert.equal(r.ask('X-Key: s77\r\n'), 1);
  });

  it('non-stick servers are never remembered, tables of other backends are', () => {
    const r = rig([rule('on', 'x-key', '', 1)]);
    r.ask('X-Key: a\r\n', 2);
    assert.equal(r.tables.table(1)?.used, 0);
    r.ask('X-Key: a\r\n', 1);
    assert.equal(r.tables.table(1)?.used, 1);
    assert.equal(r.ask('X-Key: a\r\n'), 1);
    r.tables.table(1)?.store('foreign', 3);
    assert.equal(r.ask('X-Key: foreign\r\n'), -1, 'a server of another backend cannot be used here');
  });

  it('the cookie goes before the table, ignore-persist before both', () => {
    const r = rig([rule('on', 'x-key')], {
      servers: [{ cookie: 'c1' }, { cookie: 'c2' }],
      proxy: {
        stickTable, stickRules: [rule('on', 'x-key')], persistRules: [{ kind: 'ignore', condition: { text: 'x-f=1', unless: false, anyOf: [] } }],
        cookie: {
          name: 'SRV', mode: 'insert', indirect: false, nocache: false, postonly: false, preserve: false, httponly: false, secure: false, domains: [],
          maxIdleSeconds: 0, maxLifeSeconds: 0, dynamic: false, attrs: [],
        },
      },
    });
    r.ask('X-Key: a\r\n', 0);
    assert.equal(r.ask('X-Key: a\r\nCookie: SRV=c2\r\n'), 1);
    assert.equal(r.ask('X-Key: a\r\n'), 1, 'and the table follows');
    assert.equal(r.ask('X-F: 1\r\nX-Key: a\r\n'), -1);
  });
});
