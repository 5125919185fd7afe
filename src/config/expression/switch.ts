/** Reads `use_backend`, `use-server` and the `stick` rules. Called by config/ with the words after the keyword. */
import type { Condition, SwitchRule } from '../../model/expression.ts';
import type { StickRule } from '../../model/model.ts';
import { didYouMean } from '../problems.ts';
import { parseCondition } from './condition.ts';
import { parseFormat } from './format.ts';
import { fail } from './report.ts';
import { parseSampleWords } from './sample.ts';
import type { ExpressionScope } from './scope.ts';

function readTarget(words: readonly string[], keyword: string, what: string, find: (name: string) => number, scope: ExpressionScope): SwitchRule | undefined {
  const [name] = words;
  if (name === undefined || name === 'if' || name === 'unless') return fail(scope, keyword, `'${keyword}' needs a ${what}`);
  const condition: Condition | null | undefined = parseCondition(words.slice(1), scope);
  if (name.includes('%[')) {
    const dynamic = parseFormat(name, scope);
    return dynamic === undefined || condition === undefined ? undefined : { target: -1, dynamic, condition, place: scope.place };
  }
  const target = find(name);
  if (target < 0) return fail(scope, name, `there is no ${what} '${name}'`, `declare it, or correct the name`);
  return condition === undefined ? undefined : { target, dynamic: null, condition, place: scope.place };
}

/** `<backend> [if|unless …]`. */
export function parseUseBackend(words: readonly string[], scope: ExpressionScope): SwitchRule | undefined {
  return readTarget(words, 'use_backend', 'backend', (name) => scope.proxyByName(name, 'backend'), scope);
}

/** `<server> if|unless …`. */
export function parseUseServer(words: readonly string[], scope: ExpressionScope): SwitchRule | undefined {
  return readTarget(words, 'use-server', 'server', (name) => scope.serverByName('', name), scope);
}

const stickKinds = { on: 'on', match: 'match', 'store-request': 'store-request', 'store-response': 'store-response' } as const;

/** `on|match|store-request|store-response <expr> [table <t>] [if|unless …]`. */
export function parseStickRule(words: readonly string[], scope: ExpressionScope): StickRule | undefined {
  const [word = ''] = words;
  if (!(word in stickKinds)) return fail(scope, word, `'stick' needs on, match, store-request or store-response, not '${word}'`, didYouMean(word, Object.keys(stickKinds)));
  const kind = stickKinds[word as keyof typeof stickKinds];
  const read = parseSampleWords(words, 1, scope);
  if (read === undefined) return undefined;
  let { next } = read;
  let table = scope.proxy;
  if (words[next] === 'table') {
    const name = words[next + 1] ?? '';
    table = scope.proxyByName(name, 'table');
    if (table < 0 && scope.peersTable(name)) {
      scope.report({ severity: 'unsupported', place: scope.place, word: name, message: `tables of peers sections are not supported yet in 'stick' rules`, remedy: "declare the table with 'stick-table' in a backend" });
      return undefined;
    }
    if (table < 0) return fail(scope, name, `there is no stick table '${name}'`);
    next += 2;
  }
  const condition = parseCondition(words.slice(next), scope);
  return condition === undefined ? undefined : { kind, expr: read.expr, table, condition };
}
