/** `poise logs` on lines that Debian's HAProxy and Poise wrote, beside Debian's halog, on gzip files, streams and files that grow. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, readdirSync, readlinkSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { answering, ok } from '../harness/origin.ts';
import { eventually, temporaryFolder } from '../harness/place.ts';
import { projectFolder, runtime } from '../harness/program.ts';
import { Site, type SiteDefinition } from '../harness/site.ts';

const folder = temporaryFolder();
const program = join(projectFolder, 'bin/poise');
const env = { ...process.env, POISE_RUNTIME: runtime };

function logs(args: readonly string[], input?: string | Buffer): { stdout: string; stderr: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(program, ['logs', ...args], { env, timeout: 60_000, maxBuffer: 2 ** 28, ...(input === undefined ? {} : { input }) });
  return { stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1'), status };
}

/** Lines with all that varies, the same in every run. */
function made(count: number): string {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let text = '';
  for (let index = 0; index < count; index += 1) {
    const status = [200, 200, 200, 200, 302, 404, 503, 500, -1][random(9)] ?? 200;
    const gone = status === 503 || status === -1;
    const letters = status === 503 ? 'SC--' : status === -1 ? 'CH--' : '----';
    const [TR, Tw, Tc, Tr] = [random(20), random(10) === 0 ? random(900) : 0, status === 503 ? -1 : random(6), gone ? -1 : random(4000)];
    const minute = String(Math.floor(index / 100) % 60).padStart(2, '0');
    text += `Nov 21 08:${minute}:13 lb01 haproxy[123]: 10.1.${index % 7}.3:${20_000 + (index % 30_000)} [21/Nov/2026:08:${minute}:13.${String(index % 1000).padStart(3, '0')}] fe~ be_owa/${status === 503 ? '<NOSRV>' : `lab-ex0${1 + random(2)}`} `
      + `${TR}/${Tw}/${Tc}/${Tr}/${TR + Tw + Math.max(Tc, 0) + Math.max(Tr, 0) + random(9)} ${status} ${100 + random(9000)} - - ${letters} 1/1/0/0/${random(9) === 0 ? '+1' : '0'} 0/0 "GET /owa/?a=${index} HTTP/1.1"\n`;
  }
  return text;
}

function halog(args: readonly string[], input: string): string[][] {
  return execFileSync('halog', args, { input, env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/bin` }, stdio: ['pipe', 'pipe', 'ignore'] }).toString().trim().split('\n').map((row) => row.trim().split(/\s+/));
}

interface Answer {
  readonly selected: number;
  readonly lines: Readonly<Record<string, number>>;
  readonly counts: { readonly rows: readonly Readonly<Record<string, string | number>>[] };
  readonly percentiles: readonly Readonly<Record<string, number>>[];
}

function asked(args: readonly string[], input?: string | Buffer): Answer {
  const { stdout, stderr } = logs([...args, '--json'], input);
  assert.match(stdout, /^\{/, stderr);
  return JSON.parse(stdout) as Answer;
}

const definition: SiteDefinition = {
  configuration: `frontend fe
    bind {fe}
    acl owa path_beg /owa
    use_backend be_owa if owa
    use_backend be_gone if { path_beg /gone }
    default_backend be_rest
frontend stream
    mode tcp
    option tcplog
    bind {stream}
    default_backend be_stream
backend be_owa
    server lab-ex01 {s1}
backend be_gone
    server lab-ex01 {gone} disabled
backend be_rest
    server lab-ex02 {s1}
backend be_stream
    mode tcp
    server s1 {s1}
`,
  origins: () => ({ s1: answering(() => ok('fine')) }),
};

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The log of a few requests, as the program wrote it. */
async function written(name: 'haproxy' | 'poise'): Promise<{ text: string; configuration: string }> {
  const site = await Site.start(name, definition);
  for (const path of ['/owa/', '/owa/auth', '/gone', '/other', '/OWA/']) await site.ask('fe', `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await site.everything('fe', 'rubbish\r\n\r\n');
  await site.everything('stream', 'GET / HTTP/1.0\r\n\r\n');
  await site.log.matching(/ (?:fe|stream) \S+\/\S+ -?\d/, 7);
  const configuration = join(folder, `${name}.cfg`);
  writeFileSync(configuration, site.configuration);
  const text = `${site.log.lines.join('\n')}\n`;
  await site.stop();
  return { text, configuration };
}

for (const name of ['haproxy', 'poise'] as const) {
  it(`reads what ${name} writes`, async () => {
    const { text, configuration } = await written(name);
    const counted = asked(['--count-by', 'backend,status'], text);
    const rows = counted.counts.rows.map(({ backend, status, count }) => `${backend} ${status} ${count}`).toSorted();
    assert.deepEqual(rows, ['be_gone 503 1', 'be_owa 200 2', 'be_rest 200 2', 'be_stream - 1', 'fe 400 1']);
    assert.equal(counted.lines['broken'], 0);
    // A listen section without rules is its own backend, and no catch-all.
    appendFileSync(configuration, 'listen alone\n    bind 127.0.0.1:9\n');
    const alone = text.split('\n').filter((line) => line.includes('/other')).map((line) => `${line.replace(/ fe be_rest\/\S+ /, ' alone alone/<NOSRV> ')}\n`).join('');
    assert.equal(asked(['--count', '--backend', 'alone'], text + alone).selected, 1);
    assert.deepEqual(asked(['--catch-all', '-f', configuration, '--count-by', 'path'], text + alone).counts.rows.map(({ path }) => path).toSorted(), ['', '/OWA/', '/other']);
    assert.equal(logs(['--backend', 'be_owa'], text).stdout, text.split('\n').filter((line) => line.includes(' be_owa/')).map((line) => `${line}\n`).join(''));
    assert.equal(asked(['--count', '--cause', 'failed'], text).selected, 2);
  });
}

describe('beside halog', () => {
  const text = made(6000);

  it('the counts are the same', () => {
    const statuses = asked(['--count-by', 'status'], text).counts.rows.map(({ status, count }) => `${status} ${count}`).toSorted();
    assert.deepEqual(statuses, halog(['-st'], text).map((row) => row.join(' ')).toSorted());
    const causes = asked(['--count-by', 'cause'], text).counts.rows.map(({ cause, count }) => `${cause} ${count}`).toSorted();
    assert.deepEqual(causes, halog(['-tc'], text).map((row) => row.join(' ')).toSorted());
    const servers = asked(['--count-by', 'server'], text).counts.rows.map(({ server, count }) => `${server} ${count}`).toSorted();
    assert.deepEqual(servers, halog(['-srv'], text).slice(1).map((row) => `${row[0]} ${row[7]}`).toSorted());
  });

  it('the percentiles are the same', () => {
    const ours = asked(['--percentiles', 'halog'], text).percentiles.map(({ percent, lines, TR, Tc, Tr, Td }) => [percent, lines, TR, Tc, Tr, Td]);
    assert.deepEqual(ours, halog(['-pct'], text).map((row) => row.map(Number)));
  });
});

describe('input', () => {
  const text = made(500);
  const plain = join(folder, 'a.log');
  const packed = join(folder, 'a.log.1.gz');
  writeFileSync(plain, text);
  writeFileSync(packed, Buffer.concat([gzipSync(text.slice(0, 4000)), gzipSync(text.slice(4000))]));

  it('may be files, gzip files of several members, and standard input', () => {
    assert.equal(asked(['--count', plain, packed]).selected, 1000);
    assert.equal(asked(['--count', '-', plain], gzipSync(text)).selected, 1000);
    assert.equal(logs([packed]).stdout, text);
  });

  it('with broken lines is counted and read on', () => {
    const rubbish = Buffer.concat([Buffer.from(text), Buffer.from([0, 255, 254, 10, 13, 10]), Buffer.from('x'.repeat(3_000_000)), Buffer.from(`\n${text.slice(0, text.indexOf('\n') + 80)}\n\n${text}`)]);
    const { stdout, stderr, status } = logs(['--count'], rubbish);
    assert.deepEqual([stdout, status], ['1001\n', 0], stderr);
    assert.match(stderr, /1004 lines: 1001 requests, .* 3 that cannot be read; 1001 selected/);
  });

  it('that cannot be read is told, and the rest is read', () => {
    const cut = join(folder, 'cut.gz');
    writeFileSync(cut, gzipSync(text).subarray(0, 5000));
    const { stdout, stderr, status } = logs(['--count', cut, join(folder, 'nowhere'), plain]);
    assert.equal(status, 1);
    assert.match(stderr, /cut\.gz: unexpected end of file/);
    assert.match(stderr, /nowhere: ENOENT/);
    assert.ok(Number(stdout) > 500);
  });

  it('ends when nobody reads any more', () => {
    const many = text.repeat(100);
    writeFileSync(join(folder, 'many.log'), many);
    const first = execFileSync('sh', ['-c', `"${program}" logs "${join(folder, 'many.log')}" | head -n 1`], { env, timeout: 60_000 }).toString();
    assert.equal(first, `${text.split('\n')[0]}\n`);
  });
});

describe('a file that grows', () => {
  const running: ChildProcess[] = [];
  after(() => { for (const child of running) child.kill('SIGKILL'); });
  const lines = made(40).split('\n').map((line) => `${line}\n`);

  function follow(file: string, ...args: string[]): { child: ChildProcess; out: () => string } {
    const child = spawn(program, ['logs', '-F', file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => { out += chunk.toString('latin1'); });
    return { child, out: () => out };
  }

  it('is read as it grows, is rotated, and is cut', async () => {
    const file = join(folder, 'grows.log');
    writeFileSync(file, lines[0] ?? '');
    const { child, out } = follow(file, '--since', '2026-01-01');
    await eventually('the first line', () => out() === lines[0], 20_000);
    appendFileSync(file, (lines[1] ?? '').slice(0, 20));
    appendFileSync(file, (lines[1] ?? '').slice(20));
    await eventually('the second line', () => out() === lines.slice(0, 2).join(''), 10_000);
    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, lines[2] ?? '');
    writeFileSync(file, lines[3] ?? '');
    await eventually('lines of both files', () => out() === lines.slice(0, 4).join(''), 10_000);
    truncateSync(file);
    await eventually('the shorter file', async () => { appendFileSync(file, lines[4] ?? ''); await new Promise((resolve) => { setTimeout(resolve, 300); }); return out().includes(lines[4] ?? ''); }, 10_000);
    const ended = new Promise((resolve) => { child.once('close', resolve); });
    child.kill('SIGINT');
    assert.equal(await ended, 0);
  });

  it('gives its table when it is interrupted, and starts at the end', async () => {
    const file = join(folder, 'table.log');
    writeFileSync(file, lines[0] ?? '');
    const { child, out } = follow(file, '--count');
    await eventually('the file open', () => readdirSync(`/proc/${child.pid}/fd`).some((fd) => linkOf(`/proc/${child.pid}/fd/${fd}`) === file), 20_000);
    // The end is looked up right after opening.
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    for (const line of lines.slice(1, 4)) appendFileSync(file, line);
    const ended = new Promise((resolve) => { child.once('close', resolve); });
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal(out(), '3\n');
  });
});

it('the command line is checked', () => {
  const { status, stderr } = logs(['--cause', 'clent', '--count-by', 'x', '--status=abc']);
  assert.equal(status, 1);
  assert.match(stderr, /did you mean 'client'/);
  assert.match(stderr, /there is no column 'x'/);
  assert.match(stderr, /'abc' in --status is no status/);
  assert.match(logs(['--help']).stdout, /^Usage: poise logs/);
});
