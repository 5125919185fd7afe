/** Checks of arguments that a type alone does not tell: names of digests, units, words from a list. Called by sample.ts. */
import { getHashes } from 'node:crypto';
import type { Arg } from '../../model/expression.ts';
import { parseVarName } from './arguments.ts';
import { translateRegex } from './regex.ts';
import { fail } from './report.ts';
import type { ExpressionScope } from './scope.ts';

type Check = (args: readonly (Arg | null)[], owner: string, scope: ExpressionScope) => boolean;

function textAt(args: readonly (Arg | null)[], index: number): string | undefined {
  const arg = args[index];
  return arg?.kind === 'str' ? arg.value : undefined;
}

function bad(scope: ExpressionScope, owner: string, word: string, message: string, remedy = ''): false {
  fail(scope, word, `in '${owner}': ${message}`, remedy);
  return false;
}

function oneOf(index: number, words: readonly string[]): Check {
  return (args, owner, scope) => {
    const text = textAt(args, index);
    return text === undefined || words.includes(text) || bad(scope, owner, text, `'${text}' is none of ${words.join(', ')}`);
  };
}

const digestCheck: Check = (args, owner, scope) => {
  const name = textAt(args, 0) ?? '';
  return getHashes().includes(name.toLowerCase()) || bad(scope, owner, name, `there is no digest '${name}'`, 'try sha256');
};

const variableCheck = (index: number): Check => (args, owner, scope) => {
  const name = textAt(args, index);
  return name === undefined || parseVarName(name) !== undefined || bad(scope, owner, name, `'${name}' is not a variable name`);
};

const distinguishedName: Check = (args, owner, scope) => {
  const format = textAt(args, 2);
  return format === undefined || format === 'rfc2253' || bad(scope, owner, format, `only the format rfc2253 exists, not '${format}'`);
};

const setVarConditions = ['ifexists', 'ifnotexists', 'ifempty', 'ifnotempty', 'ifset', 'ifnotset', 'ifgt', 'iflt'];

/** By fetch name; converters with a comma in front. */
const checks: Readonly<Record<string, readonly Check[]>> = {
  bin: [(args, owner, scope) => /^(?:[0-9a-fA-F]{2})*$/.test(textAt(args, 0) ?? '') || bad(scope, owner, textAt(args, 0) ?? '', 'an even number of hexadecimal digits is needed')],
  bool: [oneOf(0, ['true', 'false', '1', '0'])],
  date: [oneOf(1, ['s', 'ms', 'us'])],
  uuid: [(args, owner, scope) => args[0]?.kind !== 'int' || args[0].value === 4 || bad(scope, owner, String(args[0].value), 'only version 4 exists')],
  ssl_c_s_dn: [distinguishedName], ssl_c_i_dn: [distinguishedName], ssl_f_s_dn: [distinguishedName], ssl_f_i_dn: [distinguishedName],
  url_param: [(args, owner, scope) => (textAt(args, 1) ?? '?').length === 1 || bad(scope, owner, textAt(args, 1) ?? '', 'the delimiter is one character')],
  ',digest': [digestCheck],
  ',hmac': [digestCheck],
  ',sha2': [(args, owner, scope) => args[0]?.kind !== 'int' || [224, 256, 384, 512].includes(args[0].value) || bad(scope, owner, String(args[0].value), 'the size is 224, 256, 384 or 512')],
  ',http_date': [oneOf(1, ['s', 'ms', 'us'])],
  ',json': [oneOf(0, ['ascii', 'utf8', 'utf8s', 'utf8p', 'utf8ps'])],
  ',jwt_verify': [(args, owner, scope) => {
    const name = textAt(args, 0) ?? '';
    return parseVarName(name) !== undefined || /^(?:HS|RS|ES|PS)(?:256|384|512)$/.test(name) || bad(scope, owner, name, `there is no algorithm '${name}'`, 'write HS256, RS256, ES256 or the like, or a variable');
  }],
  ',json_query': [oneOf(1, ['int', 'str'])],
  ',url_enc': [oneOf(0, ['query'])],
  ',strcmp': [variableCheck(0)],
  ',secure_memcmp': [variableCheck(0)],
  ',concat': [variableCheck(1)],
  ',add_item': [variableCheck(1)],
  ',set-var': [1, 2, 3, 4].map((index) => oneOf(index, setVarConditions)),
  ',regsub': [
    (args, owner, scope) => /^[gi]*$/.test(textAt(args, 2) ?? '') || bad(scope, owner, textAt(args, 2) ?? '', `'${textAt(args, 2) ?? ''}' are not flags`, 'flags are g and i'),
    (args, owner, scope) => {
      if (args[0]?.kind !== 'regex') return true;
      const translated = translateRegex(args[0].source, (textAt(args, 2) ?? '').includes('i'));
      return !('error' in translated) || bad(scope, owner, args[0].source, translated.error);
    },
  ],
  ',ipmask': [],
};

/** True when good; otherwise the problem was reported. */
export function checkArguments(key: string, owner: string, args: readonly (Arg | null)[], scope: ExpressionScope): boolean {
  return (checks[key] ?? []).every((check) => check(args, owner, scope));
}
