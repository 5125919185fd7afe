/** docs/exchange.md: its commands run, its lines are accepted, its tables are complete. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { certificate } from '../../harness/certificates.ts';
import { temporaryFolder } from '../../harness/place.ts';
import { projectFolder, runtime } from '../../harness/program.ts';

const page = readFileSync(join(projectFolder, 'docs/exchange.md'), 'utf8');
const blocks = [...page.matchAll(/^```\n([^]*?)^```$/gm)].map((found) => found[1] ?? '');
/** Lines of the page's blocks that call the program, without their remarks. */
const commands = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n')).filter((line) => line.startsWith('poise ')).map((line) => line.replace(/\s+#.*/, '').split(' ').slice(1));

/** Rows of the table whose heading starts with this. */
function table(heading: string): string[][] {
  const [, rest = ''] = page.split(`| ${heading}`);
  return (rest.split('\n\n')[0] ?? '').split('\n').slice(2).map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()));
}

function poise(words: readonly string[], folder: string): { code: number | null; told: string } {
  const { status, stdout, stderr } = spawnSync(join(projectFolder, 'bin/poise'), words, { cwd: folder, encoding: 'utf8', env: { ...process.env, POISE_RUNTIME: runtime }, timeout: 30_000 });
  return { code: status, told: stdout + stderr };
}

function command(...first: readonly string[]): readonly string[] {
  const found = commands.find((words) => first.every((word, at) => words[at] === word));
  assert(found !== undefined, first.join(' '));
  return found;
}

/** The files of the page's `poise init`. */
function site(): string {
  const folder = temporaryFolder();
  copyFileSync(certificate(['mail.example.com', 'autodiscover.example.com']).both, join(folder, 'mail.pem'));
  const { code, told } = poise(command('init'), folder);
  assert.equal(code, 0, told);
  assert.doesNotMatch(told, /warning/);
  return folder;
}

describe('docs/exchange.md', () => {
  it('poise init writes the files that the page names, and the commands after it accept them', () => {
    const folder = site();
    const named = table('file | holds').flatMap(([file = '']) => [...file.matchAll(/`([^`]+)`/g)].map((found) => found[1] ?? ''));
    assert.deepEqual(readdirSync(join(folder, 'site')).sort(), named.sort());
    assert.deepEqual(poise(command('check', '-f'), folder), { code: 0, told: 'Configuration file is valid\n' });
    for (const file of ['haproxy.cfg', 'poise.cfg']) copyFileSync(join(folder, 'site', file), join(folder, file));
    copyFileSync(join(folder, 'site/keepalived-lb01.conf'), join(folder, 'keepalived.conf'));
    assert.deepEqual(poise(['-c', ...command('-f')], folder), { code: 0, told: 'Configuration file is valid\n' });
    assert.match(poise(command('vrrp', 'status'), folder).told, /no node runs with .*keepalived\.conf/);
  });

  it('the lines for passive protection and for the last resort fit into those files', () => {
    const folder = site();
    const observe = blocks.find((block) => block.includes('observe layer7')) ?? '';
    const lastResort = blocks.find((block) => block.startsWith('poise\n')) ?? '';
    const [opening = '', line = ''] = observe.split('\n');
    const written = readFileSync(join(folder, 'site/haproxy.cfg'), 'utf8');
    const changed = written.replace(`${opening}\n`, `${opening}\n${line}\n`);
    assert.notEqual(changed, written);
    writeFileSync(join(folder, 'haproxy.cfg'), changed);
    writeFileSync(join(folder, 'poise.cfg'), lastResort);
    assert.deepEqual(poise(['check', '--strict', '-f', 'haproxy.cfg', '-f', 'poise.cfg'], folder), { code: 0, told: 'Configuration file is valid\n' });
    const haproxy = spawnSync('haproxy', ['-c', '-f', 'haproxy.cfg'], { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` } });
    assert.deepEqual([haproxy.status, haproxy.stderr], [0, '']);
  });

  it('every advice that the program knows has its row, and no other', () => {
    const known = [...readFileSync(join(projectFolder, 'src/model/advice.ts'), 'utf8').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map((found) => found[1] ?? '');
    assert(known.length > 5);
    assert.deepEqual(table('code | what it means').map(([code = '']) => code.replaceAll('`', '')).sort(), known.sort());
  });

  it('a timeout one second shorter than the table says is told, the one in the table is not', () => {
    const folder = temporaryFolder();
    const rows = table('service | `timeout server`').map(([service = '', needed = '']) => ({ service, server: Number(/^(\d+)s/.exec(needed)?.[1]), client: Number(/timeout client (\d+)s/.exec(needed)?.[1] ?? 0) }));
    assert.equal(rows.length, 4);
    const told = (less: number): string => {
      writeFileSync(join(folder, 'lb.cfg'), `defaults\n mode http\n timeout connect 5s\n timeout server 2h\n timeout client 2h\n${rows.map(({ service, server, client }, at) =>
        `frontend fe${at}\n bind 127.0.0.1:${8080 + at}\n timeout client ${Math.max(1, client - less)}s\n use_backend be${at} if { path_beg -i ${service} }\n default_backend rest\n` +
        `backend be${at}\n timeout server ${server - less}s\n server s 127.0.0.1:8090\n`).join('')}backend rest\n server s 127.0.0.1:8090\n`);
      return poise(['check', '-f', 'lb.cfg'], folder).told;
    };
    assert.doesNotMatch(told(0), /too short/);
    const short = [...told(1).matchAll(/'(timeout \w+)' of (\d+)s is too short for \w+ '(\w+)'/g)].map(([, ...found]) => found.join(' '));
    assert.deepEqual(short.sort(), rows.flatMap(({ server, client }, at) => [`timeout server ${server - 1} be${at}`, ...client > 0 ? [`timeout client ${client - 1} fe${at}`] : []]).sort());
  });
});
