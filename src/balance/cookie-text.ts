/**
 * Cookie header values: finding, removing and rewriting one cookie, and the dates that persistence cookies carry. Pure functions
 * over text; used by cookie-persistence.ts.
 */

/** Where a cookie stands in a header value. Blanks around name and value do not belong to it. */
interface CookiePlace {
  readonly nameAt: number;
  readonly nameEnd: number;
  readonly valueAt: number;
  readonly valueEnd: number;
}

/** The cookie that starts at `from` (up to a semicolon outside quotes); undefined at the end. */
function cookieAt(text: string, from: number, end: number): CookiePlace {
  let nameAt = from;
  while (nameAt < end && isBlank(text, nameAt)) nameAt += 1;
  let equals = text.indexOf('=', nameAt);
  if (equals < 0 || equals > end) equals = end;
  let nameEnd = equals;
  while (nameEnd > nameAt && isBlank(text, nameEnd - 1)) nameEnd -= 1;
  let valueAt = Math.min(equals + 1, end);
  while (valueAt < end && isBlank(text, valueAt)) valueAt += 1;
  let valueEnd = end;
  while (valueEnd > valueAt && isBlank(text, valueEnd - 1)) valueEnd -= 1;
  return { nameAt, nameEnd, valueAt, valueEnd };
}

/** Position of the next semicolon outside quotes, or the end of the text. */
function partEnd(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted && code === 0x5c) at += 1;
    else if (code === 0x22) quoted = !quoted;
    else if (code === 0x3b && !quoted) return at;
  }
  return text.length;
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

/** Calls `visit` for every cookie of a Cookie value with this name; what it gives replaces the value, null removes the cookie. */
export function editCookies(text: string, name: string, visit: (value: string) => string | null): string {
  let result = '';
  let changed = false;
  let afterRemoved = false;
  for (let from = 0; from <= text.length;) {
    const end = partEnd(text, from);
    const place = cookieAt(text, from, end);
    if (text.slice(place.nameAt, place.nameEnd) === name && place.nameEnd < end && text.charCodeAt(text.indexOf('=', place.nameEnd)) === 0x3d) {
      const value = text.slice(place.valueAt, place.valueEnd);
      const replaced = visit(value);
      changed = true;
      if (replaced === null) {
        afterRemoved = true;
      } else {
        result += `${result === '' ? '' : ';'}${text.slice(from, place.nameAt)}${name}=${replaced}`;
        afterRemoved = false;
      }
    } else {
      const part = text.slice(from, end);
      if (result === '') result = afterRemoved ? part.trimStart() : part;
      else result += afterRemoved ? `; ${part.trimStart()}` : `;${part}`;
      afterRemoved = false;
    }
    from = end + 1;
  }
  return changed ? result : text;
}

/** The cookie that a Set-Cookie value sets, if it has this name. */
export function setCookieValue(text: string, name: string): CookiePlace | undefined {
  const place = cookieAt(text, 0, partEnd(text, 0));
  return text.slice(place.nameAt, place.nameEnd) === name && place.valueAt > place.nameEnd ? place : undefined;
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const dateDigits = 5;

/** A date in seconds as five base64 digits of four-second units. */
export function dateText(seconds: number): string {
  let units = Math.floor(seconds / 4);
  let text = '';
  for (let digit = 0; digit < dateDigits; digit += 1) {
    text = digits.charAt(units % 64) + text;
    units = Math.floor(units / 64);
  }
  return text;
}

/** Seconds, or 0 when the text has no valid date in front. */
export function readDate(text: string): number {
  if (text.length < dateDigits) return 0;
  let units = 0;
  for (let digit = 0; digit < dateDigits; digit += 1) {
    const value = digits.indexOf(text.charAt(digit));
    if (value < 0) return 0;
    units = units * 64 + value;
  }
  return units * 4;
}
