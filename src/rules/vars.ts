/** Variables by scope. A scope's Map is made on first write, so requests without variables cost nothing. */
import type { VarScope } from '../model/expression.ts';
import type { Sample, SampleValue, Subject, Vars } from './subject.ts';

/** The variables of a scope, null when nothing was written yet. A health check keeps its own where a request keeps txn. */
function scopeVars(s: Subject, scope: VarScope): Vars | null {
  switch (scope) {
    case 'proc': return s.world.processVars;
    case 'sess': return s.session.vars;
    case 'txn': case 'check': return s.txnVars;
    case 'req': return s.reqVars;
    case 'res': return s.resVars;
    default: return null;
  }
}

export function readVar(s: Subject, scope: VarScope, name: string): Sample {
  return scopeVars(s, scope)?.get(name);
}

export function writeVar(s: Subject, scope: VarScope, name: string, value: SampleValue): void {
  let vars = scopeVars(s, scope);
  if (vars === null) {
    vars = new Map();
    if (scope === 'sess') s.session.vars = vars;
    else if (scope === 'txn') s.txnVars = vars;
    else if (scope === 'req') s.reqVars = vars;
    else if (scope === 'res') s.resVars = vars;
    else return;
  }
  // Buffers are slices of what came in: a variable outlives them.
  vars.set(name, value instanceof Uint8Array ? Uint8Array.from(value) : value);
}

export function removeVar(s: Subject, scope: VarScope, name: string): void {
  scopeVars(s, scope)?.delete(name);
}

function isEmpty(value: SampleValue): boolean {
  return (typeof value === 'string' || value instanceof Uint8Array) && value.length === 0;
}

/** Conditions of `set-var(name,ifexists,…)`: all must hold. */
export function mayWrite(s: Subject, scope: VarScope, name: string, value: SampleValue, conditions: readonly string[]): boolean {
  const old = readVar(s, scope, name);
  for (const condition of conditions) {
    switch (condition) {
      case 'ifexists':
      case 'ifset': if (old === undefined) return false; break;
      case 'ifnotexists':
      case 'ifnotset': if (old !== undefined) return false; break;
      case 'ifempty': if (!isEmpty(value)) return false; break;
      case 'ifnotempty': if (isEmpty(value)) return false; break;
      // These compare integers only; anything else counts as fulfilled.
      case 'ifgt': if (typeof old === 'number' && typeof value === 'number' && !(old > value)) return false; break;
      case 'iflt': if (typeof old === 'number' && typeof value === 'number' && !(old < value)) return false; break;
      default:
    }
  }
  return true;
}
