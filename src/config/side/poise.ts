/**
 * The `poise` section: settings that HAProxy and keepalived have no words for. It stands in a file of its own (`-f poise.cfg`), so that the
 * other files stay valid for the original programs. Called by load.ts; names of proxies are looked up after all sections are read.
 */
import { readFileSync } from 'node:fs';
import { limits } from '../../model/limits.ts';
import type { Relay } from '../../model/mail.ts';
import type { PoiseSettings } from '../../model/model.ts';
import type { Context } from '../context.ts';
import type { Line, Section } from '../line.ts';
import { didYouMean } from '../problems.ts';
import { warnOfCircle } from '../verify-mail.ts';

/** Words of the section with one sentence each, for docs/configuration.md. */
export const poiseWords: Readonly<Record<string, string>> = {
  vital: '`vital FRONTEND …`: a node on which none of the servers behind one of these frontends can be used gives its virtual addresses up.',
  webhook: '`webhook URL`: changes are also posted there as JSON, besides the mail.',
  relay: '`relay HOST:PORT [starttls|tls] [no-verify] [user NAME password-file FILE]`: a mail server to try when the ones before do not take a letter.',
  'mail-queue': '`mail-queue FOLDER`: where letters wait; /var/lib/poise/mail without this line.',
  'state-folder': '`state-folder FOLDER`: counters, states and limits set by hand and stick tables are kept there over restarts, crashes and reboots. See [state.md](state.md).',
  'log-why': '`log-why [FRONTEND …]`: every line about an exchange that ended otherwise than well is followed by one that says why in words; without names for all frontends. See [logging.md](logging.md).',
  'watch-certificates': '`watch-certificates`: a certificate file that changes on disk is taken up by itself, without a reload, once it and its key are valid.',
  'last-resort': '`last-resort BACKEND …`: when every server of the backend is down, requests go to all of them instead of being answered with 503.',
};

const noSettings: PoiseSettings = { given: false, vital: [], webhooks: [], relays: [], mailQueue: '/var/lib/poise/mail', lastResort: [], logWhy: [], stateFolder: '', watchCertificates: false };
const connectTimeoutMs = 30_000;

type Draft = { -readonly [K in keyof PoiseSettings]: PoiseSettings[K] };

export function readPoise(context: Context, sections: readonly Section[]): PoiseSettings {
  const draft: Draft = { ...noSettings, given: sections.length > 0 };
  for (const section of sections) for (const line of section.lines) readLine(context, line, draft);
  return draft;
}

function readLine(context: Context, line: Line, draft: Draft): void {
  const { problems } = context;
  const [word = '', ...rest] = line.words;
  if (!Object.hasOwn(poiseWords, word)) {
    problems.error(line.place, word, `unknown keyword '${word}' in a 'poise' section`, didYouMean(word, Object.keys(poiseWords)));
  } else if (word === 'watch-certificates') {
    draft.watchCertificates = true;
    if (rest.length > 0) problems.error(line.place, rest[0] ?? '', `unexpected '${rest[0] ?? ''}' after 'watch-certificates'`, 'the word stands alone');
  } else if (word === 'log-why') {
    draft.logWhy = rest.length === 0 ? context.draft.proxies.filter(({ kind }) => kind !== 'backend').map(({ index }) => index) : [...draft.logWhy, ...proxiesNamed(context, line, rest, 'frontend')];
  } else if (rest.length === 0) {
    problems.error(line.place, word, `'${word}' wants words after it`, poiseWords[word] ?? '');
  } else if (word === 'vital') draft.vital = [...draft.vital, ...proxiesNamed(context, line, rest, 'frontend')];
  else if (word === 'last-resort') draft.lastResort = [...draft.lastResort, ...proxiesNamed(context, line, rest, 'backend')];
  else if (word === 'mail-queue') draft.mailQueue = rest[0] ?? '';
  else if (word === 'state-folder') draft.stateFolder = rest[0] ?? '';
  else if (word === 'webhook') {
    if (!URL.canParse(rest[0] ?? '') || !/^https?:/.test(rest[0] ?? '')) problems.error(line.place, rest[0] ?? '', `'${rest[0] ?? ''}' is no address of a webhook`, 'write https://host/path');
    else draft.webhooks = [...draft.webhooks, rest[0] ?? ''];
  } else {
    const relay = readRelay(context, line, rest);
    if (relay === undefined) return;
    draft.relays = [...draft.relays, relay];
    warnOfCircle(context.draft, problems, relay, []);
  }
}

function proxiesNamed(context: Context, line: Line, names: readonly string[], kind: 'frontend' | 'backend'): number[] {
  const fitting = context.draft.proxies.filter((proxy) => proxy.kind === kind || proxy.kind === 'listen');
  return names.flatMap((name) => {
    const found = fitting.find((proxy) => proxy.name === name);
    if (found === undefined) context.problems.error(line.place, name, `there is no ${kind} '${name}'`, didYouMean(name, fitting.map((proxy) => proxy.name)));
    return found === undefined ? [] : [found.index];
  });
}

function readRelay(context: Context, line: Line, words: readonly string[]): Relay | undefined {
  const { problems } = context;
  const [address = ''] = words;
  const found = /^(.+):(\d+)$/.exec(address);
  const port = Number(found?.[2] ?? 0);
  if (found === null || port < 1 || port > 65_535) {
    problems.error(line.place, address, `'${address}' is no mail server`, 'write HOST:PORT, such as mail.example.com:587');
    return undefined;
  }
  let [security, verifyCertificate, user, password]: [Relay['security'], boolean, string, string] = ['opportunistic', true, '', ''];
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? '';
    const value = words[index + 1] ?? '';
    if (word === 'starttls') security = 'required';
    else if (word === 'tls') security = 'tls';
    else if (word === 'no-verify') verifyCertificate = false;
    else if (word === 'user' || word === 'password-file') {
      index += 1;
      if (word === 'user') user = value;
      else password = readPassword(context, line, value);
    } else problems.error(line.place, word, `unexpected '${word}' in a relay line`, didYouMean(word, ['starttls', 'tls', 'no-verify', 'user', 'password-file']));
  }
  return { place: line.place, host: (found[1] ?? '').replace(/^\[(.*)\]$/, '$1'), port, security, user, password, helo: '', connectTimeoutMs, sendTimeoutMs: limits.letterSendMsMax, verifyCertificate };
}

function readPassword(context: Context, line: Line, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n[^]*$/, '');
  } catch (error) {
    context.problems.error(line.place, file, `cannot read the password file '${file}': ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
    return '';
  }
}
