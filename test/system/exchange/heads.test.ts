/**
 * Heads of Exchange's clients through the configuration of the layer 7 article: Kerberos tokens of 40 KB and cookies of 17 KB pass,
 * names keep their spelling and lines their number and order in both directions; what is too large is refused in clear words.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { certificate } from '../../harness/certificates.ts';
import { layerSeven, mailCertificate } from '../../harness/exchange-origin.ts';
import { open } from '../../harness/exchange-clients.ts';
import { Origin } from '../../harness/origin.ts';
import { Site } from '../../harness/site.ts';

const answerLines = [
  'WWW-Authenticate: Negotiate', 'WWW-Authenticate: NTLM', 'WWW-Authenticate: Basic realm="mail.lab.local"', 'X-FEServer: LAB-EX01', 'x-owa-Version: 15.0.847.32', 'Set-Cookie: MapiContext=a==; path=/mapi/emsmdb; secure; HttpOnly',
  'Set-Cookie: MapiRouting=UlVNOjEy/+=; path=/mapi/; secure', 'set-cookie: X-BackEndCookie=S-1-5-21=u56Lnp2ejJqBysqby8+; expires=Mon, 01-Jan-2024 10:00:00 GMT; path=/ews', 'X-Powered-By: ASP.NET', 'Persistent-AUTH: true',
];

/** Answers with the lines above, and as many more bytes as the path says; keeps the heads that it got. */
function servers(): { readonly heads: string[]; readonly origins: () => Record<string, Origin> } {
  const heads: string[] = [];
  const files = certificate(['mail.lab.local']);
  const make = (): Origin => new Origin(async (connection) => {
    for (;;) {
      const text = await connection.until(/\r\n\r\n/, 60_000).catch(() => '');
      if (text === '') return;
      const check = text.includes('/healthcheck.htm');
      const more = Number(/more=(\d+)/.exec(text)?.[1] ?? 0);
      if (!check) heads.push(text);
      connection.send(['HTTP/1.1 200 OK', ...(check ? [] : answerLines), ...(more > 0 ? [`X-More: ${'m'.repeat(more)}`] : []), 'Content-Length: 0', '', ''].join('\r\n'));
    }
  }, { tls: { cert: readFileSync(files.certificate), key: readFileSync(files.key) } });
  return { heads, origins: () => ({ ex1: make(), ex2: make() }) };
}

/** A head of exactly so many bytes. */
function sized(bytes: number): string {
  const [before64, after64] = ['GET /ews/Exchange.asmx HTTP/1.1\r\nHost: mail.lab.local\r\nAuthorization: Negotiate ', '\r\n\r\n'];
  return before64 + 'Y'.repeat(bytes - before64.length - after64.length) + after64;
}

describe('heads', () => {
  const { heads, origins } = servers();
  let site: Site;
  before(async () => {
    site = await Site.start('poise', { configuration: `${layerSeven()}\npoise\n    log-why\n`, origins, values: mailCertificate });
  });
  after(() => site.stop());

  it('lines keep their spelling, order and number, cookies their bytes', { timeout: 20_000 }, async () => {
    const lines = [
      'HOST: Mail.lab.local', 'User-Agent: Microsoft Office/15.0 (Windows NT 6.1; Microsoft Outlook 15.0.4675; Pro)', 'x-anchormailbox: anna@lab.local', 'X-PreferServerAffinity: true', 'X-ClientInfo: {1F}:7', 'X-clientinfo: second',
      `Cookie: MapiContext=a==; MapiRouting="x y", z; MapiSequence=7-${'c'.repeat(17_000)}; X-BackEndOverrideCookie=EX01~1941962753`, 'Cookie: second=line;;a= b', 'X-Empty:', 'TE: trailers',
    ];
    const client = await open(site);
    client.send(['POST /mapi/emsmdb/?MailboxId=%7B1%7D@lab.local&a=b%2fc HTTP/1.1', ...lines, 'Content-Length: 0', '', ''].join('\r\n'));
    const answer = await client.answer('POST');
    assert.deepEqual(answer.lines.slice(1, answerLines.length + 1), answerLines);
    const [start, ...got] = (heads.at(-1) ?? '').trimEnd().split('\r\n');
    assert.equal(start, 'POST /mapi/emsmdb/?MailboxId=%7B1%7D@lab.local&a=b%2fc HTTP/1.1');
    // The last lines are those that the configuration adds.
    assert.deepEqual(got.slice(0, lines.length).map((line) => line.trimEnd()), lines);
    assert.deepEqual(got.slice(lines.length).map((line) => line.slice(0, line.indexOf(':')).toLowerCase()).sort(), ['content-length', 'x-client-ip', 'x-forwarded-proto']);
  });

  it('64 KB pass in both directions, whole and in pieces', { timeout: 20_000 }, async () => {
    const client = await open(site);
    for (const bytes of [40_000, 65_000, 65_536]) {
      assert.equal((await client.send(sized(bytes)).answer()).status, 200, `${bytes}`);
      assert(heads.at(-1)?.startsWith(sized(bytes).slice(0, -2)));
    }
    const big = sized(65_536);
    await client.sendPieces([big.slice(0, 30), big.slice(30, 20_000), big.slice(20_000, 65_533), big.slice(65_533)], 5);
    assert.equal((await client.answer()).status, 200);
    const long = await client.send('GET /ews/?more=60000 HTTP/1.1\r\nHost: x\r\n\r\n').answer();
    assert.equal(long.header('x-more')?.length, 60_000);
  });

  it('what is larger is refused, in words that say why', { timeout: 20_000 }, async () => {
    for (const bytes of [65_537, 1_000_000]) {
      const client = await open(site);
      const { bytes: answer, ending } = await client.send(sized(bytes)).rest();
      assert.match(answer, /^HTTP\/1.1 400 Bad request\r\n[^]*Connection: close/i);
      assert.equal(ending, 'fin');
    }
    for (const pattern of [/ 400 0 - - PR-- .*"<BADREQ>"/, /request refused: .* of 65536 bytes/]) assert.equal((await site.log.matching(pattern, 2)).length, 2);
    assert.match(await site.command('show errors'), /error at position \d+: .*head.* limit/);
    const rows = await site.command('show stat');
    assert.equal(/^fe_ex2013,FRONTEND,(?:[^,]*,){10}(\d+)/m.exec(rows)?.[1], '2');
    const client = await open(site);
    assert.equal((await client.send('GET /ews/?more=70000 HTTP/1.1\r\nHost: x\r\n\r\n').answer()).status, 502);
    await site.log.matching(/be_ex2013_ews\/lab-ex0\d \S+ 502 \d+ - - PH-- /, 1);
    assert.match((await site.log.matching(/answer of server \S* refused/, 1))[0] ?? '', /head/);
  });
});
