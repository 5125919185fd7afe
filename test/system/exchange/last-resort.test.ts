/** The line `last-resort`: when every probe fails, requests reach the servers all the same; without it they get 503. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering, ok } from '../../harness/origin.ts';
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
    let rows = '';
    for (let look = 0; look < 100 && (rows.match(/^owa,ex\d,.*,DOWN,/gm) ?? []).length < 2; look += 1) {
      await sleep(50);
      rows = await site.command('show stat');
    }
    assert.equal((rows.match(/^owa,ex\d,.*,DOWN,/gm) ?? []).length, 2, rows);
    assert.match(rows, /^owa,BACKEND,.*,DOWN,/m);
    await script(site);
  } finally {
    await site.stop();
  }
}

const ask = async (site: Site): Promise<string> => (await site.everything('fe', 'GET /owa/ HTTP/1.0\r\n\r\n')).bytes;

test('with last-resort every server is used, the state stays DOWN, and the log says so', async () => {
  await whenDown(true, async (site) => {
    const answers = [await ask(site), await ask(site), await ask(site), await ask(site)];
    assert(answers.every((answer) => answer.startsWith('HTTP/1.1 200')), answers.join('\n'));
    assert.deepEqual([...new Set(answers.map((answer) => answer.slice(-3)))].sort(), ['ex1', 'ex2']);
    assert.match(await site.command('show advice'), /\[warning\] last-resort.*Requests go to all of its 2 servers all the same/);
    assert.match(site.log.lines.join('\n'), /Backend owa: every probe fails/);
  });
});

test('without it nobody is used', async () => {
  await whenDown(false, async (site) => {
    assert.match(await ask(site), /^HTTP\/1\.[01] 503 /);
  });
});
