/** What exchanges of Exchange frontends tell the control thread, and that all others tell nothing. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { Segments } from '../../../src/shared/segments.ts';
import { exchangeBackends } from '../../../src/model/exchange-sites.ts';
import { limits } from '../../../src/model/limits.ts';
import type { LoginSighting, MissedRouteSighting } from '../../../src/model/messages.ts';
import type { Model, Proxy } from '../../../src/model/model.ts';
import { MissedRoutes } from '../../../src/traffic/missed-routes.ts';
import { endRooms, Room } from './room.ts';

after(endRooms);

const exchange = { check: { kind: 'http', steps: [{ kind: 'http-send', comment: '', method: 'GET', uri: [{ kind: 'text', text: '/owa/healthcheck.htm' }], version: 'HTTP/1.0', headers: [], body: null }] } } as unknown as Partial<Proxy>;

/** Sends one request and gets one answer, on a client connection of its own. */
function exchanged(room: Room, request: string, answer: string): void {
  const server = room.server();
  const client = room.client();
  client.feed(`${request}\r\nHost: x\r\n\r\n`);
  server.feed(`HTTP/1.1 ${answer}\r\nContent-Length: 0\r\n\r\n`);
  client.peerEnd();
  server.peerReset();
  room.settle();
}

function logins(room: Room): readonly LoginSighting[] {
  room.pass(300);
  return room.messages.splice(0).flatMap((message) => (message.type === 'sightings' ? message.logins : []));
}

const kinds = (room: Room): string[] => logins(room).map(({ kind }) => kind);

const refusal = '401 Unauthorized\r\nWWW-Authenticate: NTLM';
const toLogon = '302 Found\r\nLocation: https://mail/owa/auth/logon.aspx?url=https%3a%2f%2fmail%2fowa%2f&reason=0';

describe('logins', () => {
  it('that are refused are counted with how they were tried, never with what was sent', () => {
    const room = new Room({}, exchange);
    exchanged(room, 'GET /EWS/a HTTP/1.1', refusal);
    exchanged(room, 'GET /EWS/a HTTP/1.1\r\nAuthorization: Basic c2VjcmV0', refusal);
    const told = logins(room);
    assert.deepEqual(told, [{ client: '192.0.2.7', backend: 1, order: 1, kind: 'refused', server: 0, scheme: 'basic', times: 2 }]);
    for (const [line, scheme] of [['NTLM TlRM', 'ntlm'], ['Negotiate YII', 'negotiate'], ['Bearer abc', 'other'], ['x', 'other']]) {
      exchanged(room, `GET /EWS/a HTTP/1.1\r\nAuthorization: ${line}`, refusal);
      assert.equal(logins(room)[0]?.scheme, scheme);
    }
  });

  it('that succeed are told of clients that were refused, once, and of no others', () => {
    const room = new Room({}, exchange);
    for (let request = 0; request < 5; request += 1) exchanged(room, 'GET /EWS/a HTTP/1.1', '200 OK');
    assert.deepEqual(logins(room), []);
    exchanged(room, 'GET /EWS/a HTTP/1.1', refusal);
    exchanged(room, 'GET /EWS/a HTTP/1.1', '200 OK');
    exchanged(room, 'GET /EWS/a HTTP/1.1', refusal);
    assert.deepEqual(kinds(room), ['refused', 'accepted', 'refused']);
    exchanged(room, 'GET /EWS/a HTTP/1.1', '304 Not Modified');
    assert.deepEqual(kinds(room), ['accepted']);
    for (let request = 0; request < 5; request += 1) exchanged(room, 'GET /EWS/a HTTP/1.1', '200 OK');
    assert.deepEqual(logins(room), []);
  });

  it('on the form are told with what follows them', () => {
    const room = new Room({}, exchange);
    exchanged(room, 'GET /owa/ HTTP/1.1', toLogon);
    exchanged(room, 'GET /owa/auth/logon.aspx HTTP/1.1', '200 OK');
    assert.deepEqual(logins(room), [], 'a first visit is no news');
    exchanged(room, 'POST /owa/auth.owa HTTP/1.1', '302 Found\r\nLocation: https://mail/owa/');
    assert.deepEqual(kinds(room), ['logged-in']);
    exchanged(room, 'GET /owa/ HTTP/1.1', toLogon);
    exchanged(room, 'GET /owa/auth/logon.aspx HTTP/1.1', '200 OK');
    exchanged(room, 'POST /OWA/Auth.owa HTTP/1.1', '302 Found\r\nLocation: /owa/');
    exchanged(room, 'GET /owa/ HTTP/1.1', toLogon);
    const told = logins(room);
    assert.deepEqual(told.map(({ kind }) => kind), ['sent-back', 'logged-in', 'sent-back']);
    assert.deepEqual(told.map(({ order }) => order), [1, 2, 3]);
    exchanged(room, 'GET /owa/ HTTP/1.1', '200 OK');
    assert.deepEqual(kinds(room), ['accepted']);
  });

  it('with a wrong password are not logins', () => {
    const room = new Room({}, exchange);
    exchanged(room, 'POST /owa/auth.owa HTTP/1.1', '302 Found\r\nLocation: https://mail/owa/auth/logon.aspx?url=x&reason=2');
    exchanged(room, 'GET /owa/auth.owa HTTP/1.1', '302 Found\r\nLocation: /owa/');
    assert.deepEqual(logins(room), []);
  });

  it('elsewhere than at Exchange backends are nobody\'s business', () => {
    const room = new Room();
    exchanged(room, 'GET /EWS/a HTTP/1.1', refusal);
    room.pass(300);
    assert.deepEqual(room.messages.filter(({ type }) => type === 'sightings'), []);
    assert.equal(room.segments.handles.suspects.byteLength, 0);
  });
});

function load(frontend: string): Model {
  const text = `defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nfrontend fe\n bind :8080\n${frontend} default_backend rest\nbackend rest\n server s 10.0.0.1:80\nbackend auto\n server s 10.0.0.1:80\n`;
  const { model, problems } = loadConfiguration(['test.cfg'], { environment: {}, cpus: 1, files: memoryFiles({ 'test.cfg': text }) });
  assert(model !== undefined, JSON.stringify(problems));
  return model;
}

function missed(frontend: string, ...paths: string[]): readonly MissedRouteSighting[] {
  const model = load(frontend);
  const room = new Room();
  const routes = MissedRoutes.of(model.proxies[0]!, model, Segments.allocate(model, 1));
  for (const path of paths) routes?.look(path, '192.0.2.9', room.context.sightings);
  room.pass(300);
  return room.messages.flatMap((message) => (message.type === 'sightings' ? message.missedRoutes : []));
}

describe('missed rules', () => {
  it('are found by a path that differs in case only', () => {
    const rule = ' acl auto url_beg /Autodiscover\n use_backend auto if auto\n';
    const told = missed(rule, '/autodiscover/a.xml', '/AUTODISCOVER', '/owa', '/x/autodiscover');
    assert.deepEqual(told.map(({ pattern, path, client, count }) => [pattern, path, client, count]), [['/Autodiscover', '/AUTODISCOVER', '192.0.2.9', 2]]);
    assert.equal(missed(rule, `/autodiscover/${'a'.repeat(5000)}`)[0]?.path.length, limits.sightingPathLengthMax);
  });

  it('are counted anew after each message', () => {
    const model = load(' use_backend auto if { path_beg /EWS }\n');
    const room = new Room();
    const routes = MissedRoutes.of(model.proxies[0]!, model, Segments.allocate(model, 1));
    for (const count of [1, 3]) {
      for (let request = 0; request < count; request += 1) routes?.look('/ews/', '192.0.2.9', room.context.sightings);
      room.pass(300);
      const told = room.messages.splice(0).flatMap((message) => (message.type === 'sightings' ? message.missedRoutes : []));
      assert.deepEqual(told.map((route) => route.count), [count]);
    }
  });

  it('are only those whose path decides alone and counts case', () => {
    for (const rule of [
      ' use_backend auto if { path_beg -i /EWS }\n', ' use_backend auto if { path,lower -m beg /ews }\n', ' use_backend auto if { path_beg /EWS } { src 10.0.0.0/8 }\n',
      ' use_backend auto unless { path_beg /EWS }\n', ' use_backend auto if !{ path_beg /EWS }\n', ' use_backend rest if { path_beg /EWS }\n', ' use_backend auto if { path_sub EWS }\n',
      ' use_backend auto if { hdr_beg(host) /EWS }\n', ' use_backend auto if { path_beg /1 }\n',
    ]) assert.deepEqual(missed(rule, '/ews/', '/1'), [], rule);
    assert.equal(missed(' use_backend auto if { path /EWS }\n', '/ews', '/ews/').length, 1);
    assert.equal(missed(' use_backend auto if { src 10.0.0.0/8 } || { path_beg /EWS.(a }\n', '/ews.(A', '/ewsx(a').at(0)?.count, 1);
  });
});

describe('Exchange sites', () => {
  it('are known by the paths of their rules too', () => {
    const known = (rule: string): number => exchangeBackends(load(rule)).size;
    assert.equal(known(' use_backend auto if { path_beg /Autodiscover }\n'), 2);
    assert.equal(known(' use_backend auto if { url_reg (?i)\\/autodiscover }\n'), 2);
    assert.equal(known(' use_backend auto if { path_beg /owaweb }\n'), 0);
    assert.equal(known(' use_backend auto if { path_beg /rpc }\n'), 0);
    assert.equal(known(' use_backend auto if { hdr(host) /owa }\n'), 0);
  });
});
