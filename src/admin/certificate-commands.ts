/**
 * Runtime commands for certificates and crt-lists: show, new, set, commit, abort, add, del. What they work on is in certificates.ts. The answers
 * are HAProxy's. Keys are never shown.
 */
import { X509Certificate } from 'node:crypto';
import { pemParts } from '../config/certificates.ts';
import { readCrtListLine } from '../config/crt-list.ts';
import { crtListOptionFault } from '../config/tls.ts';
import type { ListLine } from './certificates.ts';
import type { Command, CommandCall } from './command.ts';
import { command } from './command.ts';
import type { AdminContext } from './context.ts';

export function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

/** `EC256`, `RSA2048`. */
function algorithmOf({ publicKey }: X509Certificate): string {
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKey;
  const bits = asymmetricKeyDetails?.modulusLength ?? curveBits[asymmetricKeyDetails?.namedCurve ?? ''] ?? 0;
  const name = asymmetricKeyType === 'ec' ? 'EC' : (asymmetricKeyType ?? '').toUpperCase();
  return `${name}${bits === 0 ? '' : bits}`;
}
const curveBits: Readonly<Record<string, number>> = { 'prime256v1': 256, 'secp384r1': 384, 'secp521r1': 521, 'secp256k1': 256, 'P-256': 256, 'P-384': 384, 'P-521': 521 };

/** The runtimes write a backslash before special characters of a name. */
function oneLine(name: string): string {
  return name.split('\n').map(part => `/${part.replaceAll(/\\(.)/g, '$1')}`).join('');
}

/** Only names are spelled out, other kinds stay empty, as HAProxy does it. */
function alternativeNames(leaf: X509Certificate): string {
  const names = (leaf.subjectAltName ?? '').split(', ');
  return names.map(name => (name.startsWith('DNS:') ? name : '')).join(', ');
}

export function leafText(leaf: X509Certificate): string {
  return `Serial: ${leaf.serialNumber}\nnotBefore: ${leaf.validFrom}\nnotAfter: ${leaf.validTo}\nSubject Alternative Name: ${alternativeNames(leaf)}\n` +
    `Algorithm: ${algorithmOf(leaf)}\nSHA1 FingerPrint: ${leaf.fingerprint.replaceAll(':', '')}\nSubject: ${oneLine(leaf.subject)}\nIssuer: ${oneLine(leaf.issuer)}\n`;
}

function chainText(blocks: readonly string[]): string {
  return blocks.slice(1).map((block) => {
    const one = new X509Certificate(block);
    return `Chain Subject: ${oneLine(one.subject)}\nChain Issuer: ${oneLine(one.issuer)}\n`;
  }).join('');
}

function fileText(name: string, status: string, blocks: readonly string[]): string {
  const [first] = blocks;
  return `Filename: ${name}\nStatus: ${status}\n${first === undefined ? '' : leafText(new X509Certificate(first)) + chainText(blocks)}OCSP Response Key: \n`;
}

const notShown = "Can't display the certificate: Not found or the certificate is a bundle!\n";

function showCertificates({ context, args }: CommandCall): string {
  const { files, pending } = context.certificates;
  const [name] = args;
  if (name === undefined) {
    if (files.size === 0) return '';
    return `${pending === null ? '' : `# transaction\n*${pending.path}\n`}# filename\n${[...files.keys()].toSorted(byText).map(path => `${path}\n`).join('')}`;
  }
  if (name.startsWith('*')) return pending === null || name !== `*${pending.path}` ? notShown : fileText(name, 'Unused', pending.blocks);
  const known = files.get(name);
  if (known === undefined) return notShown;
  if (known === null) return fileText(name, 'Empty', []);
  return fileText(name, context.certificates.uses(name) > 0 ? 'Used' : 'Unused', pemParts(known.certPem).blocks);
}

function createCertificate({ context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return "'new ssl cert' expects a filename\n";
  if (context.certificates.files.has(path)) return `Certificate '${path}' already exists!\n`;
  context.certificates.create(path);
  return `New empty certificate store '${path}'!\n`;
}

function setCertificate({ context, args, payload }: CommandCall): string {
  const [name] = args;
  if (name === undefined || payload === null) return "'set ssl cert expects a filename and a certificate as a payload\n";
  const { certificates } = context;
  const keyOnly = !certificates.files.has(name) && name.endsWith('.key');
  const path = keyOnly ? name.slice(0, -'.key'.length) : name;
  const failed = `Can't update ${name}!\n`;
  if (certificates.pending !== null && certificates.pending.path !== path) {
    return `The ongoing transaction is about '${certificates.pending.path}' but you are trying to set '${path}'\n${failed}`;
  }
  if (!certificates.files.has(path)) return `Can't replace a certificate which is not referenced by the configuration!\n${failed}`;
  const begins = certificates.pending === null;
  if (!certificates.put(path, payload, keyOnly)) return `unable to load certificate from file '${name}'.\nCan't load the payload\n${failed}`;
  return `Transaction ${begins ? 'created' : 'updated'} for certificate ${path}!\n`;
}

function commitCertificate({ context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return "'commit ssl cert expects a filename\n";
  const { pending } = context.certificates;
  const failed = `Can't commit ${path}!\n`;
  if (pending === null) return `No ongoing transaction! !\n${failed}`;
  if (pending.path !== path) return `The ongoing transaction is about '${pending.path}' but you are trying to set '${path}'\n${failed}`;
  const fault = context.certificates.commit();
  if (fault === 'incomplete') return `The transaction must contain at least a certificate and a private key!\n${failed}`;
  if (fault === 'inconsistent') return `inconsistencies between private key and certificate loaded '${path}'.\n${failed}`;
  return `Committing ${path}${'.'.repeat(context.certificates.uses(path))}\nSuccess!\n`;
}

function abortCertificate({ context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return "'abort ssl cert' expects a filename\n";
  const { pending } = context.certificates;
  if (pending === null) return 'No ongoing transaction!\n';
  if (pending.path !== path) return `The ongoing transaction is about '${pending.path}' but you are trying to abort a transaction for '${path}'\n`;
  context.certificates.pending = null;
  return `Transaction aborted for certificate '${path}'!\n`;
}

function deleteCertificate({ context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return "'del ssl cert' expects a certificate name\n";
  const failed = "Can't remove the certificate: ";
  const { files, pending } = context.certificates;
  if (pending?.path === path) return `${failed}ongoing transaction for the certificate '${path}'\n`;
  if (!files.has(path)) return `${failed}certificate '${path}' doesn't exist!\n\n`;
  if (context.certificates.uses(path) > 0) return `${failed}certificate '${path}' in use, can't be deleted!\n\n`;
  context.certificates.remove(path);
  return `Certificate '${path}' deleted!\n`;
}

function lineText({ path, line, options, filters }: ListLine, numbered: boolean): string {
  return `${path}${numbered ? `:${line}` : ''}${options === '' ? '' : ` [${options}]`}${filters.map(filter => ` ${filter}`).join('')}\n`;
}

function showList({ context, args }: CommandCall): string {
  const numbered = args[0] === '-n';
  const name = args[numbered ? 1 : 0];
  if (name === undefined) return numbered ? "'show ssl crt-list -n' expects a filename or a directory\n" : context.certificates.lists.map(list => `${list}\n`).join('');
  const lines = context.certificates.linesOf(name);
  return lines === undefined ? "didn't find the specified filename\n" : `# ${name}\n${lines.map(line => lineText(line, numbered)).join('')}`;
}

/** Lists may be named with a slash behind, as folders are. */
function listName(text: string): string {
  return text.replace(/\/$/, '');
}

function addToList({ context, args, payload }: CommandCall): string {
  const [name, certificate] = args;
  if (name === undefined || (certificate === undefined && payload === null)) return "'add ssl crtlist' expects a filename and a certificate name\n";
  const failed = "Can't edit the crt-list: ";
  const list = listName(name);
  const lines = (payload ?? '').split('\n').filter(line => line !== '');
  if (payload !== null && lines.length !== 1) return `${failed}only one line of payload is supported!\n`;
  if (context.certificates.linesOf(list) === undefined) return `${failed}crt-list '${name}' does not exist!\n`;
  const entry = payload === null ? undefined : readCrtListLine(lines[0] ?? '', { file: 'CLI', line: 1 }, () => undefined);
  if (payload !== null && entry === undefined) return `${failed}certificate '${(lines[0] ?? '').trim().split(/\s/)[0] ?? ''}' does not exist!\n`;
  const path = entry?.crt ?? certificate ?? '';
  const fault = crtListOptionFault(entry?.options ?? []);
  if (fault !== '') return `${failed}parsing [CLI:1]: ${fault}\n`;
  const known = context.certificates.files.get(path);
  if (known === undefined) return `${failed}certificate '${path}' does not exist!\n`;
  if (known === null) return `${failed}certificate '${path}' is empty!\n`;
  context.certificates.addLine(list, path, entry?.optionText ?? '', entry?.filters ?? []);
  return `Inserting certificate '${path}' in crt-list '${list}'.\nSuccess!\n`;
}

/** The line to delete, or why there is none. */
function lineToDelete(context: AdminContext, list: string, path: string, wanted: string | undefined): number | string {
  const lines = context.certificates.linesOf(list);
  if (!context.certificates.files.has(path)) return `certificate '${path}' does not exist!\n`;
  if (lines === undefined) return `crt-list '${list}' does not exist!\n`;
  const numbers = lines.filter(one => one.path === path).map(one => one.line);
  const [only] = numbers;
  if (only === undefined) return `certificate '${path}' can't be found in crt-list '${list}'!\n`;
  if (wanted === undefined) {
    return numbers.length === 1 ? only : `found the certificate '${path}' in several entries, please specify a line number preceded by colons (${numbers.join(', ')})!\n`;
  }
  const line = Number(wanted);
  return numbers.includes(line) ? line : `found a certificate '${path}' but the line number is incorrect, please specify a correct line number preceded by colons (${numbers.join(', ')})!\n`;
}

function deleteFromList({ context, args }: CommandCall): string {
  const [name, certificate] = args;
  if (name === undefined || certificate === undefined) return "'del ssl crtlist' expects a filename and a certificate name\n";
  const failed = "Can't delete the entry: ";
  const list = listName(name);
  const [, path = certificate, wanted] = /^(.*):([^:]*)$/.exec(certificate) ?? [];
  if (wanted !== undefined && !/^[1-9]\d*$/.test(wanted)) return `${failed}wrong line number after colons in '${certificate}'!\n`;
  const line = lineToDelete(context, list, path, wanted);
  if (typeof line === 'string') return failed + line;
  const frontends = context.certificates.defaultOf(list, line);
  if (frontends.length > 0) {
    return `${failed}certificate '${path}' cannot be deleted, it is used as default certificate by the following frontends:\n${frontends.map(place => `\t- ${place}\n`).join('')}\n`;
  }
  context.certificates.removeLine(list, line);
  return `Entry '${path}' deleted in crtlist '${list}'!\n`;
}

export const certificateCommands: readonly Command[] = [
  command('show ssl cert', 'operator', 'show ssl cert [<certfile>]', 'list the certificates in use, or tell of one (*<certfile>: as it will be after commit)', showCertificates),
  command('show ssl crt-list', 'admin', 'show ssl crt-list [-n] [<list>]', 'list the crt-lists, or the lines of one (-n: with numbers)', showList),
  command('new ssl cert', 'admin', 'new ssl cert <certfile>', 'make room for a new certificate', createCertificate),
  command('set ssl cert', 'admin', 'set ssl cert <certfile> <payload>', 'begin or go on to replace a certificate (<certfile>.key: its key)', setCertificate),
  command('commit ssl cert', 'admin', 'commit ssl cert <certfile>', 'put the replaced certificate into force, in every thread', commitCertificate),
  command('abort ssl cert', 'admin', 'abort ssl cert <certfile>', 'leave the certificate as it is', abortCertificate),
  command('del ssl cert', 'admin', 'del ssl cert <certfile>', 'forget a certificate that nobody uses', deleteCertificate),
  command('add ssl crt-list', 'admin', 'add ssl crt-list <list> <cert> [opts]*', 'add a certificate to a crt-list (or a line as payload)', addToList),
  command('del ssl crt-list', 'admin', 'del ssl crt-list <list> <cert[:line]>', 'take a line out of a crt-list', deleteFromList),
];
