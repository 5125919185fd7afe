/** Reads use_backend, use-server and stick rules. Skeleton with final signatures; filled in by the rules room. */
import type { SwitchRule } from '../../model/expression.ts';
import type { StickRule } from '../../model/model.ts';
import type { ExpressionScope } from './scope.ts';

/** `<backend> [if|unless …]`. */
export function parseUseBackend(words: readonly string[], scope: ExpressionScope): SwitchRule | undefined {
  void words; void scope;
  return undefined;
}

/** `<server> if|unless …`. */
export function parseUseServer(words: readonly string[], scope: ExpressionScope): SwitchRule | undefined {
  void words; void scope;
  return undefined;
}

/** `on|match|store-request|store-response <expr> [table <t>] [if|unless …]`. */
export function parseStickRule(words: readonly string[], scope: ExpressionScope): StickRule | undefined {
  void words; void scope;
  return undefined;
}
