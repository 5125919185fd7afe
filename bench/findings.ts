/**
 * What is known about the rows that have a target: shown, by the bench and on the performance page, only for those that miss it in the
 * run at hand. One entry for each such row, or for rows that share their causes; `report/missed.ts` reads it. Data only: whoever
 * learns something new about a row writes it here, with numbers.
 */

export interface Finding {
  readonly workload: string;
  /** Names of rows begin so; the first entry that fits is taken. */
  readonly rows: string;
  /** One line for the terminal. */
  readonly short: string;
  readonly tried: string;
  readonly left: string;
}

export const findings: readonly Finding[] = [
  {
    workload: 'W1', rows: 'keep-alive, clear',
    short: 'half is the kernel\'s; the sockets\' price, the log line and the head\'s strings are the rest',
    tried: 'log lines through a ring in shared memory and 64 to a sendmmsg (22.5 → 21.5 µs a request); services looked up instead of tested in turn; a slab of its own for rewritten heads (90 → 87 ns a head, not seen end to end).',
    left: '9–12 µs of receive, send and wait in the kernel, which every proxy pays; about 1 µs for the sockets of node:net against Bun.listen/Bun.connect (a bare relay: 0.95 of HAProxy against 0.88); 0.4 µs and 1 KB of text for the log line; forwardfor, the head\'s strings and some eight clock reads of 54 ns.',
  },
  {
    workload: 'W2', rows: 'keep-alive, TLS on both sides',
    short: 'as W1; TLS itself adds less than it does to HAProxy',
    tried: 'all that W1 got.',
    left: 'the costs of W1. TLS on both sides adds about 7 µs a request to HAProxy and 2–3 µs to Poise, so nothing of the distance is encryption.',
  },
  {
    workload: 'W3', rows: 'full handshakes, RSA-2048',
    short: 'the runtime\'s TLS library signs RSA some 260 µs slower than OpenSSL',
    tried: 'contexts are made once for all connections; the same key exchange (X25519) for all subjects. Certificates with P-256 keys avoid the cost.',
    left: 'an RSA-2048 signature in the TLS library of Bun costs some 260 µs more than in the OpenSSL that HAProxy uses; HAProxy needs 190 µs more for RSA than for P-256, Poise 420–500 µs.',
  },
  {
    workload: 'W3', rows: 'full handshakes',
    short: 'a TLS socket object and a server connection for each request, as in W5',
    tried: 'contexts are made once for all connections.',
    left: 'the 20–40 µs of W5 for the sockets of both sides; the handshake itself costs no more than HAProxy\'s.',
  },
  {
    workload: 'W3', rows: 'resumed handshakes',
    short: 'resumption saves little: TLS 1.3 still exchanges keys, and the objects of a connection stay',
    tried: 'ticket keys for all threads on Node; Bun ignores them, so that with several threads a session is resumed only on the thread that made it (the bench has one).',
    left: 'a resumed handshake saves HAProxy only about 12 % here and nginx 16 %, as the X25519 exchange stays; 0.75 of HAProxy is about where nginx is. What Poise has on top is W5\'s.',
  },
  {
    workload: 'W4', rows: '',
    short: '1 MB bodies; 100 MB bodies cost less than HAProxy\'s down, about the same up',
    tried: 'bodies pass as the chunks that were read, without a copy.',
    left: 'the rows with 1 MB clear: 1.4 times HAProxy down, 1.2–1.4 up. 100 MB down costs half of HAProxy\'s, so it is the start of a body and not its length that costs; splice(2) was not tried.',
  },
  {
    workload: 'W5', rows: 'connection per request',
    short: 'socket objects: a bare relay on the runtime costs 1.3 times HAProxy',
    tried: 'deadlines, counters and contexts are made once, not for each connection.',
    left: 'a bare node:net relay on Bun that does nothing else costs 1.3 times HAProxy: accepting, address look-ups and one socket object per side are most of it. The rest is Poise\'s session and exchange.',
  },
  {
    workload: 'W6', rows: 'memory of an idle connection',
    short: 'two TLS sockets with what the TLS library keeps for each',
    tried: 'idle connections hold no exchange and no read buffer.',
    left: 'the state of the TLS library for both sides and the socket objects of the runtime.',
  },
  {
    workload: 'W7', rows: '10,000 ACLs',
    short: 'conditions that cannot be looked up are tested in turn',
    tried: 'rules are looked up by path, host and their prefixes instead of tested in turn; 10,000 cost what eight cost.',
    left: 'the request itself, as in W1; regular expressions, integers and variables are still tested in turn.',
  },
  {
    workload: 'W9', rows: '',
    short: 'the price of a request: what a hiccup leaves in the queue is worked off more slowly',
    tried: 'half of the rate that this load reaches instead of half of wrk\'s, which was all of this one\'s; six seconds more of warm-up; a lower priority (nice 8) for all threads but the one that answers: single runs stayed at 12–46 ms, one had 176.',
    left: 'at 12,600 requests a second the traffic thread is busy for 62 % of the time and waits 8–15 % of it for the control thread (9 %), the compiler (1–10 %) and the allocator\'s scavenger (1.5 %); HAProxy\'s one thread is busy for 52 % and waits 1 %. After the warm-up it never stood still for 20 ms, and the load was late by less than 2 ms in its own p99. The tail is what hiccups of origin and load leave in the queue, and that goes as fast as W1 is cheap.',
  },
];
