/** Rule actions by ruleset. Read by config/expression/rule.ts (which is allowed where) and by the documentation writer. */
import type { SupportState } from './fetches.ts';

export interface ActionSpec {
  readonly name: string;
  /** True when the word carries arguments in parentheses: `set-var(txn.x)`. */
  readonly parenthesis: boolean;
  /** Rulesets by letter: q http-request, r http-response, a http-after-response, c tcp-request connection, s session, n content, o tcp-response content, t stats. */
  readonly where: string;
  readonly state: SupportState;
  readonly help: string;
}

type Row = readonly [name: string, where: string, help: string, state?: SupportState];

const rows: readonly Row[] = [
  ['allow', 'qrat', 'Stops the evaluation and lets the message pass.'],
  ['accept', 'csno', 'Stops the evaluation and accepts.'],
  ['deny', 'qrt', 'Answers with an error.'],
  ['reject', 'qcsno', 'Closes the connection.'],
  ['tarpit', 'q', 'Answers with an error after a delay.'],
  ['return', 'qr', 'Answers with a given message.'],
  ['redirect', 'qr', 'Answers with a redirection.'],
  ['auth', 'qt', 'Asks for credentials.'],
  ['close', 'o', 'Closes the server connection.'],
  ['silent-drop', 'qrcsno', 'Drops the connection without telling the client.'],
  ['add-header', 'qra', 'Appends a header line.'],
  ['set-header', 'qra', 'Replaces a header.'],
  ['del-header', 'qra', 'Removes header lines.'],
  ['replace-header', 'qra', 'Rewrites header lines by regular expression.'],
  ['replace-value', 'qra', 'Rewrites comma-separated values by regular expression.'],
  ['early-hint', 'q', 'Sends a 103 answer first.', 'inactive'],
  ['set-method', 'qn', 'Sets the method.'],
  ['set-path', 'qn', 'Sets the path.'],
  ['set-pathq', 'qn', 'Sets path and query.'],
  ['set-query', 'qn', 'Sets the query.'],
  ['set-uri', 'qn', 'Sets the target.'],
  ['replace-path', 'q', 'Rewrites the path by regular expression.'],
  ['replace-pathq', 'q', 'Rewrites path and query by regular expression.'],
  ['replace-uri', 'q', 'Rewrites the target by regular expression.'],
  ['set-status', 'ra', 'Sets the status.'],
  ['capture', 'qran', 'Captures a sample for the log.'],
  ['set-var', 'qracsno', 'Sets a variable.'],
  ['set-var-fmt', 'qracsno', 'Sets a variable from a format.'],
  ['unset-var', 'qracsno', 'Removes a variable.'],
  ['set-log-level', 'qrano', 'Sets the log level of this request.'],
  ['set-src', 'qcsn', 'Sets the source address.'],
  ['set-src-port', 'qcsn', 'Sets the source port.'],
  ['set-dst', 'qcsn', 'Sets the destination address.'],
  ['set-dst-port', 'qcsn', 'Sets the destination port.'],
  ['set-timeout', 'qr', 'Sets a timeout of this request.'],
  ['set-priority-class', 'qn', 'Sets the priority class in the queue.'],
  ['set-priority-offset', 'qn', 'Sets the priority offset in the queue.'],
  ['set-map', 'qr', 'Sets a map entry.'],
  ['del-map', 'qr', 'Removes a map entry.'],
  ['add-acl', 'qr', 'Adds an ACL pattern.'],
  ['del-acl', 'qr', 'Removes an ACL pattern.'],
  ['use-service', 'qn', 'Hands the request to a service.'],
  ['wait-for-body', 'qr', 'Waits for the body.'],
  ['wait-for-handshake', 'q', 'Waits for the TLS handshake; always over here.'],
  ['disable-l7-retry', 'q', 'The request is not sent again by retry-on once it is sent; connections that fail are still tried again.'],
  ['strict-mode', 'qra', 'Accepted; a rewrite cannot fail half-way here.'],
  ['set-nice', 'qrno', 'No effect here.', 'inactive'],
  ['set-mark', 'qrcsno', 'No effect here.', 'inactive'],
  ['set-tos', 'qrcsno', 'No effect here.', 'inactive'],
  ['expect-proxy', 'c', 'Reads a PROXY protocol header.'],
  ['expect-netscaler-cip', 'c', 'Reads a NetScaler client address header.', 'unsupported'],
  ['cache-use', 'q', 'Serves from the cache.', 'inactive'],
  ['cache-store', 'r', 'Stores in the cache.', 'inactive'],
  ['track-sc0', 'qrcsno', 'Tracks a stick counter.', 'inactive'],
  ['track-sc1', 'qrcsno', 'Tracks a stick counter.', 'inactive'],
  ['track-sc2', 'qrcsno', 'Tracks a stick counter.', 'inactive'],
  ['sc-inc-gpc', 'qracsno', 'Changes a stick counter.', 'inactive'],
  ['sc-inc-gpc0', 'qracsno', 'Changes a stick counter.', 'inactive'],
  ['sc-inc-gpc1', 'qracsno', 'Changes a stick counter.', 'inactive'],
  ['sc-set-gpt', 'qracsno', 'Changes a stick counter.', 'inactive'],
  ['sc-set-gpt0', 'qracsno', 'Changes a stick counter.', 'inactive'],
  ['sc-add-gpc', 'qracsno', 'Changes a stick counter.', 'inactive'],
  ['do-resolve', 'qn', 'Resolves a name.', 'unsupported'],
  ['normalize-uri', 'q', 'Brings the target into its normal form.'],
  ['send-spoe-group', 'qrno', 'Stream processing offload.', 'unsupported'],
  ['ot-group', 'qrno', 'OpenTracing.', 'unsupported'],
  ['lua', 'qrno', 'Lua.', 'unsupported'],
  ['switch-mode', 'n', 'Accepts; the backend chosen must be in mode http.'],
  ['set-bandwidth-limit', 'qrno', 'Bandwidth limits (HAProxy 2.7).', 'inactive'],
  ['attach-srv', 's', 'Reverse HTTP (HAProxy 2.9).', 'unsupported'],
  ['set-fc-mark', 'qrcsno', 'Packet marks (HAProxy 3.0).', 'inactive'],
  ['set-fc-tos', 'qrcsno', 'Packet type of service (HAProxy 3.0).', 'inactive'],
  ['set-bc-mark', 'qn', 'Packet marks (HAProxy 3.0).', 'inactive'],
  ['set-bc-tos', 'qn', 'Packet type of service (HAProxy 3.0).', 'inactive'],
  ['set-retries', 'qn', 'Retries of this request (HAProxy 3.2).', 'inactive'],
  ['set-headers-bin', 'qra', 'Headers from binary (HAProxy 3.3).', 'unsupported'],
  ['del-headers-bin', 'qra', 'Headers from binary (HAProxy 3.3).', 'unsupported'],
  ['do-log', 'qracsno', 'Extra log line (HAProxy 3.1).', 'inactive'],
  ['pause', 'qr', 'Delay (HAProxy 3.2).', 'inactive'],
];

const withParenthesis = new Set(['set-var', 'set-var-fmt', 'unset-var', 'set-map', 'del-map', 'add-acl', 'del-acl', 'sc-inc-gpc', 'sc-inc-gpc0', 'sc-inc-gpc1',
  'sc-set-gpt', 'sc-set-gpt0', 'sc-add-gpc', 'do-resolve']);

export const actions: ReadonlyMap<string, ActionSpec> = new Map(
  rows.map(([name, where, help, state]) => [name, { name, parenthesis: withParenthesis.has(name), where, state: state ?? 'active', help }]),
);

/** Rulesets to letters of ActionSpec.where. */
export const rulesetLetters: Readonly<Record<string, string>> = {
  'http-request': 'q', 'http-response': 'r', 'http-after-response': 'a', 'tcp-request connection': 'c', 'tcp-request session': 's', 'tcp-request content': 'n',
  'tcp-response content': 'o', 'stats http-request': 't',
};
