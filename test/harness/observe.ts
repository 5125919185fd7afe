/** Turns messages into what situations compare: everything that means something, nothing that each hop may choose. */
import type { Message } from './http.ts';
import type { Site } from './site.ts';

/**
 * Header lines as they mean: names in lower case, one blank before the value, without `connection` (each hop has its own),
 * `date` and the site's address. How lines are spelled is a situation of its own.
 */
export function headerLines(site: Site, lines: readonly string[]): string[] {
  return lines.slice(1)
    .map((line) => site.anonymous(line.replace(/^([^:]+):[ \t]*(.*?)[ \t]*$/s, (_, name: string, value: string) => `${name.toLowerCase()}: ${value}`)))
    .filter((line) => !line.startsWith('connection:') && !line.startsWith('date:'));
}

export interface Relayed { readonly start: string; readonly headers: readonly string[]; readonly body: string }

/** A message that passed through the balancer, or was made by it. */
export function relayed(site: Site, message: Message): Relayed {
  return { start: site.anonymous(message.startLine), headers: headerLines(site, message.lines), body: site.anonymous(message.body) };
}

/** The requests that an origin got, in order. */
export function seen(site: Site, origin: string): Relayed[] {
  return site.origin(origin).requests.map((request) => relayed(site, request));
}

/** `GET <uri>` with a host and more header lines. */
export function get(uri: string, ...headers: string[]): string {
  return [`GET ${uri} HTTP/1.1`, 'Host: lab.local', ...headers, '', ''].join('\r\n');
}

export function post(uri: string, body: string, ...headers: string[]): string {
  return [`POST ${uri} HTTP/1.1`, 'Host: lab.local', ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}
