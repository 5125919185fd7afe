/** Reads conditions: `if`/`unless` with ACL names, braces, `!`, `or` (configuration manual 7.2). Called by config/ and rule.ts. */
import { predefinedAcls } from '../../model/catalog/acls.ts';
import type { AclTerm, Condition } from '../../model/expression.ts';
import { didYouMean } from '../problems.ts';
import { parseAnonymousAcl, predefinedAcl } from './acl.ts';
import { fail } from './report.ts';
import type { ExpressionScope } from './scope.ts';

/** Acl indexes of a name, undefined when there is none (reported). */
function namedAcls(name: string, scope: ExpressionScope): readonly number[] | undefined {
  const declared = scope.aclsByName(name);
  if (declared.length > 0) return declared;
  const predefined = predefinedAcl(name, scope);
  if (predefined !== undefined) return [predefined];
  if (name === 'if' || name === 'unless' || name === 'and' || name === '&&') {
    return fail(scope, name, `'${name}' has no place inside a condition`, name.startsWith('a') || name === '&&' ? 'terms side by side are joined by and already' : '');
  }
  return fail(scope, name, `there is no ACL '${name}' in this section so far`, didYouMean(name, predefinedAcls.keys()) || `declare it above: acl ${name} …`);
}

function closingBrace(words: readonly string[], from: number): number {
  for (let i = from; i < words.length; i++) if (words[i] === '}') return i;
  return -1;
}

/**
 * words[0] is `if` or `unless`. No words: null (always true). Undefined: a problem was reported.
 * All terms are read even after a fault, so that all faults are reported.
 */
export function parseCondition(words: readonly string[], scope: ExpressionScope): Condition | null | undefined {
  const [keyword] = words;
  if (keyword === undefined) return null;
  if (keyword !== 'if' && keyword !== 'unless') return fail(scope, keyword, `'if' or 'unless' is expected here, not '${keyword}'`, didYouMean(keyword, ['if', 'unless']));
  const anyOf: AclTerm[][] = [];
  let suite: AclTerm[] = [];
  let negate = false;
  let good = true;
  for (let at = 1; at < words.length; at++) {
    let word = words[at] ?? '';
    if (word === 'or' || word === '||') {
      if (suite.length > 0) anyOf.push(suite);
      suite = [];
      negate = false;
      continue;
    }
    while (word.startsWith('!')) {
      negate = !negate;
      word = word.slice(1);
    }
    if (word === '') continue;
    let acls: readonly number[] | undefined;
    if (word === '{') {
      const end = closingBrace(words, at + 1);
      if (end < 0) return fail(scope, word, "a closing '}' is missing in the condition", "braces are words of their own: '{ path_beg /x }'");
      const acl = end === at + 1 ? fail(scope, '{', 'the braces are empty') : parseAnonymousAcl(words.slice(at + 1, end), scope);
      acls = acl === undefined ? undefined : [acl];
      at = end;
    } else {
      acls = namedAcls(word, scope);
    }
    if (acls === undefined) good = false;
    else suite.push({ acls, negate });
    negate = false;
  }
  if (suite.length > 0) anyOf.push(suite);
  return good ? { unless: keyword === 'unless', anyOf, text: words.join(' ') } : undefined;
}
