/** Reads log-format strings. Skeleton with final signatures; filled in by the rules room. */
import type { Format } from '../../model/expression.ts';
import type { ExpressionScope } from './scope.ts';

export function parseFormat(text: string, scope: ExpressionScope): Format | undefined {
  void text; void scope;
  return undefined;
}
