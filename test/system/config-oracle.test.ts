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

/** Lines that one `haproxy -c` is asked about, each in a section of its own. */
const batchLines = 32;

const base = 'defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n';
const rest = (file: string): string => `http-errors he\n errorfile 500 ${file}\nbackend b\n stick-table type ip size 1k\n server s 127.0.0.1:1\nfrontend other\n bind :83\n default_backend b\n`;

/** A section with the line as its last one. `number` makes its name its own. */
function sectionWith(section: string, line: string, number: number): string {
  const opening: Record<string, string> = {
    global: `global\n ${line}\n`,
    defaults: `${base} ${line}\n`,
    named: `${base.replace('defaults', `defaults d${number}`)} ${line}\n`,
    frontend: `frontend f${number}\n bind :81\n ${line}\n`,
    listen: `listen l${number}\n bind :82\n stick-table type ip size 1k\n ${line}\n`,
    backend: `backend g${number}\n ${line}\n`,
  };
  return opening[section] ?? '';
}

interface Block { readonly line: string; readonly ours: ReturnType<typeof poise> }
interface Batch { readonly text: string; readonly lineNumbers: readonly number[] }

/** One file with a section for each line. Where defaults are asked about, each has proxies that use it. */
function batchOf(section: string, blocks: readonly Block[]): Batch {
  let text = ['defaults', 'named', 'global'].includes(section) ? '' : base;
  const lineNumbers: number[] = [];
  blocks.forEach(({ line }, number) => {
    text += sectionWith(section, line, number);
    lineNumbers.push(text.split('\n').length - 1);
    if (number < blocks.length - 1 && (section === 'defaults' || section === 'named')) text += `backend x${number}\n server s 127.0.0.1:1\nfrontend y${number}\n bind :84\n default_backend b\n`;
  });
  return { text: `${text}${section === 'global' ? base : ''}${rest(`${folder}/e500`)}`, lineNumbers };
}

function withFolder(text: string): string {
  return text.replaceAll('FOLDER', folder);
}

/** '' when both say the same about the line, or differ as they should. */
function difference({ line, ours }: Block, theirs: Checked): string {
  if (theirs.answer === ours.answer) return '';
  if (theirs.answer === 'refuses' && (ours.unsupported || acceptedHere.some((word) => line.startsWith(word)))) return '';
  if (theirs.answer === 'accepts' && refusedHere.some((word) => line.endsWith(word))) return '';
  return `${line}\n  haproxy ${theirs.answer} ${theirs.words}\n  poise ${ours.answer} ${ours.words}`;
}

/**
 * All of them at once, as long as that tells: a file that HAProxy accepts has only lines that it accepts, and a line that it names in an alert is one
 * that it refuses. What this leaves open is asked in halves.
 */
async function differences(section: string, blocks: readonly Block[], file: string): Promise<string[]> {
  if (blocks.length === 0) return [];
  const { text, lineNumbers } = batchOf(section, blocks);
  writeFileSync(file, withFolder(text));
  const theirs = await haproxy(file, folder);
  const [first] = blocks;
  if (blocks.length === 1 && first !== undefined) return [difference(first, theirs)];
  if (theirs.answer === 'accepts') return blocks.map((block) => difference(block, theirs));
  const named = new Set([...theirs.words.matchAll(/parsing \[[^\]]*:(\d+)\]/g)].map((found) => Number(found[1])));
  const isNamed = (_: Block, index: number): boolean => named.has(lineNumbers[index] ?? 0);
  const told = blocks.filter(isNamed).map((block) => difference(block, theirs));
  const open = blocks.filter((block, index) => !isNamed(block, index));
  // When only those that are named were at fault, the others are accepted together.
  const parts = open.length < blocks.length ? [open] : [open.slice(0, open.length >> 1), open.slice(open.length >> 1)];
  for (const part of parts) told.push(...await differences(section, part, file));
  return told;
}

for (const [section, list] of Object.entries(lines)) {
  test(`lines of ${section} sections`, { timeout: 120_000 }, async () => {
    const blocks = list.map((line): Block => {
      const file = join(folder, 'ours.cfg');
      writeFileSync(file, withFolder(batchOf(section, [{ line, ours: { answer: 'accepts', unsupported: false, words: '' } }]).text));
      return { line, ours: poise(file, folder) };
    });
    // Lines of the global section would change each other's meaning.
    const size = section === 'global' ? 1 : batchLines;
    const waiting: Block[][] = [];
    for (const answer of ['accepts', 'refuses'] as const) {
      const same = blocks.filter(({ ours }) => ours.answer === answer);
      for (let at = 0; at < same.length; at += size) waiting.push(same.slice(at, at + size));
    }
    const found: string[] = [];
    const worker = async (name: string): Promise<void> => {
      for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) found.push(...await differences(section, batch, join(folder, name)));
    };
    await Promise.all(['one.cfg', 'two.cfg', 'three.cfg'].map(worker));
    assert.equal(found.length, list.length);
    assert.equal(found.filter((each) => each !== '').join('\n'), '');
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
