/** `mailers` sections and `email-alert`: what comes out, what is said, and warnings about mail that would travel through what it tells of. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryFiles } from '../../../src/config/files.ts';
import { loadKeepalived } from '../../../src/config/keepalived/load.ts';
import { verifyMailServer } from '../../../src/config/keepalived/mail-server.ts';
import { base, load, model, proxy, told } from './loading.ts';

const post = 'mailers post\n mailer one 10.0.0.9:25\n';
const alert = ' email-alert mailers post\n email-alert from lb@lab.local\n email-alert to ops@lab.local\n';
const backend = (lines: string): string => `${base}${post}backend be\n${lines} server s1 10.0.0.1:80\n`;
const problems = (text: string): string[] => load(text).problems.filter((one) => one.severity !== 'notice' && !one.message.startsWith('nothing listens')).map((one) => `${one.severity} ${one.place.line} ${one.message}`);

describe('mailers', () => {
  it('are relays with the timeout of the section, wherever it stands', () => {
    const [section] = model(load(`${base}mailers post\n mailer one 10.0.0.9:25\n timeout mail 3s\n mailer two mail.lab.local:587\n mailer six [::1]:25\nbackend be\n${alert}`)).mailers;
    assert.equal(section?.name, 'post');
    assert.deepEqual(section?.relays.map((relay) => [relay.host, relay.port, relay.sendTimeoutMs, relay.security, relay.verifyCertificate]), [
      ['10.0.0.9', 25, 3000, 'opportunistic', false], ['mail.lab.local', 587, 3000, 'opportunistic', false], ['::1', 25, 3000, 'opportunistic', false],
    ]);
    assert.equal(model(load(backend(alert))).mailers[0]?.relays[0]?.sendTimeoutMs, 10_000);
  });

  it('are refused where HAProxy refuses them', () => {
    const wrong = (lines: string): string[] => told(load(`mailers m\n${lines}\n`), 'error');
    for (const line of [' mailer a', ' mailer', ' mailer a 127.0.0.1', ' mailer a 127.0.0.1:+25', ' mailer a 127.0.0.1:25-30', ' mailer a 127.0.0.1:0', ' mailer a /tmp/socket', ' timeout mail', ' timeout mail 5x', ' timeout connect 5s', ' timeout', ' relay a 127.0.0.1:25', ' no mailer a 127.0.0.1:25']) {
      assert.equal(wrong(line).length, 1, line);
    }
    assert.match(told(load('mailers\n mailer a 127.0.0.1:25\n'), 'error')[0] ?? '', /needs a name/);
    assert.match(told(load('mailers m*y\n'), 'error')[0] ?? '', /holds '\*'/);
    assert.match(told(load('mailers m\nmailers m\n'), 'error')[0] ?? '', /2 there is a mailers section 'm' already/);
  });

  it('that nobody names are told, as are those without a mailer', () => {
    assert.deepEqual(problems(`${base}${post}backend be\n server s1 10.0.0.1:80\n`), ["warning 6 no 'email-alert mailers' that counts names the mailers section 'post': it is left out"]);
    assert.deepEqual(problems(`${base}mailers post\nbackend be\n${alert}`), ["warning 6 the mailers section 'post' has no mailer"]);
  });
});

describe('email-alert', () => {
  it('is whole with mailers, from and to; the section may stand further down', () => {
    assert.deepEqual(proxy(load(`${base}backend be\n${alert} email-alert level info\n email-alert myhostname lb\n${post}`), 'be').emailAlert, {
      mailers: 0, from: 'lb@lab.local', to: ['ops@lab.local'], levelMax: 6, myhostname: 'lb',
    });
    assert.deepEqual(problems(backend(alert)), []);
  });

  it('is inherited from defaults, and changed line by line', () => {
    const loaded = load(`${base}${alert}${post}backend a\nbackend b\n email-alert level notice\n email-alert to "x@lab.local, y@lab.local"\n`);
    assert.deepEqual([proxy(loaded, 'a').emailAlert?.levelMax, proxy(loaded, 'b').emailAlert?.levelMax], [1, 5]);
    assert.deepEqual(proxy(loaded, 'b').emailAlert?.to, ['x@lab.local', 'y@lab.local']);
  });

  it('that is not complete is ignored and told; one that names nobody is an error', () => {
    const loaded = load(backend(' email-alert level info\n email-alert from a@b\n'));
    assert.equal(proxy(loaded, 'be').emailAlert, null);
    assert.match(told(loaded, 'warning').join('\n'), /10 'email-alert' is ignored without 'email-alert mailers' and 'email-alert to'/);
    assert.match(told(load(backend(alert.replace('post', 'pots'))), 'error')[0] ?? '', /9 there is no mailers section 'pots'/);
    assert.equal(load(backend(alert.replace('post', 'pots'))).problems.find((one) => one.severity === 'error')?.remedy, "did you mean 'post'?");
    for (const line of [' email-alert\n', ' email-alert foo x\n', ' email-alert level loud\n', ' no email-alert from a@b\n']) assert.equal(told(load(backend(line)), 'error').length, 1, line);
    assert.match(told(load(backend(`${alert} email-alert level info debug\n`)), 'warning').join('\n'), /'debug' after 'email-alert level' is ignored/);
  });
});

describe('mail that would travel through what it tells of', () => {
  const said = (mailer: string, lines: string): string[] => told(load(`${base}mailers post\n mailer one ${mailer}\nfrontend fe\n bind ${lines}\n default_backend be\nbackend be\n${alert} server s1 10.0.0.1:443\n server s2 ex02.lab.local:443\n server s3 127.0.0.1:2525\n`), 'warning');
  const circle = /^7 the mail server (\S+) is (.*): a letter about its failure would not get through$/;

  it('is warned of: a balanced server, a bind, this machine', () => {
    assert.match(said('10.0.0.1:25', ':443')[0] ?? '', circle);
    assert.match(said('10.0.0.1:25', ':443')[0] ?? '', /the balanced server 'be\/s1' \(\/lb\.cfg:15\)/);
    assert.match(said('EX02.lab.local:587', ':443')[0] ?? '', /the balanced server 'be\/s2'/);
    assert.match(said('10.0.0.10:25', '10.0.0.10:25')[0] ?? '', /this balancer itself \(bind '10\.0\.0\.10:25', \/lb\.cfg:9\)/);
    assert.match(said('127.0.0.1:25', ':20-30')[0] ?? '', /this balancer itself/);
    assert.match(said('127.0.0.1:2525', ':443')[0] ?? '', /be\/s3/);
  });

  it('is no matter with another machine, another port of a bind, or a program of this machine', () => {
    for (const [mailer, bind] of [['10.0.0.9:25', ':25'], ['10.0.0.10:25', '10.0.0.10:443'], ['127.0.0.1:25', ':443'], ['mail.lab.local:25', ':25']] as const) assert.deepEqual(said(mailer, bind), [], mailer);
  });

  it('is warned of for relays of the poise section and for smtp_server of keepalived.conf', () => {
    const balancer = load(`${base}${post.replace('10.0.0.9', '10.0.0.100')}frontend fe\n mode tcp\n bind :25\n default_backend be\nbackend be\n mode tcp\n${alert} server s1 10.0.0.1:25\npoise\n relay 10.0.0.1:25\n relay 10.0.0.7:25\n`);
    assert.equal(told(balancer, 'warning').filter((one) => one.includes('the mail server')).length, 1);
    const node = (server: string, virtual = '10.0.0.101'): string[] => {
      const loaded = loadKeepalived('/k.conf', { files: memoryFiles({ '/k.conf': `global_defs {\n smtp_server ${server}\n}\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n ${virtual}/24\n }\n}\n` }) });
      assert(loaded.model !== undefined);
      return verifyMailServer(model(balancer), loaded.model).map((one) => `${one.place.file}:${one.place.line} ${one.message}`);
    };
    assert.match(node('10.0.0.1')[0] ?? '', /^\/k\.conf:2 the mail server 10\.0\.0\.1:25 is the balanced server 'be\/s1'/);
    assert.match(node('10.0.0.101')[0] ?? '', /is this balancer itself/);
    assert.match(node('10.0.0.9', '10.0.0.100').join('\n'), /^\/lb\.cfg:7 the mail server 10\.0\.0\.100:25 is this balancer itself[^\n]*$/);
    assert.deepEqual(node('10.0.0.9'), []);
    assert.deepEqual(node('10.0.0.101 587'), []);
  });
});
