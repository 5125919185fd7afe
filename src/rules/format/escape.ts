/** Ways of writing text into log lines and header values. Each looks first and gives the text back when nothing has to change. */

const hexDigits = '0123456789ABCDEF';

function needsUrl(code: number): boolean {
  return code < 32 || code > 126 || code === 34 || code === 35;
}

function needsHeader(code: number): boolean {
  return needsUrl(code) || code === 123 || code === 124 || code === 125;
}

/** Control characters except tab; obs-text (above 127) may stand in header values. */
function needsHttp(code: number): boolean {
  return code === 127 || (code < 32 && code !== 9);
}

function escape(text: string, needs: (code: number) => boolean, mark: string): string {
  let at = 0;
  while (at < text.length && !needs(text.charCodeAt(at))) at++;
  if (at === text.length) return text;
  let out = text.slice(0, at);
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    out += needs(code) ? mark + hexDigits.charAt((code >> 4) & 15) + hexDigits.charAt(code & 15) : text.charAt(at);
  }
  return out;
}

/** Request lines in logs: `"`, `#` and what cannot be printed as #XX. */
export function escapeUrl(text: string): string { return escape(text, needsUrl, '#'); }
/** Captured headers in logs: also `{`, `|`, `}`. */
export function escapeHeader(text: string): string { return escape(text, needsHeader, '#'); }
/** Values that a rule puts into a message: control characters as %XX. */
export function escapeHttp(text: string): string { return escape(text, needsHttp, '%'); }

/** Flag +E: `"`, `\` and `]` with a backslash (RFC 5424 6.3.3). */
export function escapeStructured(text: string): string {
  return /["\\\]]/.test(text) ? text.replaceAll(/["\\\]]/g, '\\$&') : text;
}
