/** Action of the Model → step. Called by rule-set.ts at load. */
import type { Action } from '../../model/expression.ts';
import { answerStep, authStep, constant, redirectStep } from './final.ts';
import { addHeader, deleteHeader, replaceHeader, replaceTarget, setStatus, setTarget } from './head.ts';
import { normalizeUri } from './normalize-uri.ts';
import { capture, changeEntry, expectProxy, setFromSample, sendOnce, setLogLevel, setTimeout, setVar, setVarFormat, unsetVar } from './state.ts';
import type { ActionContext, Step } from './types.ts';

/** Null: the action does nothing here. */
export function compileAction(action: Action, context: ActionContext): Step | null {
  switch (action.kind) {
    case 'allow': case 'accept': return constant({ kind: 'allow' });
    case 'reject': return constant({ kind: 'reject' });
    case 'silent-drop': return constant({ kind: 'silent-drop' });
    case 'close': return constant({ kind: 'close' });
    case 'deny': case 'tarpit': case 'return': return answerStep(action, context);
    case 'auth': return authStep(action, context);
    case 'redirect': return redirectStep(action, context);
    case 'set-header': case 'add-header': return addHeader(action, context);
    case 'del-header': return deleteHeader(action);
    case 'replace-header': case 'replace-value': return replaceHeader(action, context);
    case 'set-path': case 'set-pathq': case 'set-query': case 'set-uri': case 'set-method': return setTarget(action, context);
    case 'replace-path': case 'replace-pathq': case 'replace-uri': return replaceTarget(action, context);
    case 'normalize-uri': return normalizeUri(action, context);
    case 'set-status': return setStatus(action);
    case 'set-var': return setVar(action, context);
    case 'set-var-fmt': return setVarFormat(action, context);
    case 'expect-proxy': return expectProxy;
    case 'unset-var': return unsetVar(action);
    case 'capture': return capture(action, context);
    case 'set-log-level': return setLogLevel(action);
    case 'disable-l7-retry': return sendOnce;
    case 'set-src': case 'set-dst': case 'set-src-port': case 'set-dst-port': case 'set-priority-class': case 'set-priority-offset':
      return setFromSample(action, context);
    case 'set-timeout': return setTimeout(action, context);
    case 'set-map': case 'del-map': case 'add-acl': case 'del-acl': return changeEntry(action, context);
    case 'use-service': return constant({ kind: 'service', service: action.service });
    case 'wait-for-body': return constant({ kind: 'wait-for-body', timeMs: action.timeMs, atLeastBytes: action.atLeastBytes });
    default: return null;
  }
}
