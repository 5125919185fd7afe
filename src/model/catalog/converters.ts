/**
 * The converters that HAProxy 2.6 knows: arguments, input and output type, support. Read by config/expression and by the
 * documentation writer; rules/convert implements every `active` one under its name.
 */
import type { SampleType } from '../expression.ts';
import { argSpecs, type ArgSpec, type SupportState } from './fetches.ts';
import { tableConverters } from './stick-counters.ts';

export interface ConverterSpec {
  readonly name: string;
  readonly args: readonly ArgSpec[];
  readonly input: SampleType;
  readonly output: SampleType;
  readonly state: SupportState;
  readonly help: string;
}

type Row = readonly [name: string, args: string, input: SampleType, output: SampleType, help: string, state?: SupportState];

const rows: readonly Row[] = [
  // ---- integers
  ['add', 'n', 'int', 'int', 'Adds a number or variable.'],
  ['sub', 'n', 'int', 'int', 'Subtracts a number or variable.'],
  ['mul', 'n', 'int', 'int', 'Multiplies by a number or variable.'],
  ['div', 'n', 'int', 'int', 'Divides by a number or variable.'],
  ['mod', 'n', 'int', 'int', 'Remainder of the division by a number or variable.'],
  ['neg', '', 'int', 'int', 'Changes the sign.'],
  ['and', 'n', 'int', 'int', 'Bitwise and.'],
  ['or', 'n', 'int', 'int', 'Bitwise or.'],
  ['xor', 'n', 'int', 'int', 'Bitwise exclusive or.'],
  ['cpl', '', 'int', 'int', 'Bitwise complement.'],
  ['bool', '', 'int', 'bool', 'True unless zero.'],
  ['not', '', 'int', 'bool', 'True when zero.'],
  ['odd', '', 'int', 'bool', 'True when odd.'],
  ['even', '', 'int', 'bool', 'True when even.'],
  ['iif', 'ss', 'bool', 'str', 'First text when true, second when false.'],
  ['http_date', 'i?s?', 'int', 'str', 'HTTP date of a Unix time plus an offset.'],
  ['ltime', 'si?', 'int', 'str', 'Local time by strftime format.'],
  ['utime', 'si?', 'int', 'str', 'UTC time by strftime format.'],

  // ---- texts
  ['lower', '', 'str', 'str', 'Lower case.'],
  ['upper', '', 'str', 'str', 'Upper case.'],
  ['length', '', 'str', 'int', 'Length.'],
  ['ltrim', 's', 'str', 'str', 'Cuts leading characters of a set.'],
  ['rtrim', 's', 'str', 'str', 'Cuts trailing characters of a set.'],
  ['field', 'isi?', 'str', 'str', 'Field number N between delimiters.'],
  ['word', 'isi?', 'str', 'str', 'Word number N between delimiters; empty words do not count.'],
  ['concat', 's?s?s?', 'str', 'str', 'Appends a text, a variable and a text.'],
  ['add_item', 'ss?s?', 'str', 'str', 'Appends a variable and a text after a delimiter.'],
  ['strcmp', 's', 'str', 'int', 'Compares with a variable: negative, 0 or positive.'],
  ['secure_memcmp', 's', 'bin', 'bool', 'Compares with a variable in constant time.'],
  ['regsub', 'rss?', 'str', 'str', 'Replaces what a regular expression matches; flags i and g.'],
  ['json', 's?', 'str', 'str', 'Escapes for a JSON string.'],
  ['json_query', 'ss?', 'str', 'any', 'Value at a JSON path.'],
  ['url_dec', 'i?', 'str', 'str', 'Decodes percent signs.'],
  ['url_enc', 's?', 'str', 'str', 'Encodes for a query.'],
  ['language', 'ss?', 'str', 'str', 'Best language of Accept-Language among a list.'],
  ['host_only', '', 'str', 'str', 'Host header without port.'],
  ['port_only', '', 'str', 'int', 'Port of a Host header, 0 when none.'],
  ['param', 'ss?', 'str', 'str', 'Value of a parameter of a query-like text.'],
  ['cut_crlf', '', 'str', 'str', 'Cuts at the first line end.'],
  ['hex2i', '', 'str', 'int', 'Integer of hexadecimal digits.'],
  ['capture-req', 'i', 'str', 'str', 'Stores into a request capture slot.'],
  ['capture-res', 'i', 'str', 'str', 'Stores into a response capture slot.'],

  // ---- bytes
  ['bytes', 'ii?', 'bin', 'bin', 'Part of the bytes.'],
  ['hex', '', 'bin', 'str', 'Hexadecimal, upper case.'],
  ['base64', '', 'bin', 'str', 'Base64.'],
  ['b64dec', '', 'str', 'bin', 'Decodes Base64.'],
  ['ub64enc', '', 'bin', 'str', 'Base64 for URLs.'],
  ['ub64dec', '', 'str', 'bin', 'Decodes Base64 for URLs.'],
  ['be2dec', 's?i?i?', 'bin', 'str', 'Chunks of bytes as decimal numbers.'],
  ['be2hex', 's?i?i?', 'bin', 'str', 'Chunks of bytes as hexadecimal numbers.'],
  ['htonl', '', 'int', 'bin', 'Four bytes, big-endian.'],
  ['crc32', 'i?', 'bin', 'int', 'CRC-32.'],
  ['crc32c', 'i?', 'bin', 'int', 'CRC-32C.'],
  ['djb2', 'i?', 'bin', 'int', 'DJB2 hash.'],
  ['sdbm', 'i?', 'bin', 'int', 'SDBM hash.'],
  ['wt6', 'i?', 'bin', 'int', 'WT6 hash.'],
  ['xxh32', 'i?', 'bin', 'int', 'XXH32 hash with an optional seed.'],
  ['xxh64', 'i?', 'bin', 'int', 'XXH64 hash with an optional seed.'],
  ['xxh3', 'i?', 'bin', 'int', 'XXH3 hash.', 'unsupported'],
  ['sha1', '', 'bin', 'bin', 'SHA-1.'],
  ['sha2', 'i?', 'bin', 'bin', 'SHA-2 of 224, 256, 384 or 512 bits.'],
  ['digest', 's', 'bin', 'bin', 'Digest by name.'],
  ['hmac', 'ss', 'bin', 'bin', 'HMAC by digest name with a Base64 key or variable.'],

  // ---- addresses, variables, lookups
  ['ipmask', 'mM?', 'ip', 'ip', 'Keeps the network part.'],
  ['set-var', 'Vs?s?s?s?', 'any', 'any', 'Stores into a variable.'],
  ['unset-var', 'V', 'any', 'any', 'Removes a variable.'],
  ['nbsrv', '', 'str', 'int', 'Usable servers of the backend named.'],
  ['srv_queue', '', 'str', 'int', 'Requests that wait for the server named backend/server.'],
  ['debug', 's?s?', 'any', 'any', 'Reports the sample to a ring; passes it on.', 'inactive'],
  ['in_table', 't', 'any', 'bool', 'True when the key is in a stick table.', 'inactive'],
  ['jwt_header_query', 's?s?', 'str', 'any', 'Header of a JSON Web Token, or what a JSON path finds in it.'],
  ['jwt_payload_query', 's?s?', 'str', 'any', 'Payload of a JSON Web Token, or what a JSON path finds in it.'],
  ['jwt_verify', 'ss', 'str', 'int', 'Checks the signature of a JSON Web Token: 1 = good.'],

  // ---- known to HAProxy only
  ['aes_gcm_dec', 'isss', 'bin', 'bin', 'AES-GCM.', 'unsupported'],
  ['fix_is_valid', '', 'bin', 'bool', 'FIX protocol.', 'unsupported'],
  ['fix_tag_value', 's', 'bin', 'bin', 'FIX protocol.', 'unsupported'],
  ['mqtt_field_value', 'ss', 'bin', 'str', 'MQTT.', 'unsupported'],
  ['mqtt_is_valid', '', 'bin', 'bool', 'MQTT.', 'unsupported'],
  ['protobuf', 'ss?', 'bin', 'bin', 'Protocol buffers.', 'unsupported'],
  ['ungrpc', 'ss?', 'bin', 'bin', 'gRPC.', 'unsupported'],
];

/** Match methods of map converters with the type they look up. `regm` replaces \1..\9 in the value. */
export const mapMethods: Readonly<Record<string, SampleType>> = {
  str: 'str', beg: 'str', sub: 'str', dir: 'str', dom: 'str', end: 'str', reg: 'str', regm: 'str', int: 'int', ip: 'ip',
};

function mapRows(): Row[] {
  const out: Row[] = [['map', 'ps?', 'str', 'str', 'Value of the key in a map file, else the default.']];
  for (const [method, input] of Object.entries(mapMethods)) {
    out.push([`map_${method}`, 'ps?', input, 'str', `Value found in a map file by method ${method}.`]);
    if (method === 'regm') continue;
    out.push([`map_${method}_str`, 'ps?', input, 'str', `Value found in a map file by method ${method}.`]);
    out.push([`map_${method}_int`, 'pi?', input, 'int', `Integer found in a map file by method ${method}.`]);
    out.push([`map_${method}_ip`, 'ps?', input, 'ip', `Address found in a map file by method ${method}.`]);
  }
  return out;
}

const tableRows: readonly Row[] = tableConverters.map((name) => [
  `table_${name}`, name === 'gpc' || name === 'gpc_rate' || name === 'gpt' ? 'it' : 't', 'any', 'int', 'Data of a stick-table entry.', 'inactive',
]);

export const converters: ReadonlyMap<string, ConverterSpec> = new Map(
  [...rows, ...mapRows(), ...tableRows].map(([name, args, input, output, help, state]) => [
    name, { name, args: argSpecs(args), input, output, state: state ?? 'active', help },
  ]),
);
