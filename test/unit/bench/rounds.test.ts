/** Which subjects take part in a workload, and how often. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOptions } from '../../../bench/options.ts';
import { estimatedSeconds, roundsOf, subjectsOf } from '../../../bench/runner.ts';
import type { Subject, SubjectName } from '../../../bench/subjects/subject.ts';
import type { Workload } from '../../../bench/workloads/workload.ts';

const workload: Workload = { name: 'W1', what: '', peers: ['nginx'], rounds: { quick: 2, full: 5, dry: 1 }, roundsOfOthers: 1, cells: [] };
const subjects = (['haproxy', 'nginx', 'poise-bun', 'poise-node', 'fast-proxy'] as const).map((name): Subject => ({
  name, title: name, version: () => '1', cannot: () => '', listens: () => [], start: () => { throw new Error('nothing is started here'); },
}));
const playing = (...words: string[]): SubjectName[] => subjectsOf(workload, subjects, readOptions(words)).map((subject) => subject.name);

describe('subjects of a workload', () => {
  it('are HAProxy, Poise on both runtimes and the workload\'s peers', () => { assert.deepEqual(playing(), ['haproxy', 'nginx', 'poise-bun', 'poise-node']); });
  it('of a quick run are the pair', () => { assert.deepEqual(playing('--quick'), ['haproxy', 'poise-bun']); });
  it('can be named, but never where they do not play', () => { assert.deepEqual(playing('--subjects', 'nginx,fast-proxy'), ['nginx']); });
});

describe('rounds', () => {
  it('are the workload\'s for those with a target, fewer for the others', () => {
    assert.equal(roundsOf(workload, {}, 'poise-bun', readOptions([])), 5);
    assert.equal(roundsOf(workload, {}, 'nginx', readOptions([])), 5);
    assert.equal(roundsOf(workload, {}, 'poise-node', readOptions([])), 1);
    assert.equal(roundsOf(workload, { roundsMax: 3 }, 'haproxy', readOptions([])), 3);
  });
  it('of a cell for the pair alone are none for others', () => {
    assert.equal(roundsOf(workload, { pairOnly: true }, 'poise-node', readOptions([])), 0);
    assert.equal(roundsOf(workload, { pairOnly: true }, 'poise-bun', readOptions([])), 5);
  });
  it('are what the command line says for all', () => { assert.equal(roundsOf(workload, { roundsMax: 1 }, 'poise-node', readOptions(['--runs', '7'])), 7); });
});

describe('the estimate', () => {
  it('counts every start of every subject', () => {
    const cell = { rows: [], shape: () => { throw new Error('not asked'); }, measure: () => { throw new Error('not asked'); }, seconds: () => 9.3 };
    const seconds = estimatedSeconds({ ...workload, cells: [cell] }, subjects, readOptions([]));
    // Three subjects five times, Poise on Node once, each with its start.
    assert.equal(Math.round(seconds), 160);
  });
});
