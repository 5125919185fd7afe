/**
 * Plugins and modules for HAProxy that nobody here wrote: munin's, netdata's, Ansible's, and npm's `haproxy`. The files of the
 * packages, unchanged, read and drive Poise as they do HAProxy. docs/management.md has the table of them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { comparison } from '../harness/comparison.ts';
import { outputOf } from '../harness/exchange-stage.ts';
import { named } from '../harness/origin.ts';
import { outsidePaths } from '../harness/outside-packages.ts';
import { eventually } from '../harness/place.ts';
import type { Site } from '../harness/site.ts';

const configuration = `
frontend fe
    bind {front}
    default_backend be
backend be
    server s1 {a} weight 10 check inter 500ms
    server s2 {b} weight 20 check inter 500ms
frontend figures
    bind {figures}
    stats enable
    stats uri /
`;
const definition = { configuration, origins: () => ({ a: named('a'), b: named('b') }) };
const request = 'GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n';
const python = '/usr/bin/python3';

const socket = (site: Site): string => join(site.place.folder, 'admin.sock');
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

function needed(path: string): string {
  assert(existsSync(path), `${path.replace(/.*outside-packages\//, '')} is missing; \`npm test programs\` fetches it`);
  return path;
}

async function settled(site: Site): Promise<void> {
  await eventually('the checks have spoken', async () => [...(await site.command('show stat')).matchAll(/^be,s[12],.*,L4OK,/gm)].length === 2, 15_000);
}

/** How many checks a server still has to pass is a matter of the moment. */
const withoutMoments = (text: string): string => text.replace(/\b(UP|DOWN) \d\/\d/g, '$1');

/** Status and weight of both servers, from the socket itself. */
async function servers(site: Site): Promise<string[]> {
  return lines(withoutMoments(await site.command('show stat'))).filter((line) => line.startsWith('be,s')).map((line) => [1, 17, 18].map((at) => line.split(',')[at]).join(' '));
}

/** Runs Ansible's module as Ansible does: the arguments as JSON on its input, what it did as JSON on its output. */
async function ansible(site: Site, args: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const input = JSON.stringify({ ANSIBLE_MODULE_ARGS: { backend: 'be', socket: socket(site), wait_interval: 1, wait_retries: 5, ...args, _ansible_remote_tmp: site.place.folder } });
  const told = await outputOf(python, [needed(outsidePaths.ansibleModule)], { input, env: { PYTHONPATH: needed(outsidePaths.ansiblePython) } });
  return JSON.parse(withoutMoments(site.anonymous(told)), (name, value) => (name === 'invocation' ? undefined : value)) as Record<string, unknown>;
}

/** The plugin runs for ever: what it says until its last chart has a value. */
async function firstRound(plugin: string, more: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(python, [plugin, 'haproxy', 'nolock', '1'], { env: { ...process.env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  const gone = new Promise((resolve) => { child.on('close', resolve); });
  await eventually('a round of the plugin', () => /^SET 'idle'.*\nEND/m.test(text), 20_000).catch((error: unknown) => { text = `${String(error)}\n${text}`; });
  child.kill('SIGKILL');
  await gone;
  return text;
}

/** What netdata's plugin draws in its first second: charts, dimensions, and the values that time does not move. */
async function netdata(site: Site, job: string): Promise<string[]> {
  const folder = join(site.place.folder, `netdata-${job.split(':')[0]}`);
  mkdirSync(join(folder, 'python.d'), { recursive: true });
  writeFileSync(join(folder, 'python.d.conf'), 'haproxy: yes\n');
  writeFileSync(join(folder, 'python.d/haproxy.conf'), `lab:\n  ${job}\n`);
  const env = {
    NETDATA_PLUGINS_DIR: needed(join(outsidePaths.netdata, 'plugins.d')), NETDATA_USER_CONFIG_DIR: folder, NETDATA_STOCK_CONFIG_DIR: folder,
    NETDATA_LIB_DIR: folder, NETDATA_LOCK_DIR: folder,
  };
  const text = await firstRound(join(outsidePaths.netdata, 'plugins.d/python.d.plugin'), env);
  const drawn = lines(text).filter((line) => /^(CHART|DIMENSION|SET) /.test(line) && !line.includes('run_time'));
  const steady = /'(frontend_hrsp_2xx_fe|backend_hrsp_total_be|hsup_be|hsdown_be|hbdown_be)'/;
  return [...new Set(drawn.map((line) => (line.startsWith('SET') && !steady.test(line) ? line.replace(/ = \d+$/, '') : line)))].toSorted();
}

comparison('plugins for HAProxy on HAProxy and on Poise', definition, (situation) => {
  situation('haproxy_ng of munin-plugins-extra', async (site) => {
    await settled(site);
    for (let count = 0; count < 4; count++) await site.ask('front', request);
    const env = { url: `http://${site.place.address}:${site.port('figures')}/;csv;norefresh`, MUNIN_CAP_MULTIGRAPH: '1', PERL5LIB: needed(outsidePaths.muninPerl) };
    const read = (...args: string[]): Promise<string> => outputOf('perl', [needed(outsidePaths.muninPlugin), ...args], { env });
    const values = lines(await read()).map((line) => (/_(bin|bout|lastchg)\.|^figures_/.test(line) ? line.replace(/ \d+$/, '') : line));
    return { config: lines(await read('config')), values };
  }, { shows: ['be_act.value 2', 'be_stot.value 4', 'graph_title Session rate by Frontend'] });

  situation('haproxy of netdata-plugins-python, over the socket', (site) => settled(site).then(() => netdata(site, `socket: ${socket(site)}`)),
    { shows: ["SET 'hsup_be' = 2", "SET 'idle'"] });

  situation('haproxy of netdata-plugins-python, over the page and its ;csv', (site) => settled(site).then(() => netdata(site, `url: http://${site.place.address}:${site.port('figures')}/;csv;norefresh`)),
    { shows: ["SET 'hsup_be' = 2", "SET 'idle'"] });

  situation("Ansible's community.general.haproxy: disabled, enabled, drain, weight, a server that is not there", async (site) => {
    await settled(site);
    const steps: unknown[] = [];
    for (const args of [
      { host: 's1', state: 'disabled', wait: true }, { host: 's1', state: 'enabled', weight: '50%', wait: true }, { host: 's2', state: 'drain', wait: true, shutdown_sessions: true },
      { host: 's2', state: 'enabled', health: true, agent: true }, { host: 's3', state: 'disabled', fail_on_not_found: true }, { host: 's3', state: 'disabled' },
    ]) steps.push([await ansible(site, args), await servers(site)]);
    await site.command('set server be/s1 weight 10');
    return steps;
  }, { shows: ['"s1 MAINT 10"', '"s1 UP 5"', '"s2 DRAIN 20"', '"changed": true', '"failed": true'] });

  situation('haproxy of npm: stat, info, weight, disable, enable, pause, resume, sessions', async (site) => {
    await settled(site);
    type Answer = (error: Error | undefined, answer: unknown) => void;
    const Library = createRequire(import.meta.url)(needed(outsidePaths.npmModule)) as new (path: string, options: object) => Record<string, (...args: unknown[]) => unknown>;
    const library = new Library(socket(site), { which: 'haproxy', config: site.file });
    const ask = (command: string, ...args: unknown[]): Promise<unknown> => new Promise((resolve) => {
      const answer: Answer = (error, value) => resolve(error === undefined ? value : `error: ${error.message.replace(/\[.*\]/, '[TIME]')}`);
      library[command]?.(...args, answer);
    });
    const stat = (await ask('stat', '-1', '-1', '-1')) as Record<string, string>[];
    const info = (await ask('info')) as Record<string, unknown>;
    const told: Record<string, unknown> = { stat: stat.map((row) => [row['pxname'], row['svname'], row['status'], row['weight']].join(' ')), info: [info['Name'], info['Nbthread'], info['Maxconn']] };
    for (const [command, ...args] of [
      ['weight', 'be', 's1'], ['weight', 'be', 's1', 7], ['weight', 'be', 's1'], ['weight', 'be', 'none'], ['disable', 'be', 's2'], ['enable', 'be', 's2'], ['disable', 'none', 's2'],
      ['pause', 'fe'], ['resume', 'fe'], ['maxconn', 'fe', 500], ['ratelimit', 100], ['ratelimit', 0], ['clear', true], ['errors'],
    ] as [string, ...unknown[]][]) {
      told[`${Object.keys(told).length} ${command} ${args.join(' ')}`] = [await ask(command, ...args), await servers(site)];
    }
    return told;
  }, { shows: ['"s1 UP 7"', '"s2 MAINT 20"', '"initial": 10', 'No such'] });
});
