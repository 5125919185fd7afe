/** Notices about timeouts shorter than what an Exchange service needs, and about options that end its logins: which are told, where, and which files hear nothing. */
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
