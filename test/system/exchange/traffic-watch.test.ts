/** What the running balancer notices in live traffic: refused clients, OWA logins that loop, rules that miss by case, certificates. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ExchangeServer } from '../../../src/exchange-sim/server.ts';
import { certificate } from '../../harness/certificates.ts';
import type { Message } from '../../harness/http.ts';
import { answering, named, ok } from '../../harness/origin.ts';
import { eventually } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';

/** Two threads, so that a refusal and a success may meet different ones. */
const global = `global
    log {log} local0
    nbthread 2
    maxconn 2000
    stats socket {admin} mode 600 level admin
defaults
    mode http
    log global
    timeout connect 2s
    timeout client 5s
    timeout server 5s
`;

/** Codes of the entries that are not over. */
async function active(site: Site): Promise<string[]> {
  const entries = JSON.parse(await site.command('show advice json')) as { code: string; active: boolean }[];
  return entries.filter((entry) => entry.active).map(({ code }) => code).sort();
}

test('a client that is refused again and again is named, until it is let in', async () => {
  let letIn = false;
  const site = await Site.start('poise', {
    configuration: `${global}frontend fe
    bind {fe}
    use_backend ews if { path_beg -i /ews }
    default_backend rest
backend ews
    server ex1 {ex1}
backend rest
    server ex1 {ex1}
`,
    origins: () => ({ ex1: answering((request) => (letIn || request.header('authorization') === undefined && request.startLine.includes('/owa') ? ok('in') : 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n')) }),
  });
  try {
    const ask = (path: string, line = ''): Promise<Message> => site.ask('fe', `GET ${path} HTTP/1.1\r\nHost: x\r\n${line}\r\n`);
    for (let round = 0; round < 19; round += 1) await ask('/EWS/Exchange.asmx', 'Authorization: NTLM TlRMTVNTUAABAAAA\r\n');
    // Success elsewhere is none here, and one refusal more is one too many.
    await ask('/owa/');
    assert.deepEqual(await active(site), []);
    await ask('/EWS/Exchange.asmx', 'Authorization: NTLM TlRMTVNTUAABAAAA\r\n');
    await eventually('the entry', async () => (await active(site)).includes('login-refused'));
    const advice = await site.command('show advice');
    assert.match(advice, /\[warning\] login-refused.*, 20 times: 401 loop: client 127\.[\d.]+ was refused 20 times in \d+ s at backend ews \(server ex1\) and let in not once, with credentials of the kind 'ntlm'/);
    assert.doesNotMatch(advice + site.log.lines.join('\n'), /TlRMTVNTUAABAAAA/);
    letIn = true;
    await ask('/EWS/Exchange.asmx');
    await eventually('the end of the entry', async () => (await active(site)).length === 0);
    assert.equal(site.log.lines.filter((line) => line.includes('401 loop')).length, 1);
  } finally {
    await site.stop();
  }
});

test('a login that leads back to the logon page for ever is named with both servers', async () => {
  const site = await Site.prepare('poise', {
    configuration: `${global}frontend fe
    bind {fe}
    default_backend owa
backend owa
    option httpchk GET /owa/healthcheck.htm
    use-server LAB-EX01 if { path /owa/auth.owa }
    use-server LAB-EX02 if { path /owa/ }
    server LAB-EX01 {ex1} ssl verify none
    server LAB-EX02 {ex2} ssl verify none
`,
  });
  const accounts = { domain: 'lab.local', passwords: new Map([['alice', 'secret']]) };
  const servers = ['ex1', 'ex2'].map((name, at) => {
    const files = certificate([`${name}.example`]);
    return new ExchangeServer({
      name: `LAB-EX0${at + 1}`, fqdn: `lab-ex0${at + 1}.lab.local`, host: site.place.address, port: site.port(name), accounts,
      certPem: readFileSync(files.certificate, 'latin1'), keyPem: readFileSync(files.key, 'latin1'),
    });
  });
  try {
    for (const server of servers) await server.listen();
    await site.startOrigins();
    await site.startProgram();
    const form = 'destination=%2Fowa%2F&username=alice&password=secret';
    // As fast as it goes: every connection may meet the other thread.
    for (let round = 0; round < 4; round += 1) {
      const login = await site.ask('fe', `POST /owa/auth.owa HTTP/1.1\r\nHost: mail\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
      assert.equal(login.header('location'), '/owa/');
      const cookies = login.lines.filter((line) => line.startsWith('Set-Cookie: ')).map((line) => line.slice(12).split(';', 1)[0]).join('; ');
      const page = await site.ask('fe', `GET /owa/ HTTP/1.1\r\nHost: mail\r\nCookie: ${cookies}\r\n\r\n`);
      assert.match(page.header('location') ?? '', /^\/owa\/auth\/logon\.aspx/);
    }
    await eventually('the entry', async () => (await active(site)).includes('owa-login-loop'));
    assert.match(await site.command('show advice'), /OWA login loop: client 127\.[\d.]+ logged in [34] times in \d+ s at backend owa and was sent back to the logon page each time \(servers LAB-EX01, LAB-EX02\)/);
    assert.doesNotMatch(await site.command('show advice'), /secret|cadata/);
    // No check runs: what requests saw of the certificates is enough.
    assert((await active(site)).includes('certificates-of-servers'));
  } finally {
    await site.stop();
    for (const server of servers) await server.close();
  }
});

test('requests that miss a rule because of its case are named, with the rule to write', async () => {
  const site = await Site.start('poise', {
    configuration: `${global}frontend fe
    bind {fe}
    acl autodiscover url_beg /Autodiscover
    use_backend auto if autodiscover
    default_backend rest
backend auto
    server ex1 {ex1}
backend rest
    server ex1 {ex1}
`,
    origins: () => ({ ex1: named('ex1') }),
  });
  try {
    for (const path of ['/Autodiscover/a.xml', '/owa/', '/autodiscover/a.xml']) await site.ask('fe', `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await eventually('the entry', async () => (await active(site)).includes('rule-misses-case'));
    assert.match(await site.command('show advice'), /, 1 times: Requests miss a rule .*frontend fe sends "\/Autodiscover" to backend auto, but 1 request such as "\/autodiscover\/a\.xml" .* default backend rest.*"path_beg -i \/autodiscover"/);
    assert.equal(site.log.lines.filter((line) => line.includes('Requests miss a rule')).length, 1);
    // A reload without that frontend.
    writeFileSync(site.file, readFileSync(site.file, 'latin1').replace('frontend fe', 'frontend other'));
    assert.match(await site.command('reload'), /^Success=1\n/);
    await eventually('the end of the entry', async () => (await active(site)).length === 0);
    assert.match(await site.command('show advice'), /rule-misses-case \(over\)/);
  } finally {
    await site.stop();
  }
});

test('the certificate that requests meet is compared, also without checks, and again when it changes', async () => {
  const files = (name: string): { cert: Buffer; key: Buffer } => {
    const made = certificate([name]);
    return { cert: readFileSync(made.certificate), key: readFileSync(made.key) };
  };
  const site = await Site.start('poise', {
    configuration: `${global}frontend fe
    bind {fe} ssl crt {bound}
    use_backend owa if { path_beg -i /owa }
backend owa
    http-reuse never
    server ex1 {ex1} ssl verify none no-ssl-reuse
`,
    origins: () => ({ ex1: named('ex1', { tls: files('other.example') }) }),
    values: () => ({ bound: certificate(['bound.example']).both }),
  });
  try {
    const ask = (): Promise<Message> => site.ask('fe', 'GET /owa/ HTTP/1.1\r\nHost: x\r\n\r\n', { tls: {} });
    for (let round = 0; round < 5; round += 1) await ask();
    await eventually('the entry', async () => (await active(site)).includes('certificate-of-bind'));
    assert.match(await site.command('show advice'), /Extended Protection will refuse Outlook logins: server owa\/ex1 .* has the certificate [0-9a-f]{64}, bind .*:\d+ \[.*:\d+\] serves [0-9a-f]{64}/);
    await site.origin('ex1').close();
    const right = named('ex1', { tls: files('bound.example') });
    await right.listen(site.place.address, site.port('ex1'));
    try {
      await eventually('the end of the entry', async () => {
        await ask();
        return (await active(site)).length === 0;
      });
    } finally {
      await right.close();
    }
    assert.equal(site.log.lines.filter((line) => line.includes('Extended Protection')).length, 1);
  } finally {
    await site.stop();
  }
});
