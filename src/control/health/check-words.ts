/**
 * The texts of a check's steps that are made anew each time: log-format strings, sample expressions and variables. One per
 * server with checks; compiles when it is made. Constant texts, which is nearly all of them, never touch the compiler.
 */
import type { Format, SampleExpr } from '../../model/expression.ts';
import type { CheckStatus } from '../../model/server-state.ts';
import type { Compiler } from '../../rules/compile.ts';
import type { Sample } from '../../rules/subject.ts';
import type { CheckSubject } from './check-subject.ts';
import type { Judgement } from './check-step.ts';
import type { ExpectConfig } from './expect-bytes.ts';

/** Builds the results of one expect step with its on-success, on-error and status-code. */
interface Outcome {
  success(bytes: Buffer, code: number, otherwise: string): Judgement;
  failure(bytes: Buffer, status: CheckStatus, code: number, otherwise: string): Judgement;
}

export class CheckWords {
  private readonly compiler: Compiler;
  private readonly subject: CheckSubject;

  constructor(compiler: Compiler, subject: CheckSubject) {
    this.compiler = compiler;
    this.subject = subject;
  }

  text(format: Format): () => string {
    if (format.every((item) => item.kind === 'text')) {
      const constant = format.map((item) => (item.kind === 'text' ? item.text : '')).join('');
      return () => constant;
    }
    const compiled = this.compiler.format(format);
    return () => compiled(this.subject);
  }

  sample(expr: SampleExpr): () => Sample {
    const compiled = this.compiler.sample(expr);
    return () => compiled(this.subject);
  }

  /** `name` with its scope: `check.x`. */
  setVariable(name: string, expr: SampleExpr | null, format: Format | null): () => void {
    const value: () => Sample = expr !== null ? this.sample(expr) : format !== null ? this.text(format) : () => undefined;
    return () => this.subject.setVariable(name, value());
  }

  outcome(step: ExpectConfig): Outcome {
    const onSuccess = step.onSuccess === null ? null : this.text(step.onSuccess);
    const onError = step.onError === null ? null : this.text(step.onError);
    const statusCode = step.statusCode === null ? null : this.sample(step.statusCode);
    const codeOf = (bytes: Buffer, code: number): number => {
      this.subject.answer = bytes;
      if (statusCode === null) return code;
      const value = Number(statusCode());
      return Number.isFinite(value) ? value : code;
    };
    return {
      success: (bytes, code, otherwise) => {
        const found = codeOf(bytes, code);
        return { ok: true, status: null, code: found, description: onSuccess === null ? otherwise : onSuccess() };
      },
      failure: (bytes, status, code, otherwise) => {
        const found = codeOf(bytes, code);
        const comment = step.comment === '' ? '' : ` comment: ${step.comment}`;
        return { ok: false, status, code: found, description: `${onError === null ? otherwise : onError()}${comment}` };
      },
    };
  }
}
