/**
 * JSON Web Tokens (RFC 7515, 7519): jwt_header_query, jwt_payload_query, jwt_verify. Read by table.ts. Keys come in as text: the reader
 * has put the contents of a key file in place of its name. Neither tokens nor keys are ever logged.
 */
import { constants, createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { parseVarName } from '../../config/expression/arguments.ts';
import { limits } from '../../model/limits.ts';
import { textArg, type Args, type CompileContext, type ConvertFn, type ConvertTable } from '../types.ts';
import { toText } from '../values.ts';
import { readVar } from '../vars.ts';
import { textConverters } from './texts.ts';

/** What jwt_verify gives. */
const result = { bad: 0, good: 1, unknownAlgorithm: -1, noAlgorithm: -2, badToken: -3, unknownKey: -5 } as const;

/** `a.b.c` → its three parts, undefined when it is not a token. */
function cut(token: string): readonly [string, string, string] | undefined {
  if (token.length > limits.jwtBytesMax) return undefined;
  const [header, payload, signature, more] = token.split('.');
  return header === undefined || payload === undefined || signature === undefined || more !== undefined ? undefined : [header, payload, signature];
}

function query(part: 0 | 1): (args: Args, context: CompileContext) => ConvertFn {
  return (args, context) => {
    const parse = args[0] === null || args[0] === undefined ? null : textConverters.json_query?.(args, context) ?? null;
    return (value, s) => {
      const parts = cut(toText(value));
      if (parts === undefined) return undefined;
      const json = Buffer.from(parts[part], 'base64url').toString('utf8');
      return parse === null ? json : parse(json, s);
    };
  };
}

/** Public keys by PEM text: making one costs more than the check itself. */
const keys = new Map<string, KeyObject | null>();

function publicKey(pem: string): KeyObject | null {
  let key = keys.get(pem);
  if (key === undefined) {
    try {
      key = createPublicKey(pem);
    } catch {
      key = null;
    }
    if (keys.size < limits.jwtKeysMax) keys.set(pem, key);
  }
  return key;
}

function signed(algorithm: string, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  const digest = `sha${algorithm.slice(2)}`;
  const type = key.asymmetricKeyType;
  try {
    if (algorithm.startsWith('ES')) return type === 'ec' && verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    if (type !== 'rsa') return false;
    if (algorithm.startsWith('RS')) return verify(digest, data, key, signature);
    return verify(digest, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature);
  } catch {
    return false;
  }
}

export function verifyToken(token: string, algorithm: string, key: string): number {
  if (algorithm === 'none') return result.noAlgorithm;
  if (!/^(?:HS|RS|ES|PS)(?:256|384|512)$/.test(algorithm)) return result.unknownAlgorithm;
  const parts = cut(token);
  if (parts === undefined || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return result.badToken;
  const data = Buffer.from(`${parts[0]}.${parts[1]}`, 'latin1');
  const signature = Buffer.from(parts[2], 'base64url');
  if (algorithm.startsWith('HS')) {
    const made = createHmac(`sha${algorithm.slice(2)}`, key).update(data).digest();
    return made.length === signature.length && timingSafeEqual(made, signature) ? result.good : result.bad;
  }
  const made = publicKey(key);
  if (made === null) return result.unknownKey;
  return signed(algorithm, made, data, signature) ? result.good : result.bad;
}

/** Both arguments are texts or variables. */
function jwtVerify(args: Args): ConvertFn {
  const texts = [textArg(args, 0), textArg(args, 1)] as const;
  const variables = [parseVarName(texts[0]), parseVarName(texts[1])] as const;
  return (value, s) => {
    const [algorithm, key] = [0, 1].map((index) => {
      const variable = variables[index as 0 | 1];
      const held = variable === undefined ? texts[index as 0 | 1] : readVar(s, variable.scope, variable.name);
      return held === undefined ? undefined : toText(held);
    });
    return algorithm === undefined || key === undefined ? undefined : verifyToken(toText(value), algorithm, key);
  };
}

export const jwtConverters: ConvertTable = { jwt_header_query: query(0), jwt_payload_query: query(1), jwt_verify: jwtVerify };
