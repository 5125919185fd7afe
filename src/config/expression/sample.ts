/** Reads sample expressions. Skeleton with final signatures; filled in by the rules room. */
import type { SampleExpr } from '../../model/expression.ts';
import type { ExpressionScope } from './scope.ts';

export function parseSample(text: string, scope: ExpressionScope): SampleExpr | undefined {
  void text; void scope;
  return undefined;
}
