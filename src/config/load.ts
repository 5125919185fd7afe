/**
 * The door of the configuration floor: paths in, a checked Model or the list of everything that is wrong out. Called by cli/
 * and process/ (start, `-c`, reload). Keeps no state, never throws for anything a configuration can contain.
 */
import { availableParallelism, hostname } from 'node:os';
import { atOnce } from '../base/slices.ts';
import type { Model } from '../model/model.ts';
import type { Problem } from '../model/problem.ts';
import { ModelBuilder } from './build.ts';
import type { Context } from './context.ts';
import type { Draft } from './draft.ts';
import { readHttpErrors } from './errors.ts';
import { diskFiles } from './files.ts';
import type { ConfigFiles } from './files.ts';
import { globalTable } from './global/keywords.ts';
import { initialGlobal } from './initial.ts';
import type { Section, SectionKind } from './line.ts';
import { Names } from './names.ts';
import { haproxyVersion } from './predicate.ts';
import { preprocess } from './preprocess.ts';
import { Problems } from './problems.ts';
import { proxyTable } from './proxy/table.ts';
import { SectionReader } from './section.ts';
import { readCrtStore } from './side/crt-store.ts';
import { inactiveTables, readInactive } from './side/inactive.ts';
import { mailersWords, readMailers } from './side/mailers.ts';
import { poiseWords, readPoise } from './side/poise.ts';
import { readUserlist } from './side/userlist.ts';
import { verify } from './verify.ts';
import { adviseExchange } from './exchange-timeouts.ts';
import { adviseMail } from './mail-timeouts.ts';

export interface LoadOptions {
  /** Environment for `"${VAR}"` and `.if defined()`; the process's when left out. Never changed: `setenv` works on a copy. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly files?: ConfigFiles;
  /** `-L`: local peer name, also HAPROXY_LOCALPEER. */
  readonly localPeer?: string;
  /** `-n`: process-wide maxconn that wins over the configuration's. */
  readonly maxconn?: number;
  /** `-W`. */
  readonly masterWorker?: boolean;
  /** `-dD`: print `.diag` messages. */
  readonly diagnostics?: boolean;
  /** For a reload: a file whose last line has no line feed may be half written, and is refused. */
  readonly wholeLines?: boolean;
  /** CPUs of this machine, the default of nbthread. */
  readonly cpus?: number;
  /** Date.now(), for expired certificates. */
  readonly nowMs?: number;
}

export interface Loaded {
  /** Undefined when any problem is an `error` or `unsupported`. */
  readonly model: Model | undefined;
  readonly problems: readonly Problem[];
}

function startEnvironment(options: LoadOptions): Map<string, string> {
  const environment = new Map<string, string>();
  for (const [name, value] of Object.entries(options.environment ?? process.env)) if (value !== undefined) environment.set(name, value);
  environment.set('HAPROXY_LOCALPEER', options.localPeer ?? hostname());
  environment.set('HAPROXY_STARTUP_VERSION', haproxyVersion);
  if (options.masterWorker === true) environment.set('HAPROXY_MWORKER', '1');
  return environment;
}

/** True when the word can begin a line of such a section. */
function knowsWord(kind: SectionKind, word: string): boolean {
  if (kind === 'global') return globalTable.knows(word.split('(')[0] ?? '');
  if (kind === 'defaults' || kind === 'frontend' || kind === 'listen' || kind === 'backend') return proxyTable.knows(word);
  if (kind === 'userlist') return word === 'user' || word === 'group';
  if (kind === 'http-errors') return word === 'errorfile';
  if (kind === 'poise') return Object.hasOwn(poiseWords, word);
  if (kind === 'mailers') return Object.keys(mailersWords).some((known) => known.split(' ')[0] === word);
  return Object.keys(inactiveTables[kind]).some((known) => known.split(' ')[0] === word);
}

function emptyDraft(cpus: number): Draft {
  return {
    global: initialGlobal(cpus), proxies: [], servers: [], binds: [], acls: [], patterns: [], used: new Set(), certificates: [], authorities: [], userlists: [], inactive: [], mailers: [], httpErrors: new Map(),
    crtStores: new Map(), poise: null,
  };
}

function* readSection(context: Context, reader: SectionReader, section: Section): Generator<undefined> {
  switch (section.kind) {
    case 'global': return reader.readGlobal(section);
    case 'defaults': return reader.readDefaults(section);
    case 'frontend':
    case 'listen':
    case 'backend': return yield* reader.readProxy(section, section.kind);
    case 'userlist':
    case 'poise':
    case 'http-errors': return undefined;
    case 'mailers': return readMailers(context, section);
    default: return readInactive(context, section, section.kind);
  }
}

/** Reads the files and folders in order, as several `-f` do. */
export function loadConfiguration(paths: readonly string[], options: LoadOptions = {}): Loaded {
  return atOnce(configurationSteps(paths, options));
}

/** The same in steps of some lines or one object, for a process that has other things to do meanwhile. */
export function* configurationSteps(paths: readonly string[], options: LoadOptions): Generator<undefined, Loaded> {
  const problems = new Problems();
  const files = options.files ?? diskFiles(process.cwd());
  const environment = startEnvironment(options);
  const read = yield* preprocess(paths, files, problems, { environment, diagnostics: options.diagnostics ?? false, wholeLines: options.wholeLines ?? false, knows: knowsWord });
  const context: Context = {
    draft: emptyDraft(options.cpus ?? availableParallelism()), problems, files, variables: (name) => environment.get(name), names: new Names(read.sections), told: new Set(), plainExpressions: new Map(),
    environment,
  };
  // What other sections name by content comes first, whatever the order in the files.
  for (const section of read.sections) {
    if (section.kind === 'userlist') readUserlist(context, section);
    else if (section.kind === 'http-errors') readHttpErrors(context, section);
    else if (section.kind === 'crt-store') readCrtStore(context, section);
  }
  const reader = new SectionReader(context);
  for (const section of read.sections) {
    yield* readSection(context, reader, section);
    yield;
  }
  if (read.sections.length === 0 && !problems.fatal) problems.warning({ file: paths[0] ?? '', line: 0 }, '', 'the configuration holds no section');
  context.draft.poise = readPoise(context, read.sections.filter((section) => section.kind === 'poise'));
  yield* verify(context);
  yield* adviseExchange(context);
  adviseMail(context);
  if (options.maxconn !== undefined) context.draft.global.maxconn = options.maxconn;
  if (options.masterWorker === true) context.draft.global.masterWorker = true;
  const model = yield* new ModelBuilder(context, options.nowMs ?? Date.now()).build(read.files);
  return { model: problems.fatal ? undefined : model, problems: problems.sorted(read.files) };
}
