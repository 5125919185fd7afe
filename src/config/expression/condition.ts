/** Reads conditions. Skeleton with final signatures; filled in by the rules room. */
import type { Condition } from '../../model/expression.ts';
import type { ExpressionScope } from './scope.ts';

/** words[0] is `if` or `unless`. No words: null (always true). Undefined: a problem was reported. */
export function parseCondition(words: readonly string[], scope: ExpressionScope): Condition | null | undefined {
  void words; void scope;
  return undefined;
}
