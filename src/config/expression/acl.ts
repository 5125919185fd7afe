/** Reads `acl` lines. Skeleton with final signatures; filled in by the rules room. */
import type { ExpressionScope } from './scope.ts';

/** `acl <name> <criterion> [flags] [values]`; words[0] is the name. Returns the index in Model.acls. */
export function parseAcl(words: readonly string[], scope: ExpressionScope): number | undefined {
  void words; void scope;
  return undefined;
}
