/** Short ways from text to a result, for tests. */
import assert from 'node:assert/strict';
import { parseAcl } from '../../../src/config/expression/acl.ts';
import { parseCondition } from '../../../src/config/expression/condition.ts';
import { parseFormat } from '../../../src/config/expression/format.ts';
import { parseRule, type RulesetName } from '../../../src/config/expression/rule.ts';
import { parseSample } from '../../../src/config/expression/sample.ts';
import type { Rule } from '../../../src/model/expression.ts';
import { Compiler } from '../../../src/rules/compile.ts';
import type { Sample, Subject } from '../../../src/rules/subject.ts';
import { FakeScope, fakeSubject, type FakeSubject } from './fake-subject.ts';

/** Value of an expression for a request. */
export function evaluate(text: string, request?: string | null, prepare?: (s: FakeSubject) => void, scope: FakeScope = new FakeScope()): Sample {
  const expr = parseSample(text, scope);
  assert.ok(expr !== undefined, `${text}: ${scope.errors().join('; ')}`);
  const model = scope.model();
  const subject = fakeSubject(model, request);
  prepare?.(subject);
  return new Compiler(model).sample(expr)(subject);
}

/** What a format prints. */
export function print(text: string, request?: string | null, prepare?: (s: FakeSubject) => void, scope: FakeScope = new FakeScope()): string {
  const format = parseFormat(text, scope);
  assert.ok(format !== undefined, `${text}: ${scope.errors().join('; ')}`);
  const model = scope.model();
  const subject = fakeSubject(model, request);
  prepare?.(subject);
  return new Compiler(model).format(format, scope.layer === 'log-format' ? 'log' : 'http')(subject);
}

/** Words as the configuration's lexer cuts them, without quoting. */
export function cut(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

/** Result of `if <condition>` for a request, after the `acl` lines given. */
export function holds(condition: string, request?: string | null, acls: readonly string[] = [], prepare?: (s: FakeSubject) => void, scope: FakeScope = new FakeScope()): boolean {
  for (const acl of acls) assert.ok(parseAcl(cut(acl), scope) !== undefined, scope.errors().join('; '));
  const parsed = parseCondition(['if', ...cut(condition)], scope);
  assert.ok(parsed !== undefined, `${condition}: ${scope.errors().join('; ')}`);
  const model = scope.model();
  const subject = fakeSubject(model, request);
  prepare?.(subject);
  return new Compiler(model).condition(parsed)(subject);
}

export function readRules(ruleset: RulesetName, lines: readonly (string | readonly string[])[], scope: FakeScope): Rule[] {
  return lines.map((line) => {
    const rule = parseRule(ruleset, typeof line === 'string' ? cut(line) : line, scope);
    assert.ok(rule !== undefined, `${String(line)}: ${scope.errors().join('; ')}`);
    return rule;
  });
}

export interface Outcome {
  readonly subject: FakeSubject;
  readonly verdict: ReturnType<ReturnType<Compiler['ruleSet']>['run']>;
  /** Text of an answer, '' when the verdict is none. */
  readonly answer: string;
}

/** Runs http-request rules (or others) over a request. */
export function run(lines: readonly (string | readonly string[])[], request?: string | null, options: { ruleset?: RulesetName; prepare?: (s: FakeSubject) => void; scope?: FakeScope } = {}): Outcome {
  const scope = options.scope ?? new FakeScope();
  const rules = readRules(options.ruleset ?? 'http-request', lines, scope);
  const model = scope.model();
  const subject = fakeSubject(model, request);
  options.prepare?.(subject);
  const verdict = new Compiler(model).ruleSet(rules).run(subject as Subject, 0);
  return { subject, verdict, answer: verdict?.kind === 'answer' ? Buffer.from(verdict.bytes).toString('latin1') : '' };
}
