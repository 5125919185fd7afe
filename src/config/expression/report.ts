/** Short ways to report problems from the expression readers. */
import { isCounter } from '../../model/catalog/stick-counters.ts';
import type { SupportState } from '../../model/catalog/fetches.ts';
import type { ExpressionScope } from './scope.ts';

export function fail(scope: ExpressionScope, word: string, message: string, remedy = ''): undefined {
  scope.report({ severity: 'error', place: scope.place, word, message, remedy });
  return undefined;
}

export function warn(scope: ExpressionScope, word: string, message: string, remedy = ''): void {
  scope.report({ severity: 'warning', place: scope.place, word, message, remedy });
}

/** Reports what is known but not there. False: the word cannot be used. */
export function checkState(scope: ExpressionScope, state: SupportState, kind: string, name: string): boolean {
  if (state === 'unsupported') {
    scope.report({ severity: 'unsupported', place: scope.place, word: name, message: `${kind} '${name}' is not supported yet`, remedy: 'remove it or express it otherwise' });
    return false;
  }
  if (state === 'inactive') {
    if (kind === 'action') warn(scope, name, `action '${name}' is not active yet: it has no effect`);
    else warn(scope, name, `${kind} '${name}' is not active yet: it gives ${isCounter(name) ? 'always 0' : 'nothing'}`, 'a deny, reject, tarpit, silent-drop, close or return that depends on it does not apply');
  }
  return true;
}
