/**
 * Programs that people use with HAProxy and that nobody here wrote, as Debian packages them: each reads and drives Poise as it
 * does HAProxy, and prints the same. docs/management.md has the table of them.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparison } from '../harness/comparison.ts';
import { outputOf } from '../harness/exchange-stage.ts';
import { named } from '../harness/origin.ts';
import { eventually } from '../harness/place.ts';
import { isListening, projectFolder } from '../harness/program.ts';
import type { Site } from '../harness/site.ts';

const configuration = `
frontend fe
    bind {front}
    capture request header X-Forwarded-For len 15
    default_backend be
backend be
    option httpchk GET /
    server s1 {a} weight 10 check inter 500ms
    server s2 {b} weight 20 check inter 500ms
backend dead
    server gone {nobody} check inter 500ms fall 1
frontend figures
    bind {figures}
    http-request use-service prometheus-exporter if { path /metrics }
    stats enable
    stats uri /
`;
const definition = { configuration, origins: () => ({ a: named('a'), b: named('b') }) };
const request = 'GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n';
const exporterPort = 9101;

/** Same traffic, same states: what comes next is to be equal. */
async function settled(site: Site): Promise<void> {
  await eventually('the checks have spoken', async () => {
    const text = await site.command('show stat');
    return /^be,s1,.*,UP,/m.test(text) && /^be,s2,.*,UP,/m.test(text) && /^dead,gone,.*,DOWN,/m.test(text);
  }, 15_000);
}

const socket = (site: Site): string => join(site.place.folder, 'admin.sock');
const script = (name: string): string => join(projectFolder, 'test/harness/clients', name);
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** The exporter's own figures of HAProxy, as a scrape of it gives them. */
async function exported(site: Site, uri: string): Promise<string> {
  const address = `${site.place.address}:${exporterPort}`;
  const exporter = execFile('prometheus-haproxy-exporter', [`--haproxy.scrape-uri=${uri}`, `--web.listen-address=${address}`], { timeout: 20_000 }, () => {});
  try {
    await eventually('the exporter listens', () => isListening(site.place.address, exporterPort), 10_000);
    return await outputOf('curl', ['-sS', '--max-time', '10', `http://${address}/metrics`]);
  } finally {
    const gone = new Promise((resolve) => { exporter.on('exit', resolve); });
    exporter.kill('SIGTERM');
    await gone;
  }
}

/** Names and labels of every figure, and the values of those that only traffic and states move. */
function figures(text: string): string[] {
  const steady = /^haproxy_(up|server_up|backend_up|frontend_http_responses_total|backend_http_responses_total|server_weight|backend_weight|frontend_limit_sessions|server_sessions_total|\w+_sessions_limit)\b/;
  return lines(text).filter((line) => /^haproxy_(?!exporter_)|^# (TYPE|HELP) haproxy_(?!exporter_)/.test(line))
    .map((line) => (line.startsWith('#') || (steady.test(line) && !line.includes('"figures"')) ? line : line.replace(/\{release_date=.*| \S+$/, '')));
}

comparison('programs of Debian on HAProxy and on Poise', definition, (situation) => {
  situation('prometheus-haproxy-exporter, over the socket and over ;csv', async (site) => {
    await settled(site);
    for (let count = 0; count < 4; count++) await site.ask('front', request);
    const bySocket = figures(await exported(site, `unix:${socket(site)}`));
    const byPage = figures(await exported(site, `http://${site.place.address}:${site.port('figures')}/;csv`));
    return { bySocket, byPage };
  }, { shows: ['haproxy_up 1', 'haproxy_server_up{backend=\\"be\\",server=\\"s1\\"} 1', 'haproxy_server_up{backend=\\"dead\\",server=\\"gone\\"} 0'] });

  situation('promtool check metrics on the figures for Prometheus', async (site) => {
    const text = await outputOf('curl', ['-sS', '--max-time', '10', `http://${site.place.address}:${site.port('figures')}/metrics`]);
    // A name of later versions that Poise has as well.
    const found = lines(await outputOf('promtool', ['check', 'metrics'], { input: text })).filter((line) => !line.startsWith('haproxy_process_total_warnings ')).toSorted();
    return { figures: lines(text).filter((line) => line.startsWith('# TYPE')).length > 100, found };
  }, { shows: '"figures": true' });

  situation('check_haproxy_stats of monitoring-plugins-contrib, over the socket and over the page', async (site) => {
    await settled(site);
    const plugin = '/usr/lib/nagios/plugins/check_haproxy_stats';
    const check = async (...args: string[]): Promise<string> => (await outputOf(plugin, args)).replace(/(figures-FRONTEND)=\d+/, '$1=N');
    const page = `http://${site.place.address}:${site.port('figures')}/`;
    const before = [await check('-s', socket(site)), await check('-s', socket(site), '-p', 'be,fe'), await check('-U', page, '-P', 'dead')];
    await site.command('set server be/s1 state maint');
    await site.command('set server be/s2 state drain');
    const after = [await check('-s', socket(site), '-p', 'be'), await check('-s', socket(site), '-p', 'be', '-m', '-n'), await check('-s', socket(site), '-p', 'be', '-i', 's')];
    await site.command('set server be/s1 state ready');
    await site.command('set server be/s2 state ready');
    return { before, after };
  }, { shows: ['Check haproxy CRITICAL', 'server: dead:gone is DOWN (check status: connection error)', 'Check haproxy OK - checked proxies: be, fe', 'be:s1 is MAINT', 'be:s2 is DRAIN'] });

  situation('hatop in a terminal: list, weight, disable, enable', async (site) => {
    await settled(site);
    const see = async (): Promise<string[]> => lines(await site.command('show stat')).filter((line) => line.startsWith('be,s')).map((line) => [1, 17, 18].map((at) => line.split(',')[at]?.replace(/^UP \d\/\d$/, 'UP')).join(' '));
    const hatop = (steps: unknown): Promise<string> => outputOf('/usr/bin/python3', [script('terminal.py'), JSON.stringify(steps), '/usr/bin/hatop', '-s', socket(site), '-i', '1']);
    const keys = (...pressed: string[]): Promise<string> => hatop([['wait', 's2'], ...[1, 2, 3, 4].flatMap(() => [['pause', 0.1], ['keys', down]]), ...pressed.flatMap((key) => [['pause', 0.3], ['keys', key]]), ['pause', 0.4], ['keys', 'q']]);
    const down = '\u001bOB';
    const drawn = await keys('\u001b[19~');
    const listed = ['fe', 'be', 's1', 's2', 'gone', 'figures', 'UP', 'DOWN', 'OPEN'].filter((word) => new RegExp(`\\b${word}\\b`).test(drawn));
    const states = [await see()];
    await keys('\u001b[21~');
    states.push(await see());
    await keys('\u001b[20~');
    states.push(await see());
    return { listed, states };
  }, { shows: ['"s1 UP 20"', '"s1 MAINT 20"', '"OPEN"'] });

  situation('halog on the log', async (site) => {
    for (const path of ['/one', '/one', '/two']) await site.ask('front', request.replace('/', path));
    const log = (await site.log.matching(/ fe be\/s[12] .*"GET \/(one|two)/, 3)).map((line) => `${line.replace(/^<\d+>/, '').replace(/^(\w+ +\d+ [\d:]+) /, '$1 lab ')}\n`).join('');
    const told: Record<string, string[]> = {};
    // Times and the bytes of headers differ from run to run and as docs/differences.md says: the columns beside them stay.
    const steady: Readonly<Record<string, (words: string[]) => string[]>> = { '-uc': (words) => [...words.slice(0, 2), ...words.slice(-1)], '-srv': (words) => words.slice(0, 10) };
    for (const output of ['-c', '-st', '-tc', '-uc', '-srv', '-hs 200:299 -c', '-HS 200:299 -c']) {
      const text = await outputOf('halog', output.split(' '), { input: log });
      told[output] = lines(text).map((line) => (steady[output]?.(line.split(' ')) ?? [line]).join(' '));
    }
    return told;
  }, { shows: ['200 3', '-- 3', '2 0 /one', /"be\/s2 0 [12] /, /"-c": \[\s*"3"/] });

  situation('haproxy_log_analysis on the log', async (site) => {
    for (const [path, from] of [['/a', '192.0.2.1'], ['/a', '192.0.2.1'], ['/b?x=1', '192.0.2.2']] as const) await site.ask('front', request.replace('/ ', `${path} `).replace('\r\n\r\n', `\r\nX-Forwarded-For: ${from}\r\n\r\n`));
    await site.ask('front', request.replace('GET / ', 'POST /c ').replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'));
    const log = (await site.log.matching(/ fe be\/s[12] .*"(GET|POST) \/[abc]/, 4)).map((line) => `${line.replace(/^<\d+>/, '').replace(/^(\w+ +\d+ [\d:]+) /, '$1 lab ')}\n`).join('');
    const file = join(site.place.folder, 'traffic.log');
    writeFileSync(file, `${log}no line of HAProxy\n`);
    const found: string[][] = [];
    const commands = ['counter', 'counter_invalid', 'http_methods', 'ip_counter', 'top_ips', 'status_codes_counter', 'request_path_counter', 'top_request_paths', 'server_load', 'connection_type', 'counter_slow_requests', 'queue_peaks'];
    for (const words of [['-c', commands.join(',')], ['-c', 'counter', '-f', 'ip[192.0.2.1]'], ['-c', 'counter', '-f', 'ip[192.0.2.1]', '-n']]) {
      const told = lines(await outputOf('haproxy_log_analysis', ['-l', file, ...words])).filter((line) => !line.startsWith('='));
      // Lines of two threads may change places.
      found.push(told.map((line) => line.replace(/[{[](.*)[}\]]/, (_, items: string) => items.split(/, (?=['(])/).toSorted().join(', '))));
    }
    return found;
  }, { shows: ["'192.0.2.1': 2", "'200': 4", "'GET': 3, 'POST': 1", "'/a': 2", "'s1': 2, 's2': 2", /"command: counter_invalid",\s*"1"/] });
});
