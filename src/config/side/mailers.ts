/** `mailers` sections: the mail servers that `email-alert mailers` names. Called by load.ts; whether anybody names them is seen in verify-mail.ts. */
import { limits } from '../../model/limits.ts';
import type { Relay } from '../../model/mail.ts';
import { parseAddress } from '../address.ts';
import type { AddressRules } from '../address.ts';
import { Reading } from '../context.ts';
import type { Context } from '../context.ts';
import type { Section } from '../line.ts';
import { didYouMean } from '../problems.ts';

/** Words of the section with one sentence each, for docs/configuration.md. */
export const mailersWords: Readonly<Record<string, string>> = {
  mailer: '`mailer NAME HOST:PORT`: a mail server. They are tried in turn until one takes the letter (HAProxy sends one letter to each).',
  'timeout mail': '`timeout mail TIME`: longest time for one letter to one of them; 10s without this line.',
};

/** The family of a mailer is TCP over IP. Names are looked up when a letter is sent. */
const addressRules: AddressRules = { port: 'required', range: false, offset: false, fd: false, datagram: false, stream: true, names: true };

export function readMailers(context: Context, section: Section): void {
  const { draft, problems } = context;
  const reading = new Reading(context, section);
  const before = draft.mailers.find((each) => each.name === section.name);
  const bad = /[^A-Za-z0-9_.:-]/.exec(section.name);
  if (section.name === '') reading.error('mailers', "'mailers' needs a name", "write 'mailers <name>'");
  else if (bad !== null) reading.error(section.name, `the name '${section.name}' holds '${bad[0]}'`, 'names are made of letters, digits, - _ . and :');
  else if (before !== undefined) reading.error(section.name, `there is a mailers section '${section.name}' already, at ${before.place.file}:${before.place.line}`, 'give each a name of its own');
  const relays: Relay[] = [];
  let timeoutMs: number = limits.mailersTimeoutMs;
  for (const line of section.lines) {
    reading.line = line;
    const [word = '', ...args] = line.words;
    reading.keyword = word;
    reading.args = args;
    if (line.negation !== '') reading.error(line.negation, `'${line.negation}' cannot stand before '${word}'`);
    else if (word === 'mailer') {
      const address = readMailer(reading);
      if (address !== undefined) relays.push({ ...address, ...plain, place: line.place });
    } else if (word === 'timeout' && args[0] === 'mail') timeoutMs = readTimeout(reading) ?? timeoutMs;
    else problems.error(line.place, word, `unknown keyword '${line.words.slice(0, 2).join(' ')}' in a 'mailers' section`, didYouMean(word, ['mailer', 'timeout mail']));
  }
  // The timeout holds for the whole section, wherever its line stands.
  draft.mailers.push({ name: section.name, place: section.place, relays: relays.map((relay) => ({ ...relay, connectTimeoutMs: timeoutMs, sendTimeoutMs: timeoutMs })) });
}

/** HAProxy speaks clear text to them; here TLS is used when the server offers it. */
const plain = { security: 'opportunistic', user: '', password: '', helo: '', connectTimeoutMs: 0, sendTimeoutMs: 0, verifyCertificate: false } as const;

function readMailer(reading: Reading): { host: string; port: number } | undefined {
  const [name = '', text = '', extra] = reading.args;
  if (text === '') {
    reading.error('mailer', "'mailer' needs a name and an address", 'write mailer NAME HOST:PORT');
    return undefined;
  }
  if (extra !== undefined) reading.warning(extra, `'${extra}' after 'mailer ${name}' is ignored`, 'leave it out');
  const parsed = parseAddress(reading.expanded(text), addressRules);
  if (parsed.address === null) reading.error(text, `'mailer ${name}': ${parsed.fault}`);
  else if (parsed.address.kind === 'inet') return { host: parsed.address.host, port: parsed.address.port };
  else if (parsed.address.kind === 'name') return { host: parsed.address.name, port: parsed.address.port };
  else reading.error(text, `'mailer ${name}': '${text}' is no address of a mail server`, 'write HOST:PORT');
  return undefined;
}

function readTimeout(reading: Reading): number | undefined {
  const [, text = '', extra] = reading.args;
  if (text === '') {
    reading.error('timeout mail', "'timeout mail' needs a value after it");
    return undefined;
  }
  if (extra !== undefined) reading.warning(extra, `'${extra}' after 'timeout mail' is ignored`, 'leave it out');
  const found = reading.duration(text, "'timeout mail'");
  return found === 0 ? limits.letterSendMsMax : found;
}
