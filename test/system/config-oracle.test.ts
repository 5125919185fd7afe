/**
 * Accepts and refuses what haproxy does: the same text goes through `haproxy -c` and through loadConfiguration. Only accept or
 * refuse is compared; words are ours. Old syntax that haproxy refuses and Poise translates is listed by name.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfiguration } from '../../src/config/load.ts';
import { diskFiles } from '../../src/config/files.ts';
import { acceptedHere, lines, refusedHere, wholeFiles } from './config-oracle-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'poise-oracle-'));
const corpus = new URL('../unit/config/corpus/', import.meta.url).pathname;

before(() => {
  const found = spawnSync('haproxy', ['-v'], { timeout: 5000 });
  assert.equal(found.status, 0, 'haproxy is needed for this test: apt-get install haproxy');
  writeFileSync(join(folder, 'e500'), 'HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n');
});

after(() => rmSync(folder, { recursive: true, force: true }));

type Answer = 'accepts' | 'refuses';

interface Checked {
  readonly answer: Answer;
  readonly words: string;
}

/** Exit status and output of one `haproxy -c`. */
function check(file: string, cwd: string): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile('haproxy', ['-c', '-f', file], { cwd, timeout: 20_000, env: { PATH: process.env.PATH } }, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr });
    });
  });
}

async function haproxy(file: string, cwd: string): Promise<Checked> {
  const run = await check(file, cwd);
  // 2 is "valid, but nothing listens".
  const answer = run.status === 0 || (run.status === 2 && /no listener/.test(run.stdout + run.stderr)) ? 'accepts' : 'refuses';
  return { answer, words: run.stderr.split('\n').filter((line) => line.includes('[ALERT]')).join('\n') };
}

function poise(file: string, cwd: string): { readonly answer: Answer; readonly unsupported: boolean; readonly words: string } {
  const { problems } = loadConfiguration([file], { environment: {}, files: diskFiles(cwd), cpus: 2 });
  const wrong = problems.filter((problem) => problem.severity === 'error');
  return {
    answer: wrong.length === 0 ? 'accepts' : 'refuses',
    unsupported: problems.some((problem) => problem.severity === 'unsupported'),
    words: wrong.map((problem) => `${problem.place.line}: ${problem.message}`).join('\n'),
  };
}

const base = 'defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n';

function textFor(section: string, line: string): string {
  const opening: Record<string, string> = {
    global: `global\n ${line}\n${base}`,
    defaults: `${base} ${line}\n`,
    named: `${base.replace('defaults', 'defaults d')} ${line}\n`,
    frontend: `${base}frontend f\n bind :81\n ${line}\n`,
    listen: `${base}listen l\n bind :82\n stick-table type ip size 1k\n ${line}\n`,
    backend: `${base}backend g\n ${line}\n`,
  };
  return `${opening[section] ?? ''}http-errors he\n errorfile 500 ${folder}/e500\nbackend b\n stick-table type ip size 1k\n server s 127.0.0.1:1\nfrontend other\n bind :83\n default_backend b\n`;
}

/** '' when both say the same about the line, or differ as they should. */
async function difference(section: string, line: string, file: string): Promise<string> {
  writeFileSync(file, textFor(section, line.replaceAll('FOLDER', folder)));
  const theirs = await haproxy(file, folder);
  const ours = poise(file, folder);
  if (theirs.answer === ours.answer) return '';
  if (theirs.answer === 'refuses' && (ours.unsupported || acceptedHere.some((word) => line.startsWith(word)))) return '';
  if (theirs.answer === 'accepts' && refusedHere.some((word) => line.endsWith(word))) return '';
  return `${line}\n  haproxy ${theirs.answer} ${theirs.words}\n  poise ${ours.answer} ${ours.words}`;
}

for (const [section, list] of Object.entries(lines)) {
  test(`lines of ${section} sections`, { timeout: 120_000 }, async () => {
    const differences: string[] = [];
    const waiting = [...list];
    const worker = async (name: string): Promise<void> => {
      for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
        differences.push(await difference(section, line, join(folder, name)));
      }
    };
    await Promise.all(['one.cfg', 'two.cfg', 'three.cfg'].map(worker));
    assert.equal(differences.filter((each) => each !== '').join('\n'), '');
  });
}

for (const [name, text] of Object.entries(wholeFiles)) {
  test(`file: ${name}`, async () => {
    const file = join(folder, 'whole.cfg');
    writeFileSync(file, text);
    const theirs = await haproxy(file, folder);
    const ours = poise(file, folder);
    assert.equal(ours.answer, theirs.answer, `haproxy: ${theirs.words}\npoise: ${ours.words}`);
  });
}

for (const name of ['current-web.cfg', 'current-advanced.cfg', 'exchange-2019.cfg', 'broken.cfg']) {
  test(`corpus: ${name}`, async () => {
    const theirs = await haproxy(name, corpus);
    const ours = poise(name, corpus);
    assert.equal(ours.answer, theirs.answer, `haproxy: ${theirs.words}\npoise: ${ours.words}`);
  });
}
