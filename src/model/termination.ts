/**
 * Termination letters of log lines in words (configuration manual 8.5): the first letter tells who or what ended it, the second one when.
 * Read by `poise logs` and by the writer of docs/logging.md.
 */
const causes: Readonly<Record<string, string>> = {
  C: 'client closed', c: 'client timed out', S: 'server closed or refused', s: 'server timed out', P: 'refused by the proxy', L: 'answered by the proxy itself',
  R: 'no socket, port or memory was left', I: 'internal error', D: 'server was marked down', U: 'an active server came up for the backup', K: 'ended by an administrator',
};

const stages: Readonly<Record<string, string>> = {
  R: 'before the whole request was there', Q: 'while waiting in the queue', C: 'while connecting to the server', H: 'before the whole answer head was there',
  D: 'during the transfer', L: 'while the last data went to the client', T: 'in a tarpit',
};

/** Pairs that mean more than their letters. */
const pairs: Readonly<Record<string, string>> = {
  '--': 'ended well', LR: 'answered by the proxy itself: redirect, return, statistics page', LC: 'sent to another address by redir on the server', LH: 'answer replaced by a rule of the proxy',
  PR: 'refused by the proxy: malformed request, limit, or a rule', PD: 'refused by the proxy in the middle: malformed body, or a rule', PH: 'answer refused by the proxy: malformed, or a rule',
  PT: 'tarpitted by a rule', SC: 'server refused the connection, or none is up', sC: 'server did not accept the connection in time', SQ: 'queue of the server is full', sQ: 'waited too long in the queue',
  SH: 'server closed before its whole answer head was there', sH: 'server did not answer in time', SD: 'server closed during the transfer', sD: 'server stopped during the transfer',
  CR: 'client closed before its whole request was there', cR: 'client did not send its whole request in time', CH: 'client closed while the server was preparing its answer',
  cH: 'client stopped sending its request body', CD: 'client closed during the transfer', cD: 'client neither sent nor read in time',
};

/** Words for the first two letters; '' when they are none of HAProxy's. */
export function terminationWords(letters: string): string {
  const pair = pairs[letters.slice(0, 2)];
  if (pair !== undefined) return pair;
  const cause = causes[letters.charAt(0)];
  if (cause === undefined) return '';
  const stage = stages[letters.charAt(1)];
  return stage === undefined ? cause : `${cause} ${stage}`;
}
