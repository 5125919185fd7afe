/** Whatever a file holds, the loader answers with problems: corpus files with words dropped, doubled, swapped and cut. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { diskFiles } from '../../../src/config/files.ts';
import { loadConfiguration } from '../../../src/config/load.ts';

const folder = new URL('./corpus/', import.meta.url).pathname;
const disk = diskFiles(folder);

/** A small generator of numbers, so that a failure comes again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

const odd = ['', '"', "'", '\\', '{', '}', '!', 'if', 'from', '%[', '-i', '0', '-1', '99999999999', ':', '/', '@', '"${X', 'a'.repeat(300), '\x00', 'ÿ', '(', ')', ',', '%', 'if {', 'len'];

function mutate(text: string, pick: (below: number) => number): string {
  const lines = text.split('\n');
  for (let count = 0; count < 12; count += 1) {
    const at = pick(lines.length);
    const words = (lines[at] ?? '').split(' ');
    const word = pick(words.length);
    const kind = pick(6);
    if (kind === 0) words.splice(word, 1);
    else if (kind === 1) words.splice(word, 0, odd[pick(odd.length)] ?? '');
    else if (kind === 2) words[word] = (words[word] ?? '').slice(0, pick(4));
    else if (kind === 3) words[word] = odd[pick(odd.length)] ?? '';
    else if (kind === 4) lines.splice(at, 1);
    else lines[pick(lines.length)] = lines[at] ?? '';
    if (kind < 4) lines[at] = words.join(' ');
  }
  return lines.join('\n');
}

for (const name of readdirSync(folder).filter((each) => each.endsWith('.cfg'))) {
  test(`mutations of ${name}`, () => {
    const text = readFileSync(`${folder}${name}`, 'latin1');
    const pick = numbers(name.length * 7919);
    const rounds = Number(process.env.POISE_MUTATIONS ?? 25);
    for (let round = 0; round < rounds; round += 1) {
      const changed = mutate(text, pick);
      const files = { ...disk, read: (path: string) => (path === name ? Buffer.from(changed, 'latin1') : disk.read(path)) };
      const { model, problems } = loadConfiguration([name], { environment: {}, cpus: 2, files, nowMs: 0 });
      const fatal = problems.some((problem) => problem.severity === 'error' || problem.severity === 'unsupported');
      assert.equal(model === undefined, fatal);
      for (const problem of problems) {
        assert.notEqual(problem.message, '');
        assert.equal(problem.message.endsWith('.'), false, problem.message);
      }
    }
  });
}
