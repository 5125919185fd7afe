/**
 * `tcp-request connection` (before TLS) and `tcp-request session` (after it) rules. Called by Arrival with the session; counts and
 * closes nothing itself.
 */
import type { RuleSet } from '../../rules/compile.ts';
import { Exchange, type ExchangeOwner } from '../exchange.ts';
import type { ClientSession } from '../session.ts';

type ConnectionVerdict = 'accept' | 'reject' | 'silent-drop';

const nothing = new Uint8Array(0);
/** These rules see the connection only: no bytes, no server. */
const owner: ExchangeOwner = {
  exchangeRedirected: () => false,
  exchangeServer: () => undefined,
  exchangeFailed: () => undefined,
  exchangeKilled: () => undefined,
  inspectedRequest: () => nothing,
  inspectedResponse: () => nothing,
  inspectedRequestComplete: () => true,
  inspectedResponseComplete: () => true,
};

let shared: Exchange | null = null;

export function connectionVerdict(session: ClientSession): ConnectionVerdict {
  return run(session, session.proxy.rules.connection);
}

export function sessionVerdict(session: ClientSession): ConnectionVerdict {
  return run(session, session.proxy.rules.session);
}

function run(session: ClientSession, rules: RuleSet): ConnectionVerdict {
  shared ??= new Exchange(session.world, session, owner);
  shared.reset(session.world, session, owner);
  shared.final = true;
  const verdict = rules.run(shared, 0);
  if (verdict === null || verdict.kind === 'allow') return 'accept';
  return verdict.kind === 'silent-drop' ? 'silent-drop' : 'reject';
}
