/**
 * Runtime commands for authorities and revocation lists: show, new, set, commit, abort, del of `ssl ca-file` and `ssl crl-file`. What they work on
 * is in authorities.ts; a commit is taken up by every thread and by the checks before it is answered. The answers are HAProxy's.
 */
import { X509Certificate } from 'node:crypto';
import { pemParts } from '../config/certificates.ts';
import { revocationLists } from '../wire/crl.ts';
import type { RevocationList } from '../wire/crl.ts';
import type { Authorities } from './authorities.ts';
import { byText, leafText } from './certificate-commands.ts';
import type { Command, CommandCall } from './command.ts';
import { command } from './command.ts';
import { takeUp } from './take-up.ts';

/** What the two kinds are called in the answers. */
interface Words {
  readonly kind: Authorities['kind'];
  readonly name: 'CA' | 'CRL';
  readonly file: 'ca-file' | 'crl-file';
  readonly payload: string;
}

const words: readonly Words[] = [
  { kind: 'ca', name: 'CA', file: 'ca-file', payload: 'CAs' },
  { kind: 'crl', name: 'CRL', file: 'crl-file', payload: 'CRLs' },
];

/** The single parts of a file, as they are printed. */
function parts({ kind }: Words, pem: string): string[] {
  if (kind === 'crl') return (revocationLists(pem) ?? []).map((list, index) => ` \nCertificate Revocation List #${index + 1}:\n${listText(list)}`);
  return pemParts(pem).blocks.map((block, index) => ` \nCertificate #${index + 1}:\n${leafText(new X509Certificate(block))}`);
}

function listText({ version, signatureAlgorithm, issuer, lastUpdate, nextUpdate, revoked }: RevocationList): string {
  const dates = `Last Update: ${lastUpdate}\nNext Update: ${nextUpdate === '' ? 'NONE' : nextUpdate}\n`;
  const entries = revoked.map(({ serial, date }) => `    Serial Number: ${serial}\n        Revocation Date: ${date}\n`).join('');
  return `Version ${version}\nSignature Algorithm: ${signatureAlgorithm}\nIssuer: ${issuer}\n${dates}${revoked.length === 0 ? 'No Revoked Certificates.\n' : `Revoked Certificates:\n${entries}`}`;
}

function list(type: Words, { files, pending }: Authorities): string {
  const count = (pem: string): string => (type.kind === 'ca' ? ` - ${pemParts(pem).blocks.length} certificate(s)` : '');
  const change = pending === null ? '' : `# transaction\n*${pending.path}${count(pending.pem)}\n`;
  return `${change}# filename\n${[...files].toSorted(([left], [right]) => byText(left, right)).map(([path, pem]) => `${path}${count(pem)}\n`).join('')}`;
}

function show(type: Words, { context, args }: CommandCall): string {
  const authorities = context[type.kind];
  const [text] = args;
  if (text === undefined) return list(type, authorities);
  const colon = text.lastIndexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const index = colon < 0 ? 0 : Number(/^\d+$/.exec(text.slice(colon + 1))?.[0] ?? 0);
  const { pending, files } = authorities;
  const isPending = pending !== null && name === `*${pending.path}`;
  const pem = isPending ? pending.pem : files.get(name);
  if (colon >= 0 && index === 0) return `wrong ${type.name} index after colons in '${text}'!`;
  if (pem === undefined) return `Can't display the ${type.name} file : Not found!\n`;
  const all = parts(type, pem);
  const chosen = index === 0 ? all.join('') : all[index - 1] ?? '';
  // HAProxy has nothing to say of authorities when there is none to show.
  if (type.kind === 'ca' && chosen === '') return '';
  const status = isPending ? 'Unused' : pem === '' ? 'Empty' : authorities.isUsed(name) ? 'Used' : 'Unused';
  return `Filename: ${name}\nStatus: ${status}\n${chosen}`;
}

function create({ kind, file, name }: Words, { context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return `'new ssl ${file}' expects a filename\n`;
  if (context[kind].files.has(path)) return `${name} file '${path}' already exists!\n`;
  context[kind].files.set(path, '');
  return `New ${name} file created '${path}'!\n`;
}

/** The words for a change of another file that is under way, '' = there is none. */
function otherChange({ pending }: Authorities, path: string, verb: string): string {
  return pending === null || pending.path === path ? '' : `The ongoing transaction is about '${pending.path}' but you are trying to ${verb} '${path}'\n`;
}

function set({ kind, file, name, payload: wanted }: Words, { context, args, payload }: CommandCall): string {
  const [path] = args;
  if (path === undefined || payload === null) return `'set ssl ${file} expects a filename and ${wanted} as a payload\n`;
  const authorities = context[kind];
  const failed = `Can't update ${path}!\n`;
  const other = otherChange(authorities, path, 'set');
  if (other !== '') return other + failed;
  if (!authorities.files.has(path)) return `Can't replace a ${name} file which is not referenced by the configuration!\n${failed}`;
  const pem = authorities.usable(payload);
  if (pem === undefined) return `Invalid payload\n${failed}`;
  const begins = authorities.pending === null;
  authorities.pending = { path, pem };
  return `transaction ${begins ? 'created' : 'updated'} for ${name} ${path}!\n`;
}

async function commit({ kind }: Words, { context, args }: CommandCall): Promise<string> {
  const [path] = args;
  if (path === undefined) return "'commit ssl ca-file expects a filename\n";
  const authorities = context[kind];
  const { pending } = authorities;
  const failed = `Can't commit ${path}!\n`;
  if (pending === null) return `No ongoing transaction! !\n${failed}`;
  const other = otherChange(authorities, path, 'set');
  if (other !== '') return other + failed;
  const failure = authorities.isUsed(path) ? await takeUp(context, (model) => authorities.withPending(model)) : '';
  if (failure !== '') return failure + failed;
  context[kind].files.set(path, pending.pem);
  context[kind].pending = null;
  return `Committing ${path}${'.'.repeat(authorities.instances(path))}\nSuccess!\n`;
}

function abort({ kind, file }: Words, { context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return `'abort ssl ${file}' expects a filename\n`;
  if (context[kind].pending === null) return 'No ongoing transaction!\n';
  const other = otherChange(context[kind], path, 'abort a transaction for');
  if (other !== '') return other;
  context[kind].pending = null;
  return `Transaction aborted for certificate '${path}'!\n`;
}

function remove({ kind, file, name }: Words, { context, args }: CommandCall): string {
  const [path] = args;
  if (path === undefined) return `'del ssl ${file}' expects a ${name} file name\n`;
  const failed = `Can't remove the ${name} file: `;
  const { files, pending } = context[kind];
  if (pending?.path === path) return `${failed}ongoing transaction for the ${name} file '${path}'\n`;
  if (!files.has(path)) return `${failed}${name} file '${path}' doesn't exist!\n\n`;
  if (context[kind].isUsed(path)) return `${failed}${name} file '${path}' in use, can't be deleted!\n\n`;
  files.delete(path);
  return `${name} file '${path}' deleted!\n`;
}

export const authorityCommands: readonly Command[] = words.flatMap((type) => {
  const { file, kind } = type;
  const name = `<${kind}file>`;
  const what = kind === 'ca' ? 'file of authorities' : 'file of revocation lists';
  return [
    command(`show ssl ${file}`, 'operator', `show ssl ${file} [${name}[:<index>]]`, `list each ${what} in use, or tell of one (*${name}: as it will be after commit)`, (call) => show(type, call)),
    command(`new ssl ${file}`, 'admin', `new ssl ${file} ${name}`, `make room for a ${what}`, (call) => create(type, call)),
    command(`set ssl ${file}`, 'admin', `set ssl ${file} ${name} <payload>`, `begin to replace a ${what}`, (call) => set(type, call)),
    command(`commit ssl ${file}`, 'admin', `commit ssl ${file} ${name}`, `put the replaced ${what} into force, in every thread and for checks`, (call) => commit(type, call)),
    command(`abort ssl ${file}`, 'admin', `abort ssl ${file} ${name}`, `leave the ${what} as it is`, (call) => abort(type, call)),
    command(`del ssl ${file}`, 'admin', `del ssl ${file} ${name}`, `forget a ${what} that nobody uses`, (call) => remove(type, call)),
  ];
});
