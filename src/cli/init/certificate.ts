/**
 * Looks at the certificate of a site before it is written into haproxy.cfg, with the reader that will load it later: the same errors,
 * the same words. Called by exchange.ts.
 */
import { loadConfiguration } from '../../config/load.ts';
import { diskFiles } from '../../config/files.ts';
import type { ConfigFiles } from '../../config/files.ts';
import type { Problem } from '../../model/problem.ts';
import type { ExchangeSite } from './site.ts';
import { configWord } from './words.ts';

const probeName = 'certificate of the site';

/** `*.example.com` stands for one label. */
function covers(pattern: string, name: string): boolean {
  return pattern === name || (pattern.startsWith('*.') && name.includes('.') && pattern.slice(1) === name.slice(name.indexOf('.')));
}

function sentence(problem: Problem): string {
  return `${problem.message}${problem.remedy === '' ? '' : `; ${problem.remedy}`}`;
}

/** Errors: nothing may be written. Warnings: somebody should know. */
export function lookAtCertificate(site: ExchangeSite, nowMs: number): { errors: readonly string[]; warnings: readonly string[] } {
  const authority = site.authority === '' ? '' : `\n server probe 127.0.0.1:443 ssl verify required ca-file ${configWord(site.authority)}`;
  const text = `listen probe\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n bind 127.0.0.1:443 ssl crt ${configWord(site.certificate)}${authority}\n`;
  const disk = diskFiles('/');
  const kind = disk.kind(site.certificate);
  if (kind !== 'file') {
    const what = kind === 'folder' ? 'is a folder' : 'is not there';
    return { errors: [`'${site.certificate}' (--cert) ${what}; name the PEM file with the certificate of the Exchange servers, its chain and its key`], warnings: [] };
  }
  const files: ConfigFiles = { ...disk, read: (path) => (path === probeName ? new TextEncoder().encode(text) : disk.read(path)), kind: (path) => (path === probeName ? 'file' : disk.kind(path)) };
  const { model, problems } = loadConfiguration([probeName], { files, nowMs, environment: {} });
  const of = (...severities: readonly string[]): string[] => problems.filter((problem) => severities.includes(problem.severity)).map(sentence);
  const names = model?.certificates[0]?.names ?? [];
  const missing = model === undefined ? [] : site.names.filter((name) => !names.some((pattern) => covers(pattern, name.toLowerCase())));
  return {
    errors: of('error', 'unsupported'),
    warnings: [...of('warning'), ...missing.map((name) => `the certificate in '${site.certificate}' does not name ${name}, only ${names.join(', ')}; browsers and Outlook will warn: have one made that names it`)],
  };
}
