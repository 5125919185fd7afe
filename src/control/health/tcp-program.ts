/**
 * `option tcp-check` with its `tcp-check` lines, and the check without a method: a connection alone. Called by program.ts.
 */
import type { CheckStep } from '../../model/model.ts';
import type { CheckWords } from './check-words.ts';
import type { ConnectStep, Program, Step } from './check-step.ts';
import { connectByDefault, stepNumber } from './check-step.ts';
import { expectBytes } from './expect-bytes.ts';

/** The rules of `option tcp-check`, complete: a connect step is there. Failures say at which step. */
export function tcpProgram(configured: readonly CheckStep[], words: CheckWords): Program {
  const steps: Step[] = [];
  for (const step of configured) {
    const made = tcpStep(step, stepNumber(steps, steps.length), words);
    if (made !== null) steps.push(made);
  }
  return { steps, tellsSteps: true, http: false };
}

/** No method: a connection is enough. */
export const connectProgram: Program = { steps: [connectByDefault], tellsSteps: false, http: false };

function tcpStep(step: CheckStep, number: number, words: CheckWords): Step | null {
  switch (step.kind) {
    case 'connect': return connectStep(step);
    case 'send': return sendStep(step, words);
    case 'expect': return expectBytes(step, number, words);
    case 'comment': return { kind: 'action', comment: step.comment, run: () => undefined };
    case 'set-var': case 'unset-var': return { kind: 'action', comment: '', run: words.setVariable(step.name, step.expr, step.format) };
    default: return null;
  }
}

function sendStep(step: Extract<CheckStep, { kind: 'send' }>, words: CheckWords): Step {
  if (step.bytes !== null) {
    const bytes = Buffer.from(step.bytes, 'latin1');
    return { kind: 'send', comment: step.comment, bytes: () => bytes };
  }
  const text = words.text(step.format ?? []);
  return { kind: 'send', comment: step.comment, bytes: () => Buffer.from(text(), step.hex ? 'hex' : 'latin1') };
}

/** Without `default` a connect line takes nothing from the server line but address and port. */
export function connectStep(step: Extract<CheckStep, { kind: 'connect' }>): ConnectStep & { readonly comment: string } {
  return {
    kind: 'connect', comment: step.comment, implicit: step.useDefault, port: step.port, address: step.address,
    tls: step.ssl ? 'yes' : step.useDefault ? 'server' : 'no',
    sni: step.sni, alpn: step.alpn,
    sendProxy: step.sendProxy ? 'yes' : step.useDefault ? 'server' : 'no',
    linger: step.linger,
  };
}
