/**
 * Sections whose features come later: their words are checked, then the section is told as not active yet. One table per
 * section. Called by load.ts; the tables are used by the documentation writer too.
 */
import type { InactiveSection } from '../../model/model.ts';
import type { Context } from '../context.ts';
import type { Section } from '../line.ts';
import { didYouMean } from '../problems.ts';

type Words = Readonly<Record<string, string>>;

export const inactiveTables: Readonly<Record<Exclude<InactiveSection['kind'], 'http-errors'>, Words>> = {
  peers: {
    bind: 'Address of this peer.', 'default-bind': 'Options of bind.', 'default-server': 'Options of server.', disabled: 'Switches the section off.',
    enabled: 'Undoes disabled.', log: 'Where its events are logged.', peer: 'A peer: name and address.', server: 'A peer.', table: 'A stick table.', shards: 'Number of shards.',
  },
  resolvers: {
    nameserver: 'A name server: name and address.', 'parse-resolv-conf': 'Takes the name servers of the system.', hold: 'How long an answer is kept, by status.',
    resolve_retries: 'Questions before giving up.', 'timeout resolve': 'Time between two questions.', 'timeout retry': 'Wait for an answer.',
    accepted_payload_size: 'Largest answer.', server: 'A name server over TCP.',
  },
  cache: {
    'total-max-size': 'Size in megabytes.', 'max-object-size': 'Largest object.', 'max-age': 'Longest age.', 'process-vary': 'Whether Vary is followed.',
    'max-secondary-entries': 'Entries per Vary key.',
  },
  program: { command: 'What is started.', user: 'User it runs as.', group: 'Group it runs as.', option: 'option start-on-reload.' },
  ring: {
    description: 'Text.', format: 'Format of its lines.', maxlen: 'Longest line.', server: 'Where lines are sent to.', size: 'Size.', 'timeout connect': 'Longest wait for a connection.',
    'timeout server': 'Longest silence.', 'backing-file': 'File behind it.',
  },
  'crt-store': { 'crt-base': 'Folder of certificates.', 'key-base': 'Folder of keys.', load: 'A certificate with its key.' },
  'log-forward': {
    backlog: 'Connections that may wait.', bind: 'Address for TCP.', 'dgram-bind': 'Address for UDP.', log: 'Where lines go.', maxconn: 'Most connections.',
    option: 'option dont-parse-log, assume-rfc6587-ntf.', 'timeout client': 'Longest silence.', description: 'Text.', disabled: 'Off.', enabled: 'On.',
  },
  'fcgi-app': {
    acl: 'Conditions.', docroot: 'Root folder.', index: 'Index file.', 'log-stderr': 'Where errors are logged.', option: 'option get-values, keep-conn, max-reqs, mpxs-conns.',
    'pass-header': 'Headers handed on.', 'path-info': 'How the path is split.', 'set-param': 'Parameters.',
  },
  acme: {
    directory: 'Address of the authority.', 'account-key': 'Key of the account.', contact: 'Mail address.', challenge: 'How names are proved.', keytype: 'Kind of key.', bits: 'Size of the key.',
    curves: 'Curve of the key.', map: 'Map that holds the answers.', 'provider-name': 'Provider of names.', 'acme-vars': 'Variables of the provider.', 'reuse-key': 'Keeps the key.', profile: 'Profile of the certificate.',
  },
  'log-profile': { 'log-tag': 'Program name.', on: 'Format at a step.' },
  traces: { trace: 'What is traced.', 'default-sink': 'Where traces go.' },
};

export function readInactive(context: Context, section: Section, kind: InactiveSection['kind']): void {
  const { problems, draft } = context;
  const words = kind === 'http-errors' ? {} : inactiveTables[kind];
  for (const line of section.lines) {
    const [first = '', second = ''] = line.words;
    if (Object.hasOwn(words, first) || Object.hasOwn(words, `${first} ${second}`)) continue;
    problems.error(line.place, first, `unknown keyword '${first}' in a '${kind}' section`, didYouMean(first, Object.keys(words)));
  }
  if (draft.inactive.some((each) => each.kind === kind && each.name === section.name)) {
    problems.error(section.place, section.name, `there is a '${kind}' section '${section.name}' already`);
  }
  draft.inactive.push({ kind, name: section.name, place: section.place });
  problems.notice(section.place, kind, `section '${kind}${section.name === '' ? '' : ` ${section.name}`}' is read and checked, but not active yet`);
}
