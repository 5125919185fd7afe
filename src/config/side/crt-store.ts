/** `crt-store` sections: `load crt X [key Y] [alias Z]`, so that `crt @store/alias` finds its files. Called by load.ts. */
import { withBase } from '../certificates.ts';
import type { Context } from '../context.ts';
import type { Section } from '../line.ts';
import { didYouMean } from '../problems.ts';

const loadWords = ['crt', 'key', 'alias', 'ocsp', 'issuer', 'sctl', 'ocsp-update', 'domains', 'acme', 'jwt', 'generate-dummy', 'keytype', 'bits', 'curves'];

export function readCrtStore(context: Context, section: Section): void {
  const { draft, problems } = context;
  let crtBase = '';
  let keyBase = '';
  for (const line of section.lines) {
    const [word = '', ...words] = line.words;
    if (word === 'crt-base') crtBase = words[0] ?? '';
    else if (word === 'key-base') keyBase = words[0] ?? '';
    if (word !== 'load') continue;
    const found: Record<string, string> = {};
    for (let index = 0; index < words.length; index += 2) {
      const name = words[index] ?? '';
      if (!loadWords.includes(name)) problems.error(line.place, name, `'load' does not know '${name}'`, didYouMean(name, loadWords));
      found[name] = words[index + 1] ?? '';
    }
    const { crt = '', key = '', alias = crt } = found;
    if (crt === '') problems.error(line.place, 'load', "'load' needs a certificate", "write 'load crt <file> key <file>'");
    const store = section.name === '' ? '' : section.name;
    draft.crtStores.set(`@${store}/${alias}`, { crt: withBase(crtBase, crt), key: key === '' ? '' : withBase(keyBase === '' ? crtBase : keyBase, key) });
  }
}
