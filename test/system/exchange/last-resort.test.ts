/** The line `last-resort`: when every probe fails, requests reach the servers all the same; without it they get 503. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { test } from 'node:test';
import { answering, ok } from '../../harness/origin.ts';
import { eventually } from '../../harness/place.ts';
import { Site } from '../../harness/site.ts';

/** Serves people and fails its probes, as a server whose health page broke. */
const server = (name: string) => answering((request) => (request.startLine.includes('/healthcheck.htm') ? 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n' : ok(name)));

const configuration = (named: boolean): string => `frontend fe
    bind {fe}
    default_backend owa
backend owa
    option httpchk GET /owa/healthcheck.htm
    server ex1 {ex1} check inter 100ms fall 1
    server ex2 {ex2} check inter 100ms fall 1
${named ? 'poise\n    last-resort owa\n' : ''}`;

async function whenDown(named: boolean, script: (site: Site) => Promise<void>): Promise<void> {
  const site = await Site.start('poise', { configuration: configuration(named), origins: () => ({ ex1: server('ex1'), ex2: server('ex2') }) });
  try {
    await eventually('all are down', async () => {
      const rows = await site.command('show stat');
      return (rows.match(/^owa,ex\d,.*,DOWN,/gm) ?? []).length === 2 && /^owa,BACKEND,.*,DOWN,/m.test(rows);
    }, 30_000);
    await script(site);
  } finally {
    await site.stop();
  }
}

const ask = async (site: Site): Promise<string> => (await site.everything('fe', 'GET /owa/ HTTP/1.0\r\n\r\n')).bytes;

async function timesTold(site: Site): Promise<number> {
  return Number(/\[warning\] last-resort, .* (\d+) times: .*Requests go to all of its 2 servers all the same/.exec(await site.command('show advice'))?.[1]);
}

test('with last-resort every server is used, the state stays DOWN, and the log says so', async () => {
  await whenDown(true, async (site) => {
    const answers = [await ask(site), await ask(site), await ask(site), await ask(site)];
    assert(answers.every((answer) => answer.startsWith('HTTP/1.1 200')), answers.join('\n'));
    assert.deepEqual([...new Set(answers.map((answer) => answer.slice(-3)))].sort(), ['ex1', 'ex2']);
    assert.match(await site.command('show advice'), /\[warning\] last-resort.*Requests go to all of its 2 servers all the same/);
    assert.equal((await site.log.matching(/Backend owa: every probe fails/, 1)).length, 1);
    const before = await timesTold(site);
    // A reload changes nothing of that, and tells it no second time.
    appendFileSync(site.file, '\nbackend more\n    server ex3 127.0.0.1:9\n');
    assert.match(await site.command('reload'), /^Success=1\n/);
    assert.match(await ask(site), /^HTTP\/1\.1 200/);
    assert(await timesTold(site) > before, 'the new configuration finds it again');
    assert.equal(site.log.lines.filter((line) => line.includes('Backend owa: every probe fails')).length, 1);
  });
});

test('without it nobody is used', async () => {
  await whenDown(false, async (site) => {
    assert.match(await ask(site), /^HTTP\/1\.[01] 503 /);
  });
});
