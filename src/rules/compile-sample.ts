/** Sample expression → function; the form that shows all values to an ACL too. Called by the Compiler at load. */
import { converters } from '../model/catalog/converters.ts';
import { fetches } from '../model/catalog/fetches.ts';
import { isCounter } from '../model/catalog/stick-counters.ts';
import type { Call, SampleExpr } from '../model/expression.ts';
import { convertTable } from './convert/table.ts';
import { fetchTable } from './fetch/table.ts';
import type { Sample, SampleValue } from './subject.ts';
import type { CompileContext, ConvertFn, EachFn, SampleFn, Visit } from './types.ts';

const nothing: SampleFn = () => undefined;
/** Stick counters that are not built yet count nothing: what they give for a client that was never seen. */
const zero: SampleFn = () => 0;
const zeroFor: ConvertFn = () => 0;

/** True when the expression rests on something that is accepted, but does not work yet. */
export function isInactive(expr: SampleExpr): boolean {
  return fetches.get(expr.fetch.name)?.state === 'inactive' || expr.converters.some((call) => converters.get(call.name)?.state === 'inactive');
}

/** Converters one after the other. Null: there are none. What is known but not active gives nothing. */
function compileConverters(calls: readonly Call[], context: CompileContext): ConvertFn | null {
  let chain: ConvertFn | null = null;
  for (const call of calls) {
    const maker = convertTable[call.name];
    if (maker === undefined && !isCounter(call.name)) return () => undefined;
    const next = maker === undefined ? zeroFor : maker(call.args, context);
    const before: ConvertFn | null = chain;
    chain = before === null ? next : (value, s): Sample => {
      const made = before(value, s);
      return made === undefined ? undefined : next(made, s);
    };
  }
  return chain;
}

export function compileSample(expr: SampleExpr, context: CompileContext): SampleFn {
  const maker = fetchTable[expr.fetch.name];
  if (maker === undefined && !isCounter(expr.fetch.name)) return nothing;
  const read = maker === undefined ? zero : maker.make(expr.fetch.args, context);
  const convert = compileConverters(expr.converters, context);
  if (convert === null) return read;
  return (s) => {
    const value = read(s);
    return value === undefined ? undefined : convert(value, s);
  };
}

/** True when the expression may ask for more bytes. */
export function mayWait(expr: SampleExpr): boolean {
  return fetchTable[expr.fetch.name]?.waits ?? false;
}

/** Test of any value the expression gives: ACLs look at all header values, cookies, parameters. */
export function compileAny(expr: SampleExpr, matches: (value: SampleValue) => boolean, context: CompileContext): (s: Parameters<SampleFn>[0]) => boolean {
  const maker = fetchTable[expr.fetch.name];
  if (maker?.each === undefined) {
    const sample = compileSample(expr, context);
    return (s) => {
      const value = sample(s);
      return value !== undefined && matches(value);
    };
  }
  const each: EachFn = maker.each(expr.fetch.args, context);
  const convert = compileConverters(expr.converters, context);
  const visit: Visit = convert === null ? matches : (value, s) => {
    const made = convert(value, s);
    return made !== undefined && matches(made);
  };
  return (s) => each(s, visit);
}
