/** What each level may do, and the commands that only look: the same words get the same answers. */
import { join } from 'node:path';
import { comparison } from '../../harness/comparison.ts';
import { named } from '../../harness/origin.ts';
import { answersTo, runtimeCommand } from '../../harness/runtime-socket.ts';
import type { Site } from '../../harness/site.ts';

comparison('levels of runtime sockets, and what only looks', {
  origins: () => ({ a: named('a') }),
  environment: { POISE_TEST_WORD: 'some value' },
  configuration: `
global
    log {log} local0
    nbthread 1
    maxconn 300
    stats socket {admin} mode 600 level admin expose-fd listeners
    stats socket {dir}/operator.sock mode 600
    stats socket {dir}/user.sock mode 600 level user
    stats timeout 5s
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind {front}
    default_backend be
backend be
    stick-table type ip size 10
    server s1 {a} weight 3
`,
}, (situation) => {
  const told = async (site: Site, socket: string, commands: readonly string[]): Promise<string[]> => {
    const answers: string[] = [];
    for (const command of commands) {
      const answer = await runtimeCommand(join(site.place.folder, `${socket}.sock`), command);
      answers.push(`${command} → ${site.anonymous(answer).replaceAll(/\d\d\/\w{3}\/\d{4}:[\d:.]+/g, 'DATE')}`);
    }
    return answers;
  };
  const changes = [
    'set server be/s1 state maint', 'set weight be/s1 5', 'enable server be/s1', 'disable server be/s1', 'enable health be/s1', 'enable agent be/s1', 'disable frontend fe', 'enable frontend fe', 'shutdown frontend fe', 'shutdown session 0x1',
    'shutdown sessions server be/s1', 'set maxconn global 10', 'set maxconn frontend fe 10', 'set maxconn server be/s1 10', 'set rate-limit sessions global 10', 'clear counters all', 'add server be/x 127.0.0.1:1', 'del server be/s1',
    'set ssl cert x', 'new ssl cert x', 'commit ssl cert x', 'abort ssl cert x', 'del ssl cert x', 'add ssl crt-list x y', 'del ssl crt-list x y', 'show ssl crt-list', 'experimental-mode on', 'expert-mode on',
  ];
  situation('a user changes nothing and sees no secrets', (site) => told(site, 'user', [
    ...changes, 'clear counters', 'show errors', 'show sess', 'show env', 'show startup-logs', 'show table be', 'set table be key 1.2.3.4', 'operator', 'user', 'show cli level', 'show cli sockets', 'get weight be/s1', 'show backend', 'show peers', 'show tasks',
  ]), { shows: ['Permission denied', 'contents not dumped due to insufficient privileges'] });
  situation('an operator looks at everything', (site) => told(site, 'operator', [...changes, 'clear counters', 'show errors', 'show errors be', 'show errors nope', 'show errors fe request', 'show env POISE_TEST_WORD', 'show env POISE_NO_SUCH', 'operator;show cli level', 'user;show cli level']), { shows: ['POISE_TEST_WORD=some value', 'Variable not found', 'Total events captured'] });
  situation('levels are only lowered', (site) => answersTo(site, [
    'operator;show cli level;set weight be/s1 4;user;show cli level;operator;show cli level', 'show cli level;show cli level', 'show cli sockets', 'set timeout', 'set timeout cli', 'set timeout cli x', 'set timeout cli 10', 'set timeout cli 10s',
    'set timeout cli 0', 'set timeout foo', 'set timeout cli 99999999999', 'experimental-mode', 'expert-mode', 'experimental-mode on;experimental-mode;experimental-mode off;experimental-mode', 'set severity-output', 'set severity-output x',
    'set severity-output none', 'show peers nope', 'show resolvers nope', 'show events nope', 'show events buf0 -x', 'show events buf0 n', 'show sess 5', 'show sess 0x5', 'show sess 05x', 'show stat nope 1 1', 'show stat domain nope', 'show stat domain', 'quit;show cli level', 'show cli level;quit;show cli level',
    'prompt;show cli level;quit', 'show cli level more words', '  show\tcli  level ', 'show\\ cli level;show cli level',
  ].filter((line) => !line.includes('\\ '))), { shows: ['operator', "'set timeout' only supports 'cli'", 'Invalid statistics domain.'] });
  situation('formats and filters of show stat and show info', async (site) => {
    const names = (text: string): string => text.split('\n').map((line) => line.split(',').slice(0, 2).join(',')).join('\n').slice(0, 300);
    // The tags are those of HAProxy 3.5.
    const typed = (await site.command('show stat typed')).split('\n').filter((line) => /^[FBSL]\.\d+\.\d+\.(?:[0-9]|1[0-9])\./.test(line)).map((line) => line.replace(/:\w+:/, ':'));
    const json = JSON.parse(await site.command('show stat json')) as { objType: string; proxyId: number; id: number; field: { name: string } }[][];
    const info = (await site.command('show info')).split('\n').map((line) => line.split(':')[0]).slice(0, 30);
    return [
      names(await site.command('show stat -1 1 -1')), names(await site.command('show stat be 4 -1')), names(await site.command('show stat -1 4 1')), names(await site.command('show stat up')), names(await site.command('show stat no-maint')),
      typed, json.map((row) => [row[0]?.objType, row[0]?.proxyId, row[0]?.id, row.slice(0, 12).map(({ field }) => field.name).join()]), info, Array.isArray(JSON.parse(await site.command('show info json'))),
      (await site.command('show info typed')).split('\n').slice(0, 2).map((line) => line.slice(0, 24)),
    ];
  }, { shows: ['be,s1', 'Frontend', 'Nbthread'] });
});
