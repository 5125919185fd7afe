/** Random events on both sides of the HTTP room: whatever comes in whatever order, the books are right afterwards. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeProxy } from '../traffic/make-model.ts';
import { endRooms, Room } from './room.ts';

after(endRooms);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const half = 'POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nab';
const timeouts = { ...makeProxy(0, '').timeouts, clientMs: 800, serverMs: 600, httpRequestMs: 500, httpKeepAliveMs: 400 };

test('random traffic: nothing throws, every request is logged once, gauges end at zero', () => {
  let seed = 7;
  const random = (limit: number): number => {
    // mulberry32
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  };
  const requests = [get, half, `${half}cdefghij`, 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n', 'GET /\x01', 'HEAD / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n'];
  const answers = [ok, 'HTTP/1.1 100 Go\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\nuntil', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n', '0\r\n\r\n', 'rubbish\r\n', 'HTTP/1.1 204 No\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab'];
  for (let round = 0; round < 400; round += 1) {
    const room = new Room({ timeouts }, { timeouts });
    const servers = [room.server(), room.server(), room.server()];
    const clients = [room.client(), room.client()];
    for (let turn = 0; turn < 24; turn += 1) {
      const client = clients[random(2)]!;
      const one = servers[random(3)]!;
      switch (random(10)) {
        case 0: client.peerEnd(); break;
        case 1: if (random(4) === 0) client.peerReset(); break;
        case 2: if (random(4) === 0) one.peerEnd(); break;
        case 3: if (random(6) === 0) one.peerReset(); break;
        case 4: room.pass(random(300)); break;
        case 5: room.settle(); break;
        case 6: case 7: {
          const text = requests[random(requests.length)]!;
          client.feed(random(2) === 0 ? text : text.slice(0, 1 + random(text.length)));
          break;
        }
        default: one.feed(answers[random(answers.length)]!);
      }
    }
    for (const client of clients) client.close();
    room.settle();
    for (const one of servers) one.close();
    room.settle();
    room.pass(10_000);
    assert.deepEqual(room.gauges(), [0, 0, 0, 0], `round ${round}`);
    const logged = room.log().length;
    assert.equal(logged, room.counter('front', 'req_tot'), `round ${round}`);
    room.end();
    assert.equal(room.openSessions, 0, `round ${round}`);
  }
});
