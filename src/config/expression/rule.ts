/** Reads rules. Skeleton with final signatures; filled in by the rules room. */
import type { Rule } from '../../model/expression.ts';
import type { ExpressionScope } from './scope.ts';

export type RulesetName =
  | 'http-request' | 'http-response' | 'http-after-response' | 'tcp-request connection' | 'tcp-request session'
  | 'tcp-request content' | 'tcp-response content' | 'stats http-request' | 'redirect';

/** `words` follow the ruleset's keyword: `deny if x`. `redirect` reads the stand-alone keyword (`scheme https if x`). */
export function parseRule(ruleset: RulesetName, words: readonly string[], scope: ExpressionScope): Rule | undefined {
  void ruleset; void words; void scope;
  return undefined;
}
