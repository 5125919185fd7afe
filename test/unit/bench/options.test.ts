/** The words of the bench's command line, and what it says about a machine that lacks something. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whatIsMissing } from '../../../bench/needs.ts';
import { readOptions } from '../../../bench/options.ts';

describe('options of the bench', () => {
  it('nothing given is a full run of everything', () => {
    assert.deepEqual(readOptions([]), { size: 'full', only: [], runs: undefined, json: undefined, subjects: [] });
  });

  it('reads every word, with a blank or an equals sign', () => {
    assert.deepEqual(readOptions(['--quick', '--only', 'W3,W2', '--runs=5', '--json', 'out.json', '--subjects', 'poise-bun,haproxy']),
      { size: 'quick', only: ['W2', 'W3'], runs: 5, json: 'out.json', subjects: ['haproxy', 'poise-bun'] });
  });

  for (const [words, sentence] of [
    [['--fast'], /unknown word --fast/], [['--only'], /--only needs a value/], [['--only', 'W2,W10'], /unknown W10/], [['--runs', '0'], /from 1 to 100, not 0/],
    [['--runs', 'many'], /not many/], [['--json', '--quick'], /--json needs a value/], [['--subjects', 'apache'], /unknown apache/], [['--only', ','], /nothing named/],
  ] as const) {
    it(`refuses ${words.join(' ')}`, () => { assert.throws(() => readOptions(words), sentence); });
  }
});

describe('a machine that lacks something', () => {
  it('cannot run on one core', () => { assert.match(whatIsMissing(1, 2, []).cannotRun, /all rows: it needs 2 cores.*there is 1/); });

  it('cannot run without the load or the origin, and says what to install', () => {
    assert.match(whatIsMissing(2, 2, ['wrk']).cannotRun, /needs wrk .*apt-get install/);
    assert.match(whatIsMissing(2, 2, ['nginx']).cannotRun, /needs nginx/);
  });

  it('runs without HAProxy, but says that there are no ratios', () => {
    const { cannotRun, notes } = whatIsMissing(2, 2, ['haproxy']);
    assert.equal(cannotRun, '');
    assert.match(notes.join(), /haproxy is not installed: .*ratios are left out/);
  });

  it('has nothing to say when all is there', () => { assert.deepEqual(whatIsMissing(4, 2, []), { cannotRun: '', notes: [] }); });
});
