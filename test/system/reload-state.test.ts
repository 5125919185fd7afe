/** What a reload must not forget: health, queues, stick tables, addresses set by hand and logins. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Client } from '../harness/client.ts';
import { figure } from '../harness/csv.ts';
import { answering, ok, type Origin } from '../harness/origin.ts';
import { eventually, sleep } from '../harness/place.ts';
import { Site } from '../harness/site.ts';

const head = `global
    log {log} local0
    nbthread 2
    stats socket {admin} mode 600 level admin
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    timeout queue 10s
`;

function named(name: string, answer?: (path: string) => Promise<void>): Origin {
  return answering(async (request) => {
    await answer?.(request.startLine.split(' ')[1] ?? '');
    return ok(name);
  });
}

async function withSite(configuration: string, origins: Readonly<Record<string, Origin>>, run: (running: Site, reload: (text: string) => Promise<void>) => Promise<void>): Promise<void> {
  const running = await Site.start('poise', { configuration, origins: () => origins });
  try {
    await run(running, async (text) => {
      writeFileSync(running.file, running.fill(text));
      assert.match(await running.command('reload'), /^Success=1/);
    });
  } finally {
    await running.stop();
  }
}

async function get(client: Client, path = '/'): Promise<string> {
  return (await client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).answer('GET')).body.toString();
}

describe('state over a reload', () => {
  it('a server that is down stays down, one that is up stays up, and checks go on in their rhythm', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    server up {up} check inter 300\n    server down {nobody} check inter 300\n`;
    return withSite(text, { up: named('up') }, async (running, reload) => {
      await eventually('the second server is found down', async () => (await figure(running, 'be', 'down', 'status')) === 'DOWN');
      const failures = Number(await figure(running, 'be', 'down', 'chkfail'));
      for (let number = 0; number < 20; number++) {
        await reload(`${text}# ${number}\n    server extra${number} {up}\n`);
        assert.equal(await figure(running, 'be', 'down', 'status'), 'DOWN');
        assert.equal(await figure(running, 'be', 'up', 'status'), 'UP');
        await sleep(30);
      }
      assert.equal((running.process?.stderr.match(/Server be\/down is/g) ?? []).length, 1);
      // Reloads closer together than the interval must not keep checks from running.
      await eventually('checks have run', async () => Number(await figure(running, 'be', 'down', 'chkfail')) >= failures);
      assert.match(await running.command('show servers state be'), / down \S+ 0 /);
    });
  });

  it('requests that wait in a queue go on waiting, and are served under the new configuration', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    server one {one} maxconn 1\n`;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    return withSite(text, { one: named('one', (path) => path === '/held' ? held : Promise.resolve()), two: named('two') }, async (running, reload) => {
      const [busy, waiting] = [await running.client('fe'), await running.client('fe')];
      const first = get(busy, '/held');
      await eventually('the server works', async () => (await figure(running, 'be', 'one', 'scur')) === '1');
      const second = get(waiting);
      await eventually('one waits', async () => (await figure(running, 'be', 'BACKEND', 'qcur')) === '1' || (await figure(running, 'be', 'one', 'qcur')) === '1');
      await reload(text.replace('server one', 'server two {two}\n    server one'));
      assert.equal(await second, 'two');
      release();
      assert.equal(await first, 'one');
      // A client has its answer a moment before the gauges know.
      await eventually('nobody is counted any more', async () => [await figure(running, 'be', 'one', 'scur'), await figure(running, 'be', 'BACKEND', 'qcur'), await figure(running, 'be', 'BACKEND', 'scur')].join(' ') === '0 0 0');
    });
  });

  it('stick tables and addresses set by hand stay; a changed address line wins', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    stick-table type string len 32 size 1k expire 10m\n    stick on url_param(u)\n    server one {one}\n    server two {two}\n`;
    return withSite(text, { one: named('one'), two: named('two'), three: named('three') }, async (running, reload) => {
      const client = await running.client('fe');
      const before = [];
      for (const user of ['a', 'b', 'c', 'd']) before.push(await get(client, `/?u=${user}`));
      // What stands before them in the file moves their numbers, not their names.
      const moved = text.replace('    server one', '    server zero {three}\n    server one');
      await reload(moved);
      const after = [];
      for (const user of ['a', 'b', 'c', 'd']) after.push(await get(client, `/?u=${user}`));
      assert.deepEqual(after, before);
      assert.match(await running.command('show table be'), /used:4/);
      const { address } = running.place;
      await running.command(`set server be/one addr ${address} port ${running.port('three')}`);
      await running.command('set server be/two state maint');
      await running.command('set server be/zero state maint');
      await running.command('clear table be');
      assert.equal(await get(client), 'three');
      await reload(text.replace('bind {fe}', 'bind {fe}\n    http-request set-header x y'));
      assert.equal(await get(client), 'three');
      await reload(text.replace('server one {one}', 'server one {two}'));
      assert.equal(await get(client), 'two');
    });
  });

  it('the last malformed request and answer are still known, where their proxies stand now', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    server one {one}\n`;
    return withSite(text, { one: answering(() => 'HTTP/1.1 2x0 Bad\r\n\r\n') }, async (running, reload) => {
      const shown = async (): Promise<string[]> => (await running.command('show errors')).match(/(?:frontend fe|backend be) \(#\d\): invalid \w+|, server \w+ \(#\d\)|event #\d+|GE\\x01T|2x0 Bad|\] : \d+$/gm) ?? [];
      // A thread keeps one of those that come close together.
      const before = await eventually('both are kept', async () => {
        assert.equal((await running.ask('fe', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).status, 502);
        assert.equal((await running.ask('fe', 'GE\u0001T /bad HTTP/1.1\r\nHost: x\r\n\r\n')).status, 400);
        const words = await shown();
        return words.length === 8 ? words : null;
      }, 20_000);
      assert.deepEqual(before.map((word) => word.replace(/(\] : |event #)\d+/, '$1N')),
        ['] : N', 'frontend fe (#2): invalid request', 'event #N', 'GE\\x01T', 'backend be (#3): invalid response', ', server one (#1)', 'event #N', '2x0 Bad']);
      await reload(text.replace('frontend fe', 'backend first\n    server zero {one}\nfrontend fe').replace('server one', 'server zero {one}\n    server one'));
      await running.command('add server be/late 192.0.2.1:80');
      assert.deepEqual(await shown(), before.map((line) => line.replace('fe (#2)', 'fe (#3)').replace('be (#3)', 'be (#4)')));
      // A frontend that is gone takes its own along.
      await reload(text.replace('frontend fe', 'frontend other'));
      assert.doesNotMatch(await running.command('show errors'), /invalid request/);
    });
  });

  it('limits of the process that were set by hand stay, until the configuration says something new about them', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    server one {one}\n`.replace('nbthread 2', 'nbthread 2\n    maxconn 500\n    maxsessrate 300');
    return withSite(text, { one: named('one') }, async (running, reload) => {
      const limits = async (): Promise<string[]> => (await running.command('show info')).match(/^(?:Maxconn|Hard_maxconn|ConnRateLimit|SessRateLimit): \d+/gm) ?? [];
      await running.command('set maxconn global 400; set rate-limit connections global 70; set rate-limit sessions global 80');
      const byHand = ['Maxconn: 400', 'Hard_maxconn: 500', 'ConnRateLimit: 70', 'SessRateLimit: 80'];
      assert.deepEqual(await limits(), byHand);
      await running.command('add server be/late 192.0.2.1:80');
      assert.deepEqual(await limits(), byHand);
      await reload(`${text}    server other {one}\n`);
      assert.deepEqual(await limits(), byHand);
      await reload(text.replace('maxsessrate 300', 'maxsessrate 200').replace('maxconn 500', 'maxconn 600'));
      assert.deepEqual(await limits(), ['Maxconn: 600', 'Hard_maxconn: 600', 'ConnRateLimit: 70', 'SessRateLimit: 200']);
    });
  });

  it('a login that is bound to its server connection outlives the reload', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    server one {one}\n    server two {two}\n`;
    let connections = 0;
    const seen = new Map<string, string>();
    const origin = (name: string): Origin => answering((request, connection) => {
      const port = `${name} ${connection.socket.remotePort}`;
      if (!seen.has(port)) connections += 1;
      seen.set(port, request.header('authorization') ?? seen.get(port) ?? '');
      return ok(`${port} ${seen.get(port) ?? ''}`);
    });
    return withSite(text, { one: origin('one'), two: origin('two') }, async (running, reload) => {
      const client = await running.client('fe');
      const first = (await client.send('GET / HTTP/1.1\r\nHost: x\r\nAuthorization: NTLM TlRMTVNTUAAB\r\n\r\n').answer('GET')).body.toString();
      for (let number = 0; number < 3; number++) {
        await reload(text.replace('server one', `server extra${number} {two}\n    server one`));
        assert.equal(await get(client), first);
      }
      assert.equal(connections, 1);
    });
  });

  it('backends of an Exchange site may be added to one that had none: their logins are watched from then on', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    default_backend be\nbackend be\n    server one {one}\n`;
    const exchange = text.replace('default_backend be', 'use_backend owa if { path_beg -i /owa }\n    default_backend be').concat('backend owa\n    server one {one}\n');
    return withSite(text, { one: answering((request) => request.startLine.includes('/owa') ? 'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n' : ok('one')) }, async (running, reload) => {
      await reload(exchange);
      for (let number = 0; number < 4; number++) {
        const client = await running.client('fe');
        assert.equal((await client.send('GET /owa/ HTTP/1.1\r\nHost: x\r\n\r\n').answer('GET')).status, 401);
        assert.equal(await get(client), 'one');
      }
      assert.doesNotMatch(running.process?.stderr ?? '', /died|failed/);
    });
  });

  it('listeners and servers come and go in every thread', () => {
    const text = `${head}frontend fe\n    bind {fe}\n    http-request set-header X-N one\n    default_backend be\nbackend be\n    server one {one}\n`;
    return withSite(text, { one: named('one'), two: named('two') }, async (running, reload) => {
      await reload(text.replace('server one {one}', 'server two {two}').replace('bind {fe}', 'bind {fe}\n    bind {more}'));
      for (const bind of ['fe', 'more']) assert.equal(await get(await running.client(bind)), 'two');
      await reload(text);
      for (let number = 0; number < 10; number++) assert.equal(await get(await running.client('fe')), 'one');
      await assert.rejects(running.client('more'));
    });
  });
});
