/**
 * Reads rules: `http-request`, `http-response`, `http-after-response`, `tcp-request`, `tcp-response`, `stats http-request` and
 * the stand-alone `redirect`. Called by config/ with the words after the keyword. Which action may stand where is in
 * model/catalog/actions.ts.
 */
import { actions, rulesetLetters, type ActionSpec } from '../../model/catalog/actions.ts';
import type { Action, Rule } from '../../model/expression.ts';
import { didYouMean } from '../problems.ts';
import { answerActions, redirectReader } from './action-answers.ts';
import { editActions } from './action-edits.ts';
import { isCondition, takeSample, takeWord, type ActionReader, type ActionWords } from './action-reader.ts';
import { cutArguments } from './arguments.ts';
import { parseCondition } from './condition.ts';
import { checkState, fail, warn } from './report.ts';
import type { ExpressionScope } from './scope.ts';

export type RulesetName =
  | 'http-request' | 'http-response' | 'http-after-response' | 'tcp-request connection' | 'tcp-request session'
  | 'tcp-request content' | 'tcp-response content' | 'stats http-request' | 'redirect';

/** `track-sc0 <key> [table <name>]`: read and checked, without effect yet. */
const trackCounter: ActionReader = (input) => {
  const expr = takeSample(input);
  if (expr === undefined) return undefined;
  if (input.words[input.at] === 'table') {
    input.at++;
    const table = takeWord(input, "a name after 'table'");
    if (table === undefined) return undefined;
    if (input.scope.proxyByName(table, 'table') < 0 && !input.scope.peersTable(table)) return fail(input.scope, table, `there is no stick table '${table}'`);
  }
  return { kind: 'track-sc', text: `${input.name} ${expr.text}` };
};

/** `sc-inc-gpc0(0)`, `sc-set-gpt0(0) <value>`: as above. */
const changeCounter: ActionReader = (input) => {
  if (input.name.startsWith('sc-set') || input.name.startsWith('sc-add')) {
    if (/^\d+$/.test(input.words[input.at] ?? '')) input.at++;
    else if (takeSample(input) === undefined) return undefined;
  }
  return { kind: 'track-sc', text: `${input.name}(${input.args.join(',')})` };
};

/** Newer actions whose loss changes no answer: their words are passed over. */
const passedOver: ActionReader = (input) => {
  while (input.at < input.words.length && !isCondition(input.words[input.at])) input.at++;
  return { kind: 'track-sc', text: input.words.slice(0, input.at).join(' ') };
};

function cacheAction(kind: 'cache-use' | 'cache-store'): ActionReader {
  return (input) => {
    const name = takeWord(input, 'the name of a cache');
    return name === undefined ? undefined : { kind, text: name };
  };
}

const otherActions: Readonly<Record<string, ActionReader>> = {
  'track-sc0': trackCounter, 'track-sc1': trackCounter, 'track-sc2': trackCounter,
  'sc-inc-gpc': changeCounter, 'sc-inc-gpc0': changeCounter, 'sc-inc-gpc1': changeCounter, 'sc-set-gpt': changeCounter, 'sc-set-gpt0': changeCounter,
  'set-bandwidth-limit': passedOver, 'set-fc-mark': passedOver, 'set-fc-tos': passedOver, 'set-bc-mark': passedOver, 'set-bc-tos': passedOver, 'set-retries': passedOver,
  'do-log': passedOver, pause: passedOver, 'sc-add-gpc': changeCounter, 'cache-use': cacheAction('cache-use'), 'cache-store': cacheAction('cache-store'),
};

function readerOf(name: string): ActionReader | undefined {
  return answerActions[name] ?? editActions[name] ?? otherActions[name];
}

function knownIn(letter: string): string[] {
  return [...actions.values()].filter((spec) => spec.where.includes(letter)).map((spec) => spec.name);
}

/** Finds the action and says what is wrong when it cannot stand here. */
function findAction(ruleset: RulesetName, name: string, scope: ExpressionScope): ActionSpec | undefined {
  const letter = rulesetLetters[ruleset] ?? '';
  const spec = actions.get(name.startsWith('lua.') ? 'lua' : name);
  if (spec === undefined) return fail(scope, name, `'${ruleset}' has no action '${name}'`, didYouMean(name, knownIn(letter)));
  if (!spec.where.includes(letter)) {
    const others = Object.entries(rulesetLetters).filter(([, each]) => spec.where.includes(each)).map(([each]) => each);
    return fail(scope, name, `'${ruleset}' has no action '${name}'`, `it exists in: ${others.join(', ')}`);
  }
  return checkState(scope, spec.state, `action`, name) ? spec : undefined;
}

/** Cuts `set-var(txn.x)` into name and arguments. */
function cutAction(word: string, scope: ExpressionScope): { readonly name: string; readonly args: readonly string[] } | undefined {
  const open = word.indexOf('(');
  if (open < 0) return { name: word, args: [] };
  const name = word.slice(0, open);
  const cut = cutArguments(word, open);
  if (typeof cut === 'string') return fail(scope, word, `in the arguments of '${name}': ${cut}`);
  if (cut.end < word.length) return fail(scope, word, `unexpected '${word.slice(cut.end)}' after '${name}(…)'`);
  return { name, args: cut.args };
}

function finish(input: ActionWords, action: Action | undefined, ruleset: RulesetName): Rule | undefined {
  const { words, scope } = input;
  if (action === undefined) return undefined;
  const rest = words.slice(input.at);
  if (rest.length > 0 && !isCondition(rest[0])) {
    return fail(scope, rest[0] ?? '', `'if' or 'unless' is expected after '${ruleset} ${words.slice(0, input.at).join(' ')}', not '${rest[0] ?? ''}'`,
      didYouMean(rest[0] ?? '', ['if', 'unless']) || 'quote values that contain blanks');
  }
  const condition = parseCondition(rest, scope);
  if (condition === undefined) return undefined;
  return { action, condition, place: scope.place, text: `${ruleset} ${words.join(' ')}` };
}

/** `words` follow the ruleset's keyword: `deny if x`. `redirect` reads the stand-alone keyword (`scheme https if x`). */
export function parseRule(ruleset: RulesetName, words: readonly string[], scope: ExpressionScope): Rule | undefined {
  if (ruleset === 'redirect') {
    const input: ActionWords = { words, at: 0, args: [], scope, name: 'redirect' };
    return finish(input, redirectReader(false)(input), ruleset);
  }
  const [word] = words;
  if (word === undefined) return fail(scope, ruleset, `'${ruleset}' needs an action`, `for example: ${ruleset} ${ruleset.startsWith('tcp') ? 'accept' : 'deny'} if …`);
  const cut = cutAction(word, scope);
  const spec = cut === undefined ? undefined : findAction(ruleset, cut.name, scope);
  if (cut === undefined || spec === undefined) return undefined;
  if (!spec.parenthesis && word.includes('(')) return fail(scope, word, `action '${cut.name}' takes no parentheses`);
  const reader = readerOf(cut.name);
  if (reader === undefined) return fail(scope, cut.name, `'${ruleset}' has no action '${cut.name}'`);
  const input: ActionWords = { words, at: 1, args: cut.args, scope, name: cut.name };
  if ((cut.name === 'allow' || cut.name === 'accept') && isCondition(words[1]) && words.length === 2) warn(scope, cut.name, 'the condition is empty, so this never applies');
  return finish(input, reader(input), ruleset);
}
