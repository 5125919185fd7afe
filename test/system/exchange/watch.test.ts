/** The running balancer names certificates and addresses that will hurt Exchange clients: log, runtime socket, statistics page. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { certificate } from '../../harness/certificates.ts';
import { answering, ok } from '../../harness/origin.ts';
import type { Origin } from '../../harness/origin.ts';
import { eventually } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';

function exchange(name: string, fqdn: string): Origin {
  const files = certificate([name]);
  return answering(() => ok(`200 OK<br/>${fqdn}`), { tls: { cert: readFileSync(files.certificate), key: readFileSync(files.key) } });
}

test('differing certificates and a copied address are named', async () => {
  const site = await Site.start('poise', {
    configuration: `frontend fe
    bind {fe} ssl crt {bound}
    default_backend owa
frontend stats
    bind {stats}
    stats enable
    stats uri /
backend owa
    option httpchk GET /owa/healthcheck.htm
    server ex1 {ex1} check ssl verify none inter 200ms
    server ex2 {ex2} check ssl verify none inter 200ms
`,
    origins: () => ({ ex1: exchange('one.example', 'EX1.lab.local'), ex2: exchange('two.example', 'EX1.lab.local') }),
    values: () => ({ bound: certificate(['one.example']).both }),
  });
  try {
    let advice = '';
    await eventually('four entries', async () => {
      advice = await site.command('show advice');
      return ['certificate-of-bind', 'certificates-of-servers', 'other-server', 'same-server-twice'].every((code) => advice.includes(code));
    }, 20_000);
    const print = '[0-9a-f]{64}';
    assert.match(advice, new RegExp(`Extended Protection will refuse Outlook logins: server owa/ex2 .* has the certificate ${print}, .* serves ${print}`));
    assert.doesNotMatch(advice, /server owa\/ex1 .* has the certificate/);
    assert.match(advice, /OWA will loop: the servers of backend owa/);
    assert.match(advice, /\[warning\] other-server.*Server owa\/ex2 .* is answered by EX1\.lab\.local, not by ex2/);
    const json = JSON.parse(await site.command('show advice json')) as { code: string; count: number }[];
    assert.deepEqual(json.map(({ code }) => code).sort(), ['certificate-of-bind', 'certificates-of-servers', 'other-server', 'same-server-twice']);
    const page = (await site.everything('stats', 'GET / HTTP/1.0\r\n\r\n')).bytes;
    assert.match(page, /<table class="t advice">.*OWA will loop/s);
    assert.equal((await site.log.matching(/Extended Protection/, 1)).length, 1, 'one line, however often it is seen');
    // Renewed on the bind alone: now the other server is the one that differs.
    const file = certificate(['one.example']).both;
    const pem = readFileSync(certificate(['two.example']).both, 'latin1').trimEnd();
    await site.command(`set ssl cert ${file} <<\n${pem}\n\n`);
    assert.match(await site.command(`commit ssl cert ${file}`), /Success!/);
    await eventually('the other entry', async () => {
      const told = await site.command('show advice');
      return /certificate-of-bind \(over\).* server owa\/ex2 /.test(told) && /certificate-of-bind, .* server owa\/ex1 /.test(told);
    });
  } finally {
    await site.stop();
  }
});

test('a service whose every probe fails while the others are up is named', async () => {
  const server = (): Origin => answering((request) => (request.startLine.includes('/ews/') ? 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n' : ok('200 OK')));
  const backends = ['ews', 'owa', 'mapi'].map((name) => `backend ${name}
    option httpchk GET /${name}/healthcheck.htm
    http-check expect status 200
    server ex1 {ex1} check inter 2s fastinter 200ms fall 2
    server ex2 {ex2} check inter 2s fastinter 200ms fall 2
`).join('');
  const site = await Site.start('poise', { configuration: `frontend fe\n    bind {fe}\n    use_backend ews if { path_beg -i /ews }\n    use_backend mapi if { path_beg -i /mapi }\n    default_backend owa\n${backends}`, origins: () => ({ ex1: server(), ex2: server() }) });
  try {
    let advice = '';
    await eventually('the entry', async () => {
      advice = await site.command('show advice');
      return advice.includes('service-down');
    }, 30_000);
    assert.match(advice, /service-down[^\n]*ews/);
    assert.doesNotMatch(advice, /service-down[^\n]*backend (owa|mapi)/);
    assert.equal((await site.log.matching(/Every probe of backend ews fails/, 1)).length, 1);
  } finally {
    await site.stop();
  }
});
