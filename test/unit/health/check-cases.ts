/**
 * Health checks against small real servers, with the results that HAProxy gives. The unit test runs them with Poise, the system
 * test with HAProxy itself.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What a server does: texts are sent, null waits for bytes from the checker; then it closes. */
type Script = readonly (string | null)[];

const http = (code: number, body = '', headers = ''): Script => [null, `HTTP/1.1 ${code} Reason ${code}\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`];
const packet = (payload: string, number = 0): string => `${String.fromCharCode(payload.length & 255, payload.length >> 8, 0, number)}${payload}`;
const greeting = '\x0a5.7.2-log\0\x01\0\0\0abcdefgh\0\xff\xf7\x08\x02\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0mysql_native_password\0';
const spopAnswer = 'e\0\0\0\x01\0\0\x07version\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\0';

const scripts = {
  fine: http(200, 'hello world', 'X-Foo: bar\r\n'), broken: http(503), missing: http(404), moved: http(302), denied: http(401),
  garbage: [null, 'garbage\r\n\r\n'], closes: [null], chunked: [null, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel-o\r\n0\r\n\r\n'],
  short: [null, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'], untilClose: [null, 'HTTP/1.1 200 OK\r\n\r\nabc'], badHeader: [null, 'HTTP/1.1 200 OK\r\nBad Header\r\n\r\n'],
  noReason: [null, 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'], interim: [null, 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 After all\r\nContent-Length: 0\r\n\r\n'],
  closing: http(200, 'hello world', 'Connection: close\r\nX-Foo: bar\r\n'),
  pong: ['+PONG\r\n', null], redis: [null, '+PONG\r\n', null], redisError: [null, '-ERR x\r\n'], two: ['ab', null, 'cd', null],
  smtp: ['220 mail.example ESMTP ready\r\n', null, '250-mail hi\r\n250 OK\r\n', null, '221 bye now\r\n'], smtpNo: ['554 go away\r\n', null],
  mysql: [packet(greeting), null, packet('\0\0\0\x02\0\0\0', 2), null], mysqlNo: [packet(greeting), null, packet('\xff\x15\x04#28000Access denied for user', 2), null],
  mysqlFull: [packet('\xff\x10\x04Too many connections')], pgsql: [null, 'R\0\0\0\x08\0\0\0\0'], pgsqlNo: [null, 'E\0\0\0\x20SFATAL\0C28000\0Mno such role\0\0'],
  ldap: [null, '0\x0c\x02\x01\x01a\x07\x0a\x01\0\x04\0\x04\0'], ldapNo: [null, '0\x0c\x02\x01\x01a\x07\x0a\x01\x31\x04\0\x04\0'], noise: [null, 'garbage....................'],
  spop: [null, `\0\0\0${String.fromCharCode(spopAnswer.length)}${spopAnswer}`], alert: [null, '\x15\x03\x01\0\x02\x02\x46'],
} as const satisfies Record<string, Script>;
export type Name = keyof typeof scripts | 'nobody' | 'hangs' | 'resets';

/** Check lines, server, `status check_status check_code [last_chk]`, and HAProxy's where it differs on purpose. */
export type Case = readonly [lines: string, server: Name, result: string, haproxy?: string];
const httpchk = 'mode http\n  option httpchk';
const tcp = 'mode tcp\n  option tcp-check';

export const cases: readonly Case[] = [
  ['mode tcp', 'fine', 'UP L4OK  []'],
  ['mode tcp', 'nobody', 'DOWN L4CON  [Connection refused]'],
  [httpchk, 'fine', 'UP L7OK 200 []'],
  [httpchk, 'broken', 'DOWN L7STS 503 [Reason 503]'],
  [httpchk, 'missing', 'DOWN L7STS 404 [Reason 404]'],
  [httpchk, 'moved', 'UP L7OK 302 []'],
  [httpchk, 'denied', 'DOWN L7STS 401 [Reason 401]'],
  [httpchk, 'garbage', 'DOWN L7RSP  []'],
  [httpchk, 'closes', 'DOWN L7RSP  []'],
  [httpchk, 'resets', 'DOWN SOCKERR  [Connection reset by peer]'],
  [httpchk, 'hangs', 'DOWN L7TOUT  []'],
  [httpchk, 'nobody', 'DOWN L4CON  [Connection refused]'],
  [httpchk, 'short', 'UP L7OK 200 []'],
  [httpchk, 'noReason', 'UP L7OK 200 []'],
  [httpchk, 'badHeader', 'DOWN L7RSP  []'],
  // The final answer counts, not the interim one before it (RFC 9110 15.2).
  [httpchk, 'interim', 'DOWN L7STS 503 [After all]', 'DOWN L7STS 100 [Continue]'],
  [`${httpchk}\n  http-check disable-on-404`, 'missing', 'NOLB L7OKC 404 []'],
  [`${httpchk}\n  http-check expect string hello`, 'fine', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect status 200\n  http-check expect hdr name X-Foo value bar\n  http-check expect string world`, 'closing', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect string hello`, 'short', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect string hello`, 'chunked', 'DOWN L7RSP  [HTTP content check did not match]'],
  [`${httpchk}\n  http-check expect string hel-o`, 'chunked', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect string hello`, 'untilClose', 'DOWN L7RSP  [HTTP content check did not match]'],
  [`${httpchk}\n  http-check expect string hello`, 'broken', 'DOWN L7RSP  [HTTP content check could not find a response body]'],
  [`${httpchk}\n  http-check expect ! string hello`, 'fine', 'DOWN L7RSP  [HTTP check matched unwanted content]'],
  [`${httpchk}\n  http-check expect rstring HEL+o`, 'fine', 'DOWN L7RSP  [HTTP content check did not match]'],
  [`${httpchk}\n  http-check expect rstring (?i)HEL+o`, 'fine', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect status 201,300-400`, 'fine', 'DOWN L7STS 200 [Reason 200]'],
  [`${httpchk}\n  http-check expect status 201,300-400`, 'moved', 'UP L7OK 302 []'],
  [`${httpchk}\n  http-check expect ! status 200`, 'fine', 'DOWN L7STS 200 [Reason 200]'],
  [`${httpchk}\n  http-check expect rstatus ^2`, 'broken', 'DOWN L7STS 503 [Reason 503]'],
  [`${httpchk}\n  http-check expect ! rstatus ^5`, 'fine', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect hdr name x-foo value -m beg ba`, 'fine', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect hdr name x-foo value -m beg ba`, 'short', 'DOWN L7STS 200 [OK]'],
  [`${httpchk}\n  http-check expect hdr name -m beg x-f`, 'fine', 'UP L7OK 200 []'],
  [`${httpchk}\n  http-check expect comment "must be 201" status 201`, 'fine', 'DOWN L7STS 200 [Reason 200 comment: must be 201]'],
  [`${httpchk}\n  http-check expect status 200 ok-status L7OKC`, 'fine', 'NOLB L7OKC 200 []'],
  [`${httpchk}\n  http-check expect status 201 error-status L7RSP on-error "not made"`, 'fine', 'DOWN L7RSP  [not made]'],
  [tcp, 'fine', 'UP L4OK  []'],
  [tcp, 'nobody', 'DOWN L4CON  [Connection refused at initial connection step of tcp-check]'],
  [`${tcp}\n  tcp-check connect\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG`, 'pong', 'UP L7OK 0 [(tcp-check)]'],
  [`${tcp}\n  tcp-check connect\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG`, 'fine', "DOWN L7RSP  [TCPCHK did not match content '+PONG' at step 3]"],
  [`${tcp}\n  tcp-check connect\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG`, 'hangs', "DOWN L7TOUT  [ at step 3 of tcp-check (expect string '+PONG')]"],
  [`${tcp}\n  tcp-check connect\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG`, 'resets', "DOWN SOCKERR  [Connection reset by peer at step 3 of tcp-check (expect string '+PONG')]"],
  [`${tcp}\n  tcp-check connect`, 'nobody', 'DOWN L4CON  [Connection refused at step 1 of tcp-check (connect)]'],
  [`${tcp}\n  tcp-check expect string abcd`, 'two', "DOWN L7TOUT  [ at step 1 of tcp-check (expect string 'abcd')]"],
  [`${tcp}\n  tcp-check send a\n  tcp-check expect string abcd`, 'closes', 'DOWN L7RSP  [TCPCHK got an empty response at step 2]'],
  [`${tcp}\n  tcp-check comment first\n  tcp-check send a\n  tcp-check comment xx\n  tcp-check expect string abcd`, 'closes', "DOWN L7RSP  [TCPCHK got an empty response at step 4 comment: 'xx']"],
  [`${tcp}\n  tcp-check connect\n  tcp-check comment first\n  tcp-check send a\n  tcp-check set-var(check.x) int(1)\n  tcp-check expect ! string b`, 'two', "DOWN L7RSP  [TCPCHK matched unwanted content 'b' at step 5]"],
  [`${tcp}\n  tcp-check expect binary 6162`, 'two', 'UP L7OK 0 [(tcp-check)]'],
  [`${tcp}\n  tcp-check expect binary 6163`, 'two', "DOWN L7TOUT  [ at step 1 of tcp-check (expect binary 'ac')]"],
  [`${tcp}\n  tcp-check expect rbinary ^6162$`, 'two', 'UP L7OK 0 [(tcp-check)]'],
  [`${tcp}\n  tcp-check expect ! rstring ab`, 'two', 'DOWN L7RSP  [TCPCHK matched unwanted content (regex) at step 1]'],
  [`${tcp}\n  tcp-check expect string ab\n  tcp-check expect string ab\n  tcp-check send x\n  tcp-check expect string cd`, 'two', 'UP L7OK 0 [(tcp-check)]'],
  [`${tcp}\n  tcp-check expect string ab\n  tcp-check send x\n  tcp-check expect string ab`, 'two', "DOWN L7TOUT  [ at step 3 of tcp-check (expect string 'ab')]"],
  [`${tcp}\n  tcp-check expect string ab on-success good ok-status L6OK`, 'two', 'UP L6OK  [good]'],
  [`${tcp}\n  tcp-check expect string ac tout-status L4TOUT`, 'two', "DOWN L4TOUT  [ at step 1 of tcp-check (expect string 'ac')]"],
  [`${tcp}\n  tcp-check expect comment "the pong" rstring ^\\+PONX`, 'redisError', 'DOWN L7TOUT  [ at step 1 of tcp-check (expect regex) comment: \'the pong\']'],
  ['mode tcp\n  option smtpchk', 'smtp', 'UP L7OK 221 [bye now]'],
  ['mode tcp\n  option smtpchk', 'smtpNo', 'DOWN L7STS 554 [go away]'],
  ['mode tcp\n  option smtpchk', 'pong', 'DOWN L7RSP  [+PONG]'],
  ['mode tcp\n  option mysql-check', 'mysql', 'UP L7OK 0 []'],
  ['mode tcp\n  option mysql-check', 'mysqlFull', 'DOWN L7STS 1040 [Too many connections]'],
  ['mode tcp\n  option mysql-check user bob', 'mysql', 'UP L7OK 0 []'],
  ['mode tcp\n  option mysql-check user bob', 'mysqlNo', 'DOWN L7STS 1045 [#28000Access denied for user]'],
  ['mode tcp\n  option pgsql-check user bob', 'pgsql', 'UP L7OK 0 [PostgreSQL server is ok]'],
  ['mode tcp\n  option pgsql-check user bob', 'pgsqlNo', 'DOWN L7RSP  [FATAL]'],
  ['mode tcp\n  option pgsql-check user bob', 'noise', 'DOWN L7STS 0 [PostgreSQL unknown error]'],
  ['mode tcp\n  option pgsql-check user bob', 'closes', 'DOWN L7RSP  [TCPCHK got an empty response at step 3]'],
  ['mode tcp\n  option redis-check', 'redis', 'UP L7OK 0 [Redis server is ok]'],
  ['mode tcp\n  option redis-check', 'redisError', 'DOWN L7STS 0 [-ERR x]'],
  ['mode tcp\n  option redis-check', 'closes', 'DOWN L7STS 0 [TCPCHK got an empty response at step 2]'],
  ['mode tcp\n  option ldap-check', 'ldap', 'UP L7OK 0 []'],
  ['mode tcp\n  option ldap-check', 'ldapNo', 'DOWN L7STS 49 [See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9]'],
  ['mode tcp\n  option ldap-check', 'noise', 'DOWN L7RSP  [Not LDAPv3 protocol]'],
  ['mode tcp\n  option spop-check', 'spop', 'UP L7OK 0 []'],
  ['mode tcp\n  option spop-check', 'noise', 'DOWN L7RSP  [invalid frame received]'],
  ['mode tcp\n  option ssl-hello-chk', 'alert', 'UP L6OK  []'],
  ['mode tcp\n  option ssl-hello-chk', 'noise', 'DOWN L6RSP  []'],
  ['mode tcp\n  option ssl-hello-chk', 'hangs', 'DOWN L6TOUT  []'],
  ['mode tcp\n  option ssl-hello-chk', 'closes', 'DOWN L6RSP  [TCPCHK got an empty response at step 2]'],
];

const host = '127.15.20.1';

function serve(name: Name): Promise<{ server: Server | null; port: number }> {
  if (name === 'nobody') return Promise.resolve({ server: null, port: 1 });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (name === 'hangs') socket.resume();
    else if (name === 'resets') socket.once('data', () => socket.resetAndDestroy());
    else play(socket, [...scripts[name]]);
  });
  return new Promise((resolve) => { server.listen(0, host, () => resolve({ server, port: (server.address() as AddressInfo).port })); });
}

function play(socket: Socket, script: (string | null)[]): void {
  const next = (): void => {
    while (script.length > 0) {
      const step = script.shift();
      if (step === null || step === undefined) return;
      socket.write(step, 'latin1');
    }
    socket.end();
  };
  socket.on('data', next);
  if (script[0] !== null) next();
  else script.shift();
}

export interface CheckServers {
  readonly ports: ReadonlyMap<Name, number>;
  close(): void;
}

/** One server for every behaviour that the cases name. */
export async function startServers(): Promise<CheckServers> {
  const ports = new Map<Name, number>();
  const servers: Server[] = [];
  for (const name of new Set(cases.map(([, one]) => one))) {
    const { server, port } = await serve(name);
    if (server !== null) servers.push(server);
    ports.set(name, port);
  }
  return { ports, close: () => { for (const server of servers) server.close(); } };
}

/** Backends b0, b1 … with one server s each. */
export function backendsOf(ports: ReadonlyMap<Name, number>): string {
  return cases.map(([lines, name], index) => `backend b${index}\n  timeout check 800ms\n  ${lines}\n  server s ${host}:${ports.get(name)} check inter 4s rise 1 fall 1\n`).join('');
}

export function caseName([lines, name]: Case): string {
  return `${lines.replaceAll(/\s*\n\s*/g, '; ')} → ${name}`;
}
