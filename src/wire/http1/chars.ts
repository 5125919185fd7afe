/** Character classes of HTTP/1 (RFC 9110 5.6.2, RFC 9112 3) as byte tables. Used by the parsers of this folder. */

/** 1: may stand in a token (method, header name). */
export const isToken = new Uint8Array(256);
/** 1: may stand in a request target. HAProxy's rule: visible ASCII without '#'. */
export const isTarget = new Uint8Array(256);
/** The same with what `accept-invalid-http-request` lets through. */
export const isRelaxedTarget = new Uint8Array(256);
/** 1: ends the scan of a header value: CR, LF, and NUL, which no value may hold. */
export const endsValue = new Uint8Array(256);
export const endsRelaxedValue = new Uint8Array(256);
/** 1: may stand in a protocol version. */
export const isVersion = new Uint8Array(256);
/** Lower-case form of each byte. */
export const lower = new Uint8Array(256);
/** Value of a hexadecimal digit, 255 for other bytes. */
export const hexValue = new Uint8Array(256).fill(255);

for (let code = 0; code < 256; code += 1) {
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  const digit = code >= 0x30 && code <= 0x39;
  isToken[code] = letter || digit || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(code)) ? 1 : 0;
  isTarget[code] = code >= 0x21 && code <= 0x7e && code !== 0x23 ? 1 : 0;
  isRelaxedTarget[code] = isTarget[code] === 1 || code === 0x23 || code >= 0x80 ? 1 : 0;
  endsRelaxedValue[code] = code === 0x0d || code === 0x0a ? 1 : 0;
  endsValue[code] = code === 0x0d || code === 0x0a || code === 0 ? 1 : 0;
  isVersion[code] = (code >= 0x41 && code <= 0x5a) || digit || code === 0x2e || code === 0x2f ? 1 : 0;
  lower[code] = code >= 0x41 && code <= 0x5a ? code + 32 : code;
  if (digit) hexValue[code] = code - 0x30;
  if (code >= 0x61 && code <= 0x66) hexValue[code] = code - 0x57;
  if (code >= 0x41 && code <= 0x46) hexValue[code] = code - 0x37;
}

/** True when bytes[from..to) are `lowerText` in any case. The caller has compared the lengths. */
export function equalsLower(bytes: Uint8Array, from: number, lowerText: string): boolean {
  for (let index = 0; index < lowerText.length; index += 1) {
    if (lower[bytes[from + index] as number] !== lowerText.charCodeAt(index)) return false;
  }
  return true;
}

/** Without the blanks and tabs around it. HTTP knows no other white space: trim() would take more away than the next server does. */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && (text.charCodeAt(from) === 0x20 || text.charCodeAt(from) === 0x09)) from += 1;
  while (to > from && (text.charCodeAt(to - 1) === 0x20 || text.charCodeAt(to - 1) === 0x09)) to -= 1;
  return text.slice(from, to);
}
