/** Converters that look something up: maps, variables, live figures; and addresses. */
import { IpValue, maskBytes, parseIp } from '../../base/ip.ts';
import { compileRegex } from '../../config/expression/regex.ts';
import { mapMethods } from '../../model/catalog/converters.ts';
import type { PatternEntry } from '../../model/expression.ts';
import { fillReplacement } from '../replace.ts';
import type { Sample, Subject } from '../subject.ts';
import type { Args, CompileContext, ConvertFn, ConvertMaker, ConvertTable } from '../types.ts';
import { textToInt, toIp, toText } from '../values.ts';
import { mayWrite, removeVar, writeVar } from '../vars.ts';

type Output = (text: string) => Sample;

const outputs: Readonly<Record<'str' | 'int' | 'ip', Output>> = { str: (text) => text, int: textToInt, ip: parseIp };

/** Default of a map converter: `_int` ones carry an integer argument. */
function fallbackOf(args: Args, output: Output): Sample {
  const [, arg] = args;
  if (arg?.kind === 'int') return arg.value;
  return arg?.kind === 'str' ? output(arg.value) : undefined;
}

function mapConverter(output: Output): ConvertMaker {
  return (args, context) => {
    const [arg] = args;
    const fallback = fallbackOf(args, output);
    if (arg?.kind !== 'patterns') return () => fallback;
    const patterns = context.patterns(arg.patterns);
    return (value) => {
      const entry = patterns.find(value);
      return entry === undefined ? fallback : output(entry.value);
    };
  };
}

/** map_regm: the value's \0..\9 are groups of the expression that matched. */
function mapRegexGroups(args: Args, context: CompileContext): ConvertFn {
  const [arg] = args;
  const fallback = fallbackOf(args, outputs.str);
  if (arg?.kind !== 'patterns') return () => fallback;
  const patterns = context.patterns(arg.patterns);
  const compiled = new WeakMap<PatternEntry, RegExp>();
  return (value) => {
    const entry = patterns.find(value);
    if (entry === undefined) return fallback;
    let regex = compiled.get(entry);
    if (regex === undefined) {
      const made = compileRegex(entry.key, patterns.ignoreCase);
      if (!(made instanceof RegExp)) return fallback;
      regex = made;
      compiled.set(entry, regex);
    }
    const match = regex.exec(toText(value));
    return match === null ? fallback : fillReplacement(entry.value, match);
  };
}

function mapTable(): ConvertTable {
  const out: Record<string, ConvertMaker> = { map: mapConverter(outputs.str), map_regm: mapRegexGroups };
  for (const method of Object.keys(mapMethods)) {
    if (method === 'regm') continue;
    out[`map_${method}`] = mapConverter(outputs.str);
    for (const kind of ['str', 'int', 'ip'] as const) out[`map_${method}_${kind}`] = mapConverter(outputs[kind]);
  }
  return out;
}

function ipmask(args: Args): ConvertFn {
  const bits4 = args[0]?.kind === 'mask' ? args[0].bits : 32;
  const bits6 = args[1]?.kind === 'mask' ? args[1].bits : undefined;
  return (value) => {
    const ip = toIp(value);
    if (ip === undefined) return undefined;
    const bits = ip.family === 4 ? bits4 : bits6;
    // An IPv6 address without an IPv6 mask gives nothing.
    return bits === undefined ? undefined : new IpValue(ip.family, maskBytes(ip.bytes, bits));
  };
}

function setVar(args: Args): ConvertFn {
  const [arg] = args;
  const conditions = args.slice(1).flatMap((each) => (each?.kind === 'str' ? [each.value] : []));
  return (value, s) => {
    if (arg?.kind === 'var' && mayWrite(s, arg.scope, arg.name, value, conditions)) writeVar(s, arg.scope, arg.name, value);
    return value;
  };
}

function unsetVar(args: Args): ConvertFn {
  const [arg] = args;
  return (value, s) => {
    if (arg?.kind === 'var') removeVar(s, arg.scope, arg.name);
    return value;
  };
}

/** Figures of what a text names; name tables are made at load. */
function byName(index: (context: CompileContext) => ReadonlyMap<string, number>, read: (s: Subject, found: number) => number): ConvertMaker {
  return (_, context) => {
    const names = index(context);
    return (value, s) => {
      const found = names.get(toText(value));
      return found === undefined ? undefined : read(s, found);
    };
  };
}

function backendNames(context: CompileContext): ReadonlyMap<string, number> {
  return new Map(context.model.proxies.filter((proxy) => proxy.isBackend).map((proxy) => [proxy.name, proxy.index]));
}

function serverNames(context: CompileContext): ReadonlyMap<string, number> {
  return new Map(context.model.servers.map((server) => [`${context.model.proxies[server.proxy]?.name ?? ''}/${server.name}`, server.index]));
}

/** `debug([prefix])` passes the sample on; where it would be shown does not exist yet. */
const debug: ConvertMaker = () => (value) => value;

export const lookupConverters: ConvertTable = {
  ...mapTable(),
  ipmask,
  'set-var': setVar,
  'unset-var': unsetVar,
  nbsrv: byName(backendNames, (s, proxy) => s.world.usableServers(proxy)),
  srv_queue: byName(serverNames, (s, server) => s.world.serverQueue(server)),
  debug,
};
