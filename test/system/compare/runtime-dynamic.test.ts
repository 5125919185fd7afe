/** Servers that are added and deleted at run time: the same words get the same answers, and requests go where they should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparison } from '../../harness/comparison.ts';
import { get } from '../../harness/observe.ts';
import { named } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import { answersTo } from '../../harness/runtime-socket.ts';
import { Site } from '../../harness/site.ts';

const configuration = `
global
    log {log} local0
    nbthread 4
    maxconn 500
    stats socket {admin} mode 600 level admin
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {front}
    http-request set-var(txn.mapped) req.hdr(host),map({dir}/hosts.map,none)
    http-response set-header mapped %[var(txn.mapped)]
    default_backend be
backend be
    balance roundrobin
    server s1 {a} weight 10
    server s2 {b} check inter 60s
backend fixed
    balance source
    server x1 {a}
`;

comparison('servers added and deleted at run time', {
  configuration, files: { 'hosts.map': '' }, origins: () => ({ a: named('a'), b: named('b'), c: named('c') }),
}, (situation) => {
  situation('answers', async (site) => answersTo(site, [
    'add server', 'add server be', 'add server be/', 'add server nope/x', 'add server be/s1', 'add server be/n1', 'add server be/n1 ADDR:80', 'add server be/n1 ADDR:80', 'add server be/n4 ADDR:80 badword',
    'add server be/n5 ADDR:80 weight 7 maxconn 5 check', 'add server be/n6 ADDR:80 disabled', 'add server be/n7 ADDR:80 track s2', 'add server be/n8 ADDR:80 cookie c8', 'add server be/n9 ADDR:80 id 77',
    'add server be/n10 ADDR:80 backup', 'add server be/n11 ADDR:80 ssl verify none', 'add server be/n12 ADDR:80 slowstart 5s', 'add server be/n13 ADDR:80 init-addr none', 'add server be/n14 ADDR:80 resolvers x',
    'add server fixed/n1 ADDR:80', 'get weight be/n5', 'set server be/n1 state ready', 'set weight be/n1 33', 'get weight be/n1', 'enable health be/n5', 'enable health be/n1', 'del server', 'del server be', 'del server be/nope',
    'del server nope/x', 'del server be/s1', 'del server be/n1', 'disable server be/n1', 'del server be/n1', 'get weight be/n1', 'del server be/n5', 'add server be/n1 ADDR:81', 'get weight be/n1', 'show backend',
    'del server be/n1', 'del server be/n6', 'del server be/n7', 'del server be/n9', 'del server be/n10', 'del server be/n11', 'del server be/n12',
  ].map((line) => line.replaceAll('ADDR', site.place.address))).then((answers) => answers.map((answer) => site.anonymous(answer))), { shows: ['New server registered.', 'Only servers in maintenance mode can be deleted.', 'Server deleted.'] });
  situation('the new server gets its share, and none when it is gone', async (site) => {
    const counts = async (): Promise<string[]> => {
      const names = new Set<string>();
      for (let request = 0; request < 24; request += 1) names.add((await site.ask('front', get('/', 'Connection: close'))).body.trim());
      return [...names].toSorted();
    };
    const seen = [await counts()];
    await site.command(`add server be/n ${site.place.address}:${site.port('c')} weight 10`);
    seen.push(await counts());
    await site.command('set server be/n state ready');
    seen.push(await counts());
    await site.command('set server be/n state maint');
    for (let attempt = 0; attempt < 50 && !(await site.command('del server be/n')).includes('deleted'); attempt += 1) await sleep(50);
    seen.push(await counts());
    return seen;
  }, { shows: [/"c/] });
});

test('requests, maps, weights and counters live through additions and deletions', { timeout: 60_000 }, async () => {
  const site = await Site.start('poise', { configuration, files: { 'hosts.map': '' }, origins: () => ({ a: named('a'), b: named('b'), c: named('c') }) });
  try {
    await site.command(`add map ${site.place.folder}/hosts.map now.example one; set weight be/s1 50; set server be/s2 state drain`);
    const traffic = { over: false };
    let failed = 0;
    let requests = 0;
    const load = Array.from({ length: 6 }, async () => {
      while (!traffic.over) {
        const answer = await site.ask('front', 'GET / HTTP/1.1\r\nHost: now.example\r\nConnection: close\r\n\r\n').catch((error: unknown) => ({ startLine: String(error), lines: [] as string[] }));
        requests += 1;
        if (!answer.startLine.includes('200') || !answer.lines.some((line) => /^mapped: one$/i.test(line))) failed += 1;
      }
    });
    for (let round = 0; round < 8; round += 1) {
      assert.equal(await site.command(`add server be/n${round % 3} ${site.place.address}:${site.port('c')} weight 10`), 'New server registered.\n\n');
      assert.match(await site.command(`set server be/n${round % 3} state ready`), /^\n$/);
      await sleep(30);
      assert.match(await site.command(`set server be/n${round % 3} state maint; wait 5s srv-removable be/n${round % 3}; del server be/n${round % 3}`), /Done\.\n\nServer deleted\./);
    }
    traffic.over = true;
    await Promise.all(load);
    assert.ok(requests > 50, `${requests} requests`);
    assert.equal(failed, 0, `${failed} of ${requests} requests failed`);
    assert.match(await site.command('get weight be/s1'), /^50 \(initial 10\)/);
    assert.match(await site.command(`show map ${site.place.folder}/hosts.map`), /now\.example one/);
    const total = (await site.command('show stat fe 1 -1')).split('\n')[1]?.split(',')[48];
    assert.equal(Number(total), requests);
    const left = (await site.command('show servers state be')).split('\n').filter((line) => line.includes(' be ')).map((line) => line.split(' ').slice(3, 7).filter((_, index) => index !== 1).join(' '));
    assert.deepEqual(left, ['s1 2 0', 's2 2 8']);
  } finally {
    await site.stop();
  }
});
