/** `balance`, `hash-type`, `hash-balance-factor`: how a backend chooses servers. Rows of the proxy table. */
import type { Balance, HashType } from '../../model/model.ts';
import { active, many } from '../keyword.ts';
import type { Keyword } from '../keyword.ts';
import { initialSettings } from '../initial.ts';
import { parseSample } from '../expression/sample.ts';
import type { ProxyReading } from './reading.ts';

const backend = 'DfLB';
const algorithms = ['roundrobin', 'static-rr', 'leastconn', 'source', 'first', 'uri', 'url_param', 'hdr(name)', 'random', 'rdp-cookie', 'hash'];
const plain: ReadonlySet<string> = new Set(['roundrobin', 'static-rr', 'leastconn', 'source', 'first']);

function readUri(reading: ProxyReading, made: Balance): Balance | undefined {
  let result = made;
  for (let index = 1; index < reading.args.length; index += 1) {
    const word = reading.arg(index);
    if (word === 'whole') result = { ...result, uriWhole: true };
    else if (word === 'path-only') result = { ...result, uriPathOnly: true };
    else if (word === 'len' || word === 'depth') {
      index += 1;
      const value = reading.count(reading.arg(index), `'balance uri ${word}'`, 0, 65535);
      if (value === undefined) return undefined;
      result = word === 'len' ? { ...result, uriLen: value } : { ...result, uriDepth: value };
    } else {
      reading.error(word, `'balance uri' does not know '${word}'`, "it takes 'len <n>', 'depth <n>', 'whole' and 'path-only'");
      return undefined;
    }
  }
  return result;
}

function readUrlParam(reading: ProxyReading, made: Balance): Balance | undefined {
  const name = reading.arg(1);
  if (name === '') {
    reading.error('url_param', "'balance url_param' needs the name of a parameter");
    return undefined;
  }
  if (reading.arg(2) === 'check_post') reading.warning('check_post', "'check_post' is not active yet: only the query is searched");
  else if (reading.arg(2) !== '') reading.error(reading.arg(2), `'balance url_param' does not know '${reading.arg(2)}'`);
  return { ...made, algorithm: 'url_param', name };
}

/** `random(2)`, `hdr(Host)`, `rdp-cookie(name)`. */
function readCall(reading: ProxyReading, made: Balance, call: string, value: string): Balance | undefined {
  if (call === 'hdr') {
    if (value === '') {
      reading.error(reading.arg(0), "'balance hdr' needs the name of a header", "write 'balance hdr(Host)'");
      return undefined;
    }
    const domain = reading.arg(1) === 'use_domain_only';
    if (reading.arg(1) !== '' && !domain) reading.error(reading.arg(1), `'balance hdr' does not know '${reading.arg(1)}'`);
    return { ...made, algorithm: 'hdr', name: value, hdrUseDomainOnly: domain };
  }
  if (call === 'random') {
    const draws = value === '' ? 2 : reading.count(value, "'balance random'", 1);
    return draws === undefined ? undefined : { ...made, algorithm: 'random', randomDraws: draws };
  }
  return { ...made, algorithm: 'rdp-cookie', name: value === '' ? 'msts' : value };
}

function makeBalance(reading: ProxyReading): Balance | undefined {
  const made: Balance = initialSettings().balance;
  const word = reading.arg(0);
  const call = /^(hdr|random|rdp-cookie)(?:\((.*)\))?$/.exec(word);
  if (call !== null) return readCall(reading, made, call[1] ?? '', call[2] ?? '');
  if (plain.has(word)) {
    if (reading.args.length > 1) reading.warning(reading.arg(1), `'${reading.arg(1)}' after 'balance ${word}' is ignored`);
    return { ...made, algorithm: word as Balance['algorithm'] };
  }
  if (word === 'uri') return readUri(reading, { ...made, algorithm: 'uri' });
  if (word === 'url_param') return readUrlParam(reading, made);
  if (word === 'hash') {
    const expr = parseSample(reading.args.slice(1).join(' '), reading.scope('use_backend'));
    return expr === undefined ? undefined : { ...made, algorithm: 'hash', expr };
  }
  reading.error(word, `'balance' does not know '${word}'`, `use one of: ${algorithms.join(', ')}`);
  return undefined;
}

function readBalance(reading: ProxyReading): void {
  const made = reading.args.length === 0 ? initialSettings().balance : makeBalance(reading);
  if (made === undefined) return;
  reading.settings.balance = made;
  reading.mark('balance');
}

function readHashType(reading: ProxyReading): void {
  const method = reading.choice(reading.arg(0), "'hash-type'", ['map-based', 'consistent', 'avalanche']);
  if (method === undefined) return;
  // 'hash-type avalanche' of 1.4 meant map-based with the avalanche modifier.
  const old = method === 'avalanche';
  // Without a function a consistent hash is spread, as in HAProxy; with one only when the modifier says so.
  const spread = old || (method === 'consistent' && reading.args.length === 1);
  let made: HashType = { method: old ? 'map-based' : method, function: 'sdbm', avalanche: spread };
  for (const word of reading.args.slice(1)) {
    if (word === 'avalanche') made = { ...made, avalanche: true };
    else {
      const chosen = reading.choice(word, "'hash-type'", ['sdbm', 'djb2', 'wt6', 'crc32', 'none']);
      if (chosen === undefined) return;
      made = { ...made, function: chosen };
    }
  }
  reading.settings.hashType = made;
}

function readHashBalanceFactor(reading: ProxyReading): void {
  const value = reading.count(reading.arg(0), "'hash-balance-factor'");
  if (value === undefined) return;
  if (value !== 0 && value <= 100) reading.error(reading.arg(0), "'hash-balance-factor' must be 0 or above 100");
  else reading.settings.hashBalanceFactor = value;
}

export const balanceRows: readonly Keyword<ProxyReading>[] = [
  active('balance', backend, [0, many], 'Algorithm that chooses a server.', readBalance),
  active('hash-type', backend, [1, 3], 'How hashed algorithms map keys to servers.', readHashType),
  active('hash-balance-factor', backend, [1, 1], 'Load above the average, in percent, at which a hashed server is passed over.', readHashBalanceFactor),
];
