/** Replacement texts with \0..\9, as regsub and the replace rules use them. */

/** Fills a replacement: `\N` is a group, `\xHH` a character, any other escaped character itself. */
export function fillReplacement(replacement: string, match: RegExpExecArray): string {
  if (!replacement.includes('\\')) return replacement;
  let out = '';
  for (let i = 0; i < replacement.length; i++) {
    const c = replacement.charAt(i);
    if (c !== '\\' || i + 1 >= replacement.length) { out += c; continue; }
    const next = replacement.charAt(++i);
    if (next >= '0' && next <= '9') out += match[Number(next)] ?? '';
    else if (next === 'x' && /^[0-9a-fA-F]{2}/.test(replacement.slice(i + 1, i + 3))) {
      out += String.fromCharCode(Number.parseInt(replacement.slice(i + 1, i + 3), 16));
      i += 2;
    } else out += next;
  }
  return out;
}
