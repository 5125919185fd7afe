/** Certificates, keys, folders, lists, authorities, TLS versions. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Bind } from '../../../src/model/model.ts';
import { load, model, server, told } from './loading.ts';
import type { Loaded } from '../../../src/config/load.ts';

const pem = (name: string): string => readFileSync(new URL(`./corpus/pem/${name}`, import.meta.url), 'utf8');
const mail = pem('mail.pem');
const files: Record<string, string> = {
  '/tls/mail.pem': mail, '/tls/common.pem': pem('common.pem'), '/tls/wild.pem': pem('wild.pem'), '/tls/wild.pem.key': pem('wild.pem.key'), '/tls/ca.pem': pem('ca.pem'),
  '/tls/mixed.pem': `${pem('wild.pem')}${mail.slice(mail.indexOf('-----BEGIN PRIVATE'))}`, '/tls/nokey.pem': pem('ca.pem'), '/tls/text.pem': 'hello', '/tls/bundle.rsa': mail,
  '/dir/b.pem': mail, '/dir/a.pem': pem('wild.pem'), '/dir/a.pem.key': pem('wild.pem.key'), '/dir/.hidden': 'x', '/tls/a.crt': pem('wild.pem'), '/tls/a.key': pem('wild.pem.key'),
  '/tls/locked.pem': `${pem('ca.pem')}-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n`,
};
const base = 'defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n';
const bindWith = (words: string, global = ''): Loaded => load(`${global}${base}frontend a\n bind :443 ssl ${words}\n`, files);
const bind = (words: string, global = ''): Bind => {
  const [found] = model(bindWith(words, global)).binds;
  if (found === undefined) throw new Error('no bind');
  return found;
};

test('certificate and key in one file, or the key beside it', () => {
  assert.deepEqual(model(bindWith('crt /tls/mail.pem')).certificates.map((each) => [each.names, each.keyType, each.subject]), [
    [['mail.lab.local', 'autodiscover.lab.local'], 'ec', '/O=Poise tests/CN=mail.lab.local'],
  ]);
  // Alternative names and every common name count.
  assert.deepEqual(model(bindWith('crt /tls/common.pem')).certificates.map((each) => each.names), [['san.only', 'two.only', 'cn.only', 'www.cn.only']]);
  assert.deepEqual(model(bindWith('crt /tls/wild.pem')).certificates.map((each) => each.names), [['*.shop.test']]);
  assert.equal(model(bindWith('crt /tls/a.crt')).certificates.length, 1);
  assert.match(model(bindWith('crt /tls/mail.pem')).certificates[0]?.fingerprint ?? '', /^[0-9a-f]{64}$/);
});

test('several crt words, folders and bundles keep their order; a file is loaded once', () => {
  assert.deepEqual(bind('crt /tls/wild.pem crt /tls/mail.pem crt /tls/wild.pem').tls?.certificates.map((each) => each.certificate), [0, 1, 0]);
  assert.deepEqual(model(bindWith('crt /dir')).certificates.map((each) => each.path), ['/dir/a.pem', '/dir/b.pem']);
  assert.deepEqual(model(bindWith('crt /tls/bundle')).certificates.map((each) => each.path), ['/tls/bundle.rsa']);
  assert.deepEqual(model(bindWith('crt mail.pem', 'global\n crt-base /tls\n')).certificates.map((each) => each.path), ['/tls/mail.pem']);
});

test('crt-list gives names', () => {
  const listed = load(`${base}frontend a\n bind :443 ssl crt-list /list\n`, { ...files, '/list': '# x\n/tls/mail.pem [alpn h2] Mail.lab.local\n\n/tls/wild.pem *.shop.test !admin.shop.test\r\n' });
  assert.deepEqual(model(listed).binds[0]?.tls?.certificates, [
    { certificate: 0, sniFilters: ['mail.lab.local'], entry: { list: '/list', line: 2, options: 'alpn h2' } },
    { certificate: 1, sniFilters: ['*.shop.test', '!admin.shop.test'], entry: { list: '/list', line: 4, options: '' } },
  ]);
  const problemsOf = (list: string): string => told(load(`${base}frontend a\n bind :443 ssl crt-list /list\n`, { ...files, '/list': list }), 'error', 'unsupported').join();
  assert.match(problemsOf('/nowhere.pem\n'), /^1 cannot read certificate/);
  assert.match(problemsOf('/tls/mail.pem [foo x]\n'), /'foo' cannot stand in a crt-list/);
  // Ignoring it would let clients without a certificate in.
  assert.match(problemsOf('/tls/mail.pem [verify required ca-file /tls/ca.pem]\n'), /'verify' for a single certificate/);
  assert.equal(problemsOf('/tls/mail.pem [verify none alpn http/1.1] a b\n'), '');
});

test('crt-store names are found', () => {
  const loaded = load(`crt-store web\n crt-base /tls\n load crt a.crt key a.key alias shop\n${base}frontend a\n bind :443 ssl crt @web/shop\n`, files);
  assert.equal(model(loaded).certificates.length, 1);
});

const faults: readonly (readonly [string, RegExp])[] = [
  ['crt /nowhere.pem', /no such file/], ['crt /tls/mixed.pem', /key does not belong to the certificate/], ['crt /tls/nokey.pem', /no private key/], ['crt /tls/text.pem', /no certificate in/],
  ['crt /tls/locked.pem', /passphrase/], ['', /needs a certificate/], ['crt /tls/mail.pem verify required', /needs the authorities/], ['crt /tls/mail.pem ca-file /tls/text.pem verify required', /no certificate in/],
  ['crt /tls/mail.pem ssl-min-ver TLSv1.3 ssl-max-ver TLSv1.2', /no TLS version is left/], ['crt /tls/mail.pem ssl-min-ver TLSv9', /does not know 'TLSv9'/],
];
for (const [words, expected] of faults) {
  test(`bind ssl ${words}`, () => {
    const loaded = bindWith(words);
    assert.match(told(loaded, 'error').join(), expected);
    // Nothing that is told may show a key.
    assert.equal(JSON.stringify(loaded.problems).includes('PRIVATE KEY'), false);
  });
}

test('expired and future certificates are told', () => {
  const at = (when: string): string => told(load(`${base}frontend a\n bind :443 ssl crt /tls/mail.pem\n`, files, { nowMs: Date.parse(when) }), 'warning').join();
  assert.match(at('2200-01-01'), /expired/);
  assert.match(at('2001-01-01'), /not valid before/);
  assert.equal(at('2027-01-01'), '');
});

test('versions, ciphers and options come from the line, then from the global section', () => {
  const global = 'global\n ssl-default-bind-options ssl-min-ver TLSv1.1 no-tls-tickets prefer-client-ciphers\n ssl-default-bind-ciphers A:B\n';
  const { tls } = bind('crt /tls/mail.pem', global);
  assert.deepEqual([tls?.minVersion, tls?.maxVersion, tls?.noTickets, tls?.preferServerCiphers, tls?.ciphers], ['TLSv1.1', 'TLSv1.3', true, false, 'A:B']);
  assert.deepEqual(bind('crt /tls/mail.pem ciphers C ssl-min-ver TLSv1.3', global).tls?.ciphers, 'C');
  assert.equal(bind('crt /tls/mail.pem').tls?.minVersion, 'TLSv1.2');
  assert.equal(bind('crt /tls/mail.pem no-tlsv13').tls?.maxVersion, 'TLSv1.2');
  assert.equal(bind('crt /tls/mail.pem force-tlsv11').tls?.minVersion, 'TLSv1.1');
});

test('h2 is left out of the offer with a warning', () => {
  assert.deepEqual(bind('crt /tls/mail.pem alpn h2,http/1.1').tls?.alpn, ['http/1.1']);
  assert.match(told(bindWith('crt /tls/mail.pem alpn h2,http/1.1'), 'warning').join(), /'h2' is left out/);
});

test('servers verify by default and need authorities for it', () => {
  const backend = (words: string, global = ''): Loaded => load(`${global}${base}backend b\n server s 127.0.0.1:443 ${words}\n`, files);
  assert.match(told(backend('ssl'), 'error').join(), /no authorities/);
  assert.equal(server(backend('ssl verify none'), 's').tls?.verify, 'none');
  assert.equal(server(backend('ssl', 'global\n ssl-server-verify none\n'), 's').tls?.verify, 'none');
  assert.match(server(backend('ssl ca-file ca.pem verifyhost x', 'global\n ca-base /tls\n'), 's').tls?.caPem ?? '', /BEGIN CERTIFICATE/);
  assert.equal(server(backend('ssl verify none crt /tls/mail.pem'), 's').tls?.certificate, 0);
  assert.equal(server(backend(''), 's').tls, null);
});

test('checks in TLS with traffic in clear text to the same port are warned about, and each has its own settings', () => {
  const loaded = load(`${base}backend b\n server s 127.0.0.1:443 check check-ssl verify none\n`);
  assert.match(told(loaded, 'warning').join(), /'check-ssl' without 'ssl'/);
  assert.equal(server(loaded, 's').tls, null);
  assert.equal(server(loaded, 's').check?.tlsOptions?.verify, 'none');
  assert.deepEqual(told(load(`${base}backend b\n server s 127.0.0.1:80 check check-ssl verify none port 443\n`), 'warning').filter((text) => text.includes('check-ssl')), []);
});
