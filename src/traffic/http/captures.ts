/** `capture request|response header` and `capture cookie`: copied when the head arrives, before rules change it. */
import type { CaptureSlot } from '../../model/model.ts';
import type { Head } from '../../wire/head.ts';
import type { HttpExchange } from './http-exchange.ts';

export function captureRequest(x: HttpExchange): void {
  const { requestHead, frontend, facts } = x;
  x.requestCaptures = captured(requestHead, frontend.requestCaptures, x.requestCaptures);
  if (frontend.cookieCapture !== null) facts.requestCookie = cookie(requestHead, 'cookie', frontend.cookieCapture) ?? '-';
}

export function captureResponse(x: HttpExchange): void {
  const { responseHead, frontend, facts } = x;
  x.responseCaptures = captured(responseHead, frontend.responseCaptures, x.responseCaptures);
  if (frontend.cookieCapture !== null) facts.responseCookie = cookie(responseHead, 'set-cookie', frontend.cookieCapture) ?? '-';
}

/** The last line with each name counts. */
function captured(head: Head, slots: readonly CaptureSlot[], before: (string | undefined)[] | null): (string | undefined)[] | null {
  let values = before;
  for (let slot = 0; slot < slots.length; slot += 1) {
    const { header, lengthMax } = slots[slot] as CaptureSlot;
    if (header === '') continue;
    const name = header.toLowerCase();
    for (let line = head.find(name, 0); line >= 0; line = head.find(name, line + 1)) {
      values ??= [];
      values[slot] = head.value(line).slice(0, lengthMax);
    }
  }
  return values;
}

function cookie(head: Head, header: string, wanted: { readonly name: string; readonly prefix: boolean; readonly lengthMax: number }): string | undefined {
  for (let line = head.find(header, 0); line >= 0; line = head.find(header, line + 1)) {
    for (const part of head.value(line).split(';')) {
      const text = part.trim();
      const end = text.indexOf('=');
      const name = end < 0 ? text : text.slice(0, end);
      if (wanted.prefix ? text.startsWith(wanted.name) : name === wanted.name) return text.slice(0, wanted.lengthMax);
      // Only the first part of a Set-Cookie line is a cookie.
      if (header === 'set-cookie') break;
    }
  }
  return undefined;
}
