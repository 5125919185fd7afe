/**
 * Situations that run against Debian's HAProxy and against Poise with the same configuration and the same script; what they
 * observe must be equal. Each situation also says what HAProxy's observation shows, so that two equal failures do not pass.
 *
 * With COMPARE=haproxy only HAProxy runs and its observations are printed: the way to write a new situation.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Site, type SiteDefinition } from './site.ts';

export type Script = (site: Site) => Promise<unknown>;

export interface SituationOptions {
  /** What HAProxy's observation (as JSON) must contain: the proof that the situation took place. */
  readonly shows: RegExp | string | readonly (RegExp | string)[];
  /** A difference that is meant: an id of docs/differences.md, and what Poise shows given what HAProxy shows. */
  readonly differs?: { readonly id: string; readonly poise: (haproxy: any) => unknown };
}

export type Situation = (name: string, script: Script, options: SituationOptions) => void;

const referenceOnly = process.env['COMPARE'] === 'haproxy';
const situationTimeoutMs = 30_000;

interface Sites { haproxy?: Site; poise?: Site; failure?: string }

/** Both programs run this definition while the situations, in order, run against both at the same time. */
export function comparison(name: string, definition: SiteDefinition, situations: (situation: Situation) => void): void {
  describe(name, () => {
    const sites: Sites = {};
    before(async () => {
      const starts = [Site.start('haproxy', definition).then((site) => { sites.haproxy = site; })];
      if (!referenceOnly) starts.push(Site.start('poise', definition).then((site) => { sites.poise = site; }));
      const results = await Promise.allSettled(starts);
      sites.failure = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])).join('\n');
    });
    after(async () => {
      const results = await Promise.allSettled([sites.haproxy?.stop(), sites.poise?.stop()]);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    });
    situations((situationName, script, options) => {
      it(situationName, { timeout: situationTimeoutMs }, () => compareOne(sites, script, options));
    });
  });
}

async function compareOne(sites: Sites, script: Script, options: SituationOptions): Promise<void> {
  const { haproxy, poise, failure = '' } = sites;
  if (failure !== '') {
    sites.failure = 'did not start, see above';
    assert.fail(failure);
  }
  assert(haproxy !== undefined);
  const [reference, observed] = await Promise.all([observe(haproxy, script), poise === undefined ? null : observe(poise, script)]);
  const text = JSON.stringify(reference, null, 1) ?? 'undefined';
  if (referenceOnly) console.log(text.replace(/([^\n"]{400})[^\n"]+/g, '$1…'));
  assert(!/^\{\s*"failed"/.test(text), `the script failed with HAProxy: ${text}`);
  for (const proof of [options.shows].flat()) {
    assert(typeof proof === 'string' ? text.includes(proof) : proof.test(text), `HAProxy does not show ${String(proof)}: ${text}`);
  }
  if (poise === undefined) return;
  const expected = options.differs === undefined ? reference : options.differs.poise(structuredClone(reference));
  assert.deepEqual(observed, expected);
}

async function observe(site: Site, script: Script): Promise<unknown> {
  for (const origin of Object.values(site.origins)) origin.forget();
  try {
    return JSON.parse(JSON.stringify(await script(site)) ?? 'null');
  } catch (error) {
    const troubles = Object.values(site.origins).flatMap((origin) => origin.troubles);
    return { failed: String(error), troubles };
  }
}
