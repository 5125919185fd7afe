/** `poise check --probe`: servers are asked before anything runs, and what does not fit together is told with its lines. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { certificate } from '../../harness/certificates.ts';
import { answering, ok } from '../../harness/origin.ts';
import type { Origin } from '../../harness/origin.ts';
import { Site } from '../../harness/site.ts';

function exchange(name: string, body: string): Origin {
  return tlsOrigin(name, ok(body));
}

function tlsOrigin(name: string, answer: string): Origin {
  const files = certificate([name]);
  return answering(() => answer, { tls: { cert: readFileSync(files.certificate), key: readFileSync(files.key) } });
}

const configuration = `frontend fe
    bind {fe} ssl crt {bound}
    use_backend owa if { path_beg -i /owa }
    default_backend rest
backend owa
    option httpchk GET /owa/healthcheck.htm
    server ex1 {ex1} check ssl verify none
    server ex2 {ex2} check ssl verify none
backend rest
    server ex1 {ex1} ssl verify none
    server gone {gone} ssl verify none
    server plain {plain}
`;
const values = (): Record<string, string> => ({ bound: certificate(['one.example']).both });

async function probed(origins: Record<string, Origin>, words: readonly string[], text = configuration): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const site = await Site.prepare('poise', { configuration: text, origins: () => origins, values });
  try {
    await site.startOrigins();
    return await site.runOnce(['check', '--probe', '-f', site.file, ...words]);
  } finally {
    await site.stop();
  }
}

test('differing certificates, a copied address and a dead server are told with file and line', async () => {
  const { code, stdout, stderr } = await probed({ ex1: exchange('one.example', '200 OK<br/>EX1.lab.local'), ex2: exchange('two.example', '200 OK<br/>EX1.lab.local') }, []);
  assert.equal(code, 0, stdout + stderr);
  const print = '[0-9a-f]{64}';
  // The global and defaults sections before it have twelve lines.
  assert.match(stdout, new RegExp(`^\\[DIR/lb.cfg:14\\] bind ADDR:\\d+: certificate ${print}$`, 'm'));
  assert.match(stdout, new RegExp(`^\\[DIR/lb.cfg:19\\] server owa/ex1 \\(ADDR:\\d+\\): certificate ${print}, healthcheck.htm says "200 OK<br/>EX1.lab.local"$`, 'm'));
  assert.match(stdout, /^\[DIR\/lb.cfg:23\] server rest\/gone \(ADDR:\d+\): certificate not seen, Connection refused$/m);
  assert.doesNotMatch(stdout, /rest\/plain/);
  assert.match(stderr, new RegExp(`parsing \\[DIR/lb.cfg:20\\] : Extended Protection will refuse Outlook logins: server owa/ex2 .* has the certificate ${print}, bind .* \\[DIR/lb.cfg:14\\] serves ${print}`));
  assert.match(stderr, /parsing \[DIR\/lb.cfg:19\] : OWA will loop: the servers of backend owa have different certificates/);
  assert.match(stderr, /parsing \[DIR\/lb.cfg:20\] : Server owa\/ex2 .* is answered by EX1\.lab\.local, not by ex2/);
  assert.match(stderr, /parsing \[DIR\/lb.cfg:23\] : server rest\/gone .*: Connection refused/);
  assert.doesNotMatch(stderr, /server owa\/ex1 .* has the certificate/);
});

test('a site that fits together has nothing to tell', async () => {
  const text = configuration.replace('    server gone {gone} ssl verify none\n', '');
  const { code, stderr } = await probed({ ex1: exchange('one.example', '200 OK<br/>EX1.lab.local'), ex2: exchange('one.example', '200 OK<br/>EX2.lab.local') }, ['--strict'], text);
  assert.deepEqual([code, stderr.match(/Extended|loop|answered|parsing.*: [sS]erver/)], [0, null], stderr);
});

test('findings are warnings for --strict, and rows for programs', async () => {
  const origins = { ex1: exchange('one.example', '200 OK<br/>EX1.lab.local'), ex2: tlsOrigin('one.example', 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n') };
  const { code, stdout } = await probed(origins, ['--strict', '--json']);
  assert.equal(code, 2);
  const told = JSON.parse(stdout) as { valid: boolean; problems: { severity: string; line: number; message: string }[]; probes: { server: string; line: number; fingerprint: string; trouble: string }[] };
  assert.equal(told.valid, true);
  assert.deepEqual(told.probes.map(({ server, line, fingerprint, trouble }) => [server, line, fingerprint.length, trouble === '']), [['owa/ex1', 19, 64, true], ['owa/ex2', 20, 64, false], ['rest/ex1', 22, 64, true], ['rest/gone', 23, 0, false]]);
  assert(told.problems.some(({ severity, line, message }) => severity === 'warning' && line === 20 && message.endsWith('GET /owa/healthcheck.htm is answered with status 503')));
});
