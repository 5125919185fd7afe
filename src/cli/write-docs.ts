/**
 * `npm run docs`: writes docs/configuration.md and others from the keyword tables and the catalog, so that the page cannot say anything else
 * than the program does. A unit test compares the committed page with configurationPage() and the others.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindRows } from '../config/bind.ts';
import { errorStatuses } from '../config/errors.ts';
import { globalTable, statsSocketRows } from '../config/global/keywords.ts';
import type { Keyword, KeywordState } from '../config/keyword.ts';
import { facilities, levels } from '../config/log-target.ts';
import { features, haproxyVersion } from '../config/predicate.ts';
import { proxyTable } from '../config/proxy/table.ts';
import { serverRows } from '../config/server.ts';
import { keepalivedTables } from '../config/keepalived/load.ts';
import { poiseWords } from '../config/side/poise.ts';
import { inactiveTables } from '../config/side/inactive.ts';
import { mailersWords } from '../config/side/mailers.ts';
import { aclKeywords, predefinedAcls } from '../model/catalog/acls.ts';
import { actions, rulesetLetters } from '../model/catalog/actions.ts';
import { logAliases } from '../model/catalog/aliases.ts';
import { converters } from '../model/catalog/converters.ts';
import { fetches } from '../model/catalog/fetches.ts';
import type { ArgSpec, SupportState } from '../model/catalog/fetches.ts';
import { faults } from '../model/fault.ts';
import { terminationWords } from '../model/termination.ts';
import { broken } from '../wire/http1/broken.ts';
import { managementTable } from './management-table.ts';

const stateWords: Readonly<Record<KeywordState | SupportState, string>> = {
  active: 'yes', 'no effect': 'no effect', later: 'later', legacy: 'old syntax', unsupported: '**no**', inactive: 'later',
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map((each, index) => (index === 0 && row !== head ? each : cell(each))).join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

const byWord = <T extends { readonly word: string }>(rows: readonly T[]): T[] => rows.toSorted((left, right) => (left.word < right.word ? -1 : 1));

/** `F L (B)`: read in frontend and listen, ignored with a warning in backend. */
function places(where: string): string {
  return [...where].map((letter) => (letter === letter.toUpperCase() ? letter : `(${letter.toUpperCase()})`)).join(' ');
}

function proxyKeywords(): string {
  const shown = byWord(proxyTable.rows).map((row: Keyword<never>) => [`\`${row.word}\``, places(row.where), row.negatable ? 'yes' : '', stateWords[row.state], row.help]);
  return table(['keyword', 'sections', '`no`', 'supported', 'what it does'], shown);
}

function globalKeywords(): string {
  return table(['keyword', 'supported', 'what it does'], byWord(globalTable.rows).map((row) => [`\`${row.word}\``, stateWords[row.state], row.help]));
}

function options(rows: readonly { readonly word: string; readonly values: number; readonly state: KeywordState; readonly help: string }[]): string {
  return table(['option', 'values', 'supported', 'what it does'], byWord(rows).map((row) => [`\`${row.word}\``, row.values < 0 ? 'some' : String(row.values), stateWords[row.state], row.help]));
}

function signature(name: string, args: readonly ArgSpec[]): string {
  if (args.length === 0) return `\`${name}\``;
  return `\`${name}(${args.map((arg) => (arg.optional ? `[${arg.type}]` : arg.type)).join(',')})\``;
}

const byName = <T extends { readonly name: string }>(specs: Iterable<T>): T[] => [...specs].toSorted((left, right) => (left.name < right.name ? -1 : 1));

function fetchTable(): string {
  return table(['fetch', 'type', 'needs', 'supported', 'what it gives'], byName(fetches.values()).map((spec) => [signature(spec.name, spec.args), spec.type, spec.needs, stateWords[spec.state], spec.help]));
}

function converterTable(): string {
  return table(['converter', 'takes', 'gives', 'supported', 'what it does'], byName(converters.values()).map((spec) => [signature(spec.name, spec.args), spec.input, spec.output, stateWords[spec.state], spec.help]));
}

function actionTable(): string {
  const rulesets = Object.entries(rulesetLetters);
  const shown = byName(actions.values()).map((spec) => [
    `\`${spec.name}${spec.parenthesis ? '(…)' : ''}\``, rulesets.filter(([, letter]) => spec.where.includes(letter)).map(([name]) => name).join(', '), stateWords[spec.state], spec.help,
  ]);
  return table(['action', 'rulesets', 'supported', 'what it does'], shown);
}

function sideSections(): string {
  const own = `### \`poise\`\n\nSettings that HAProxy and keepalived have no words for. Keep the section in a file of its own (\`-f poise.cfg\`): the other files then stay valid\nfor the original programs.\n\n${table(['keyword', 'what it does'], Object.entries(poiseWords).map(([word, help]) => [`\`${word}\``, help]))}\n`;
  return own + Object.entries(inactiveTables).map(([kind, words]) => {
    const shown = Object.entries(words).map(([word, help]) => [`\`${word}\``, help]);
    return `### \`${kind}\`\n\n${table(['keyword', 'what it does'], shown)}`;
  }).join('\n');
}

const introduction = `# Configuration

This page is made by \`npm run docs\` from the keyword tables of the program; do not edit it by hand.

Poise reads HAProxy's configuration files. It takes the syntax of HAProxy ${haproxyVersion}, the well-known words of later versions, and
old syntax from 1.4 on, which it translates with a warning that gives the modern line. \`poise -c -f <file>\` checks a file and tells every
problem of all files in one run.

Column "supported":

- **yes**: does what HAProxy does; differences that are meant are listed in [differences.md](differences.md).
- **no effect**: accepted with a notice; it tunes something that Poise does not have.
- **later**: accepted and checked with a warning, without effect until the feature is built.
- **old syntax**: removed from HAProxy; still accepted, with a warning that gives the modern line.
- **no**: HAProxy knows it and Poise does not; the configuration is refused with "not supported yet".

Column "sections": D defaults, N named defaults only, F frontend, L listen, B backend; in parentheses: ignored there with a warning.
`;

const files = `## Files, quoting, conditions

- \`-f\` takes files and folders (every \`*.cfg\` of a folder in the order of the names) and may be repeated.
- Words are separated by blanks; \`\\\` escapes, \`"…"\` keeps blanks and expands variables, \`'…'\` keeps everything. \`#\` starts a comment.
- \`"$NAME"\`, \`"\${NAME}"\`, \`"\${NAME-default}"\`, \`"\${NAME[*]}"\` (one word per blank-separated part), \`"\${.FILE}"\`, \`"\${.LINE}"\`, \`"\${.SECTION}"\`.
  Addresses expand \`$NAME\` and \`\${NAME}\` without quotes too.
- \`.if\`, \`.elif\`, \`.else\`, \`.endif\` with \`!\`, \`&&\`, \`||\`, parentheses, integers and the predicates \`defined\`, \`feature\`, \`streq\`, \`strneq\`, \`strstr\`,
  \`version_atleast\`, \`version_before\`, \`openssl_version_atleast\`, \`openssl_version_before\`, \`ssllib_name_startswith\`, \`enabled\`. The version is ${haproxyVersion}.
  Features: ${[...features].sort().join(', ')}.
- \`.notice\`, \`.warning\`, \`.alert\`, \`.diag\` print a message; \`.alert\` refuses the configuration.
- Durations are whole numbers with \`us\`, \`ms\`, \`s\`, \`m\`, \`h\`, \`d\`; sizes take \`k\`, \`m\`, \`g\`.
- A last line without a line feed and CRLF line ends are fine.
`;

/** The whole page. */
export function configurationPage(): string {
  const statuses = errorStatuses.join(', ');
  return [
    introduction,
    files,
    `## Section \`global\`\n\n${globalKeywords()}`,
    `### Options of \`stats socket\`\n\n${options(statsSocketRows)}`,
    `## Sections \`defaults\`, \`frontend\`, \`listen\`, \`backend\`\n\n${proxyKeywords()}`,
    `\`errorfile\` and \`http-error\` take the statuses ${statuses}. Log facilities: ${facilities.join(', ')}. Levels: ${levels.join(', ')}.\n`,
    `### Options of \`bind\`\n\n${options(bindRows)}`,
    `### Options of \`server\`, \`default-server\`, \`server-template\`\n\n${options(serverRows)}`,
    '## Section `userlist`\n\n`group <name> [users <user>,…]`, `user <name> [password <crypted> | insecure-password <clear>] [groups <group>,…]`.\n',
    `## Section \`mailers\`\n\nThe mail servers that \`email-alert mailers\` names.\n\n${table(['keyword', 'what it does'], Object.entries(mailersWords).map(([word, help]) => [`\`${word}\``, help]))}`,
    '## Section `http-errors`\n\n`errorfile <status> <path>`.\n',
    `## Sections that are checked, but not active yet\n\nThe files named in \`crt-store\` are found by \`crt @store/alias\` already.\n\n${sideSections()}`,
    `## Rule actions\n\n${actionTable()}`,
    `## Sample fetches\n\n${fetchTable()}`,
    `## Converters\n\n${converterTable()}`,
    `## ACLs\n\nKeywords with a match method of their own: ${[...aclKeywords.keys()].map((word) => `\`${word}\``).join(', ')}.\n\nPredefined: ${[...predefinedAcls.keys()].map((word) => `\`${word}\``).join(', ')}.\n`,
    `## Log-format variables\n\n${table(['variable', 'mode', 'what it gives'], byName(logAliases.values()).map((spec) => [`\`%${spec.name}\``, spec.http ? 'http' : 'any', spec.help]))}`,
  ].join('\n');
}

const keepalivedIntroduction = `# keepalived.conf

This page is made by \`npm run docs\` from the keyword tables of the program; do not edit it by hand.

Poise reads a keepalived.conf as it is (\`--keepalived FILE\`, \`poise vrrp -f FILE\`): comments with \`#\` and \`!\`, quotes, \`include\`, \`$NAME=value\` definitions,
\`@id\` lines. What the words mean stands in keepalived.conf(5); [high-availability.md](high-availability.md) tells what Poise adds. A word that
neither program knows is an error with its line, and so is one that keepalived knows and Poise does not: a pair must not start half understood.
`;

export function keepalivedPage(): string {
  return keepalivedIntroduction + Object.entries(keepalivedTables).map(([block, rows]) => {
    const shown = Object.entries(rows).map(([word, row]) => [`\`${word}\``, row.unsupported !== undefined ? '**no**' : row.ignored !== undefined ? 'no effect' : 'yes', row.unsupported ?? row.ignored ?? '']);
    return `\n## ${block}\n\n${table(['word', 'supported', 'instead, or why not'], shown)}`;
  }).join('');
}

const marks = ['<!-- causes: begin (made by npm run docs) -->', '<!-- causes: end -->'] as const;

/** docs/logging.md with its tables made anew; the text around them is written by hand. */
export function loggingPage(page: string): string {
  const [before = '', rest = ''] = page.split(marks[0]);
  const after = rest.split(marks[1])[1] ?? '';
  const rows = Object.values(faults).map((fault) => {
    const letters = fault.cause + fault.stage;
    return [`\`${letters}\``, fault.status === 0 ? '' : String(fault.status), fault.why, terminationWords(letters)];
  });
  const causes = table(['letters', 'status', 'what happened', 'the letters in words (`poise logs`)'], rows.toSorted((one, other) => ((one[0] ?? '') < (other[0] ?? '') ? -1 : 1)));
  const rules = Object.values(broken).map((what) => `- ${what}\n`).join('');
  return `${before}${marks[0]}\n${causes}\nWhat a refused message broke:\n\n${rules}${marks[1]}${after}`;
}

const commandMarks = ['<!-- commands: begin (made by npm run docs) -->', '<!-- commands: end -->'] as const;

/** docs/management.md with its table made anew. */
export function managementPage(page: string): string {
  const [before = '', rest = ''] = page.split(commandMarks[0]);
  return `${before}${commandMarks[0]}\n${managementTable()}${commandMarks[1]}${rest.split(commandMarks[1])[1] ?? ''}`;
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, '..', '..', 'docs');
  writeFileSync(join(folder, 'configuration.md'), configurationPage());
  writeFileSync(join(folder, 'keepalived.md'), keepalivedPage());
  const logging = join(folder, 'logging.md');
  writeFileSync(logging, loggingPage(readFileSync(logging, 'utf8')));
  const management = join(folder, 'management.md');
  writeFileSync(management, managementPage(readFileSync(management, 'utf8')));
}
