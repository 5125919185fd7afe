/** Notices about timeouts shorter than what an Exchange service or a mail protocol needs, and about options that end its logins: which are told, where, and which files hear nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, told } from './loading.ts';

const file = (server: string, client: string, acl: string): string => `defaults\n mode http\n timeout connect 1s\n timeout client ${client}\n timeout server ${server}\n`
  + `frontend f\n bind 127.0.0.1:1\n acl a ${acl}\n use_backend b if a\nbackend b\n server s 127.0.0.1:2\n`;

test('timeouts that are shorter than the service needs are named at their line, and the file stays good', () => {
  for (const [acl, needed] of [['path_beg -i /Microsoft-Server-ActiveSync', 59], ['url_reg (?i)\\\\/ews', 30], ['path_beg /rpc', 15], ['url_beg /mapi', 5]] as const) {
    const short = load(file(`${needed * 60 - 1}s`, '1h', acl));
    assert.match(told(short, 'notice').join('; '), /^5 'timeout server' of \d+s is too short for backend 'b'/, acl);
    assert.notEqual(short.model, undefined);
    assert.deepEqual(told(load(file(`${needed}m`, '1h', acl))), [], acl);
  }
});

test('the client timeout matters where the client is silent inside a request', () => {
  assert.match(told(load(file('1h', '1m', 'path_beg /rpc')), 'notice').join('; '), /^4 'timeout client' of 60s is too short for frontend 'f'/);
});

test('a probe alone tells the service', () => {
  const text = file('1m', '1h', 'path_beg /x').replace('backend b\n', 'backend b\n option httpchk GET /ews/healthcheck.htm\n');
  assert.equal(told(load(text), 'notice').length, 1);
});

test('a file without Exchange paths hears nothing', () => {
  assert.deepEqual(told(load(file('1s', '1s', 'path_beg /shop /rpcs'))), []);
});

test('an option that closes connections is named where logins belong to one', () => {
  const text = (acl: string, line: string): string => file('1h', '1h', acl).replace('frontend f\n', `frontend f\n ${line}\n`);
  assert.match(told(load(text('path_beg -i /mapi', 'option http-server-close')), 'notice').join('; '), /^7 'option http-server-close' makes NTLM and Kerberos logins fail in frontend 'f'[^;]*$/);
  const everywhere = load(file('1h', '1h', 'path_beg /EWS').replace(' mode http\n', ' mode http\n option httpclose\n'));
  assert.match(told(everywhere, 'notice').join('; '), /^3 'option httpclose' makes NTLM and Kerberos logins fail in frontend 'f' and 1 other section: [^;]*$/, 'once for the line');
  assert.notEqual(everywhere.model, undefined);
  assert.deepEqual(told(load(text('path_beg /shop', 'option http-server-close'))), []);
  assert.deepEqual(told(load(text('path_beg /Microsoft-Server-ActiveSync', 'option http-server-close'))), [], 'Basic');
  assert.deepEqual(told(load(text('path_beg /mapi', 'option http-keep-alive'))), []);
});

test('mail protocols are known by the ports of servers in mode tcp', () => {
  const section = (port: number, client: string, server: string, more = ''): string =>
    `defaults\n mode tcp\n timeout connect 1s\n timeout client ${client}\n timeout server ${server}\n${more}listen l\n bind 127.0.0.1:1\n server a 127.0.0.1:${port}\n server b 127.0.0.2:${port}\n`;
  const words = (text: string): string[] => told(load(text), 'notice').map((line) => /^(\d+ '[^']+') of \w+ is too short for listen 'l'/.exec(line)?.[1] ?? line);
  for (const [ports, client, server] of [[[143, 993], 1740, 1740], [[110, 995], 600, 600], [[25, 587], 300, 600]] as const) {
    for (const port of ports) {
      assert.deepEqual(words(section(port, `${client}s`, `${server}s`)), [], `${port}`);
      assert.deepEqual(words(section(port, `${client - 1}s`, `${server - 1}s`)), ["4 'timeout client'", "5 'timeout server'"], `${port}`);
    }
  }
  assert.deepEqual(words(section(143, '1m', '1m', ' timeout tunnel 1h\n')), [], 'the tunnel counts once both sides are connected');
  assert.deepEqual(words(section(143, '1h', '1h', ' timeout tunnel 1m\n')), ["6 'timeout tunnel'"]);
  assert.deepEqual(words(section(4190, '1m', '1m')), []);
  const apart = section(143, '1m', '1h').replace('listen l\n bind 127.0.0.1:1\n', 'frontend f\n bind 127.0.0.1:1\n default_backend b\nbackend b\n');
  assert.match(told(load(apart), 'notice').join('; '), /^4 'timeout client' of 60s is too short for frontend 'f': an IMAP client [^;]*$/);
});
