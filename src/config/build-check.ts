/** Health checks of drafts → Model: the implicit connect, request and expectation are written out. Called by build.ts. */
import type { CheckMethod, CheckStep, ServerCheck, ServerTls } from '../model/model.ts';
import type { Context } from './context.ts';
import type { CheckDraft, ProxyDraft, ServerDraft } from './draft.ts';
import { textFormat } from './proxy/checks.ts';

const implicitConnect: CheckStep = {
  kind: 'connect', comment: '', port: 0, address: null, sendProxy: false, useDefault: true, ssl: false, sni: '', alpn: [], linger: false,
};

/** Without `http-check expect` HAProxy takes 2xx and 3xx. */
const implicitExpect: CheckStep = {
  kind: 'expect', comment: '', negate: false, match: 'status', pattern: '200-399', regexFlags: '', format: null, statuses: [[200, 399]], headerName: '', headerNameMatch: '', headerValue: '',
  headerValueMatch: '', minRecvBytes: -1, okStatus: '', errorStatus: '', timeoutStatus: '', onSuccess: null, onError: null, statusCode: null,
};

/** The request of `option httpchk` with what `http-check send` says otherwise. */
function requestStep(check: Readonly<CheckDraft>): CheckStep {
  const { request, send } = check;
  const headers = send !== null && send.headers.length > 0 ? send.headers : request?.headers ?? [];
  return {
    kind: 'http-send', comment: send?.comment ?? '', method: send?.method ?? request?.method ?? 'OPTIONS', uri: send?.uri ?? request?.uri ?? textFormat('/'),
    version: send?.version ?? request?.version ?? 'HTTP/1.0', headers, body: send?.body ?? request?.body ?? null,
  };
}

/** Steps that may stand before the connection. */
const quiet = (step: CheckStep): boolean => step.kind === 'comment' || step.kind === 'set-var' || step.kind === 'unset-var';

function httpSteps(check: Readonly<CheckDraft>): readonly CheckStep[] {
  const steps = [...check.httpSteps];
  if (!steps.some((step) => step.kind === 'http-send')) {
    const connect = steps.findIndex((step) => step.kind === 'connect');
    const first = connect >= 0 ? connect + 1 : steps.findIndex((step) => !quiet(step));
    steps.splice(first < 0 ? steps.length : first, 0, requestStep(check));
  }
  if (!steps.some((step) => step.kind === 'connect')) steps.unshift(implicitConnect);
  const lastSend = steps.findLastIndex((step) => step.kind === 'http-send');
  if (!steps.slice(lastSend + 1).some((step) => step.kind === 'expect')) steps.push(implicitExpect);
  return steps;
}

export function buildCheckMethod(proxy: ProxyDraft): CheckMethod {
  const { check } = proxy.settings;
  switch (check.kind) {
    case 'none': return { kind: 'tcp' };
    case 'http': return { kind: 'http', steps: httpSteps(check) };
    case 'tcp-check': {
      const steps = check.tcpSteps.some((step) => step.kind === 'connect') ? check.tcpSteps : [implicitConnect, ...check.tcpSteps];
      return { kind: 'tcp-check', steps };
    }
    case 'smtp': return { kind: 'smtp', hello: check.user };
    case 'mysql': return { kind: 'mysql', user: check.user, post41: check.post41 };
    case 'pgsql': return { kind: 'pgsql', user: check.user };
    default: return { kind: check.kind };
  }
}

/** Null when the server is not checked. */
export function buildServerCheck(context: Context, server: ServerDraft, proxy: ProxyDraft, options: ServerTls | null): ServerCheck | null {
  const { check } = server;
  if (!check.check || server.track !== '') return null;
  const { place, name } = server;
  const connects = [...proxy.settings.check.httpSteps, ...proxy.settings.check.tcpSteps].some((step) => step.kind === 'connect' && step.port > 0);
  const ownPort = server.portMode === 'fixed' && server.address?.kind !== 'unix';
  // An SRV record brings the port.
  const found = server.resolvers !== '' && server.address?.kind === 'name' && server.address.name.startsWith('_');
  if (check.port === 0 && !found && !connects && !ownPort && server.address?.kind !== 'unix') {
    context.problems.error(place, 'check', `server '${name}' has neither a port of its own nor a check port`, "add 'port <n>' to the server line");
  }
  // With a check address or port of its own the probe does not inherit 'ssl': the other place may speak clear text.
  const inherited = server.tls.ssl && check.port === 0 && check.address === null;
  // A connect step with `ssl` needs the settings of the server line too.
  const tls = check.checkSsl ?? inherited;
  return {
    interMs: check.interMs, fastinterMs: check.fastinterMs, downinterMs: check.downinterMs, rise: check.rise, fall: check.fall, port: check.port, address: check.address,
    tls, tlsOptions: tls ? options : null, sni: check.sni, alpn: check.alpn,
  };
}
