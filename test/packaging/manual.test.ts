/** The manual page and the unit: whole, and without a complaint of the programs that read them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { manualPage } from '../../packaging/man.ts';
import { usageText } from '../../src/cli/version.ts';
import { temporaryFolder } from '../harness/place.ts';
import { leftOut, run } from './stage.ts';

describe('manual page', () => {
  it('has every option and command of the usage', () => {
    const page = manualPage().replaceAll('\\-', '-');
    const words = usageText.split('\n\n').slice(1).join('\n').split('\n').map((line) => /^ {2}(\S.*?) {2,}\S/.exec(line)?.[1] ?? '').filter((word) => word !== '');
    assert.ok(words.length > 15, words.join());
    assert.deepEqual(words.filter((word) => !page.includes(`\n.B ${word}\n`)), []);
    for (const command of usageText.matchAll(/^ {7}(poise \w+)/gm)) assert.ok(page.includes(`\n${command[1]?.slice('poise '.length)}`), command[0]);
  });

  it('is read by man without a warning', { timeout: 60_000 }, (context) => {
    if (leftOut(context, 'man', 'groff')) return;
    const file = join(temporaryFolder(), 'poise.1');
    writeFileSync(file, manualPage());
    const { text } = run('sh', ['-c', `MANPAGER=cat MANWIDTH=80 man --warnings=all -l ${file} 2>&1 > /dev/null`]);
    assert.equal(text, '');
  });
});

describe('unit', () => {
  it('is understood by systemd, and exposes little', { timeout: 60_000 }, (context) => {
    if (leftOut(context, 'systemd-analyze')) return;
    const { text } = run('systemd-analyze', ['verify', 'packaging/systemd/poise.service']);
    // Before the package is installed there is neither program nor manual page.
    assert.deepEqual(text.split('\n').filter((line) => line !== '' && !/\/usr\/sbin\/poise is not executable|man poise\(1\)|operations\.md/.test(line)), []);
    const rating = /exposure level for poise\.service: ([\d.]+)/.exec(run('systemd-analyze', ['security', '--offline=true', 'packaging/systemd/poise.service']).text)?.[1];
    if (rating === undefined) context.diagnostic('left out: this systemd-analyze does not rate files');
    else assert.ok(Number(rating) <= 4, rating);
  });
});
