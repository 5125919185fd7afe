/**
 * The ready-made checks: TLS hello, SMTP, MySQL, PostgreSQL, Redis, LDAP and SPOP. Requests are byte for byte HAProxy's, results
 * carry its words. Called by program.ts.
 */
import type { CheckStatus } from '../../model/server-state.ts';
import type { Answer, ExpectStep, Judgement, Program, SendStep, Step } from './check-step.ts';
import { connectByDefault } from './check-step.ts';
import { helloBytes, ldapBind, mysqlLogin, pgsqlStartup, redisPing, spopHello } from './protocol-requests.ts';

function program(...steps: Step[]): Program {
  return { steps: [connectByDefault, ...steps], tellsSteps: false, http: false };
}

/** In some checks HAProxy counts the connection as step 1. */
function programFromOne(...steps: Step[]): Program {
  return { ...program(), steps: [{ ...connectByDefault, implicit: false }, ...steps] };
}

function send(bytes: () => Uint8Array): SendStep & { readonly comment: string } {
  return { kind: 'send', comment: '', bytes };
}

interface Statuses {
  readonly ok?: CheckStatus;
  readonly timeout?: CheckStatus;
  readonly empty?: CheckStatus;
}

function expect(judge: (answer: Answer) => Judgement, statuses: Statuses = {}): ExpectStep & { readonly comment: string } {
  return {
    kind: 'expect', comment: '', looksFor: '', judge,
    okStatus: statuses.ok ?? 'L7OK', timeoutStatus: statuses.timeout ?? 'L7TOUT', emptyStatus: statuses.empty ?? 'L7RSP',
  };
}

function passed(code = 0, description = ''): Judgement {
  return { ok: true, status: null, code, description };
}

function failed(status: CheckStatus, code: number, description: string): Judgement {
  return { ok: false, status, code, description };
}

/** A TLS record of type handshake or alert answers an SSLv3 hello: servers of today refuse the version, which is alive enough. */
export function tlsHelloProgram(nowSeconds: () => number): Program {
  return program(send(() => helloBytes(nowSeconds())), expect(({ bytes, ended }) => {
    const first = bytes[0];
    if (first === undefined || (bytes.length < 5 && !ended && (first === 0x15 || first === 0x16))) return null;
    return first === 0x15 || first === 0x16 ? passed() : failed('L6RSP', 0, '');
  }, { ok: 'L6OK', timeout: 'L6TOUT', empty: 'L6RSP' }));
}

export function redisProgram(): Program {
  return program(send(() => redisPing), expect(({ bytes, ended }) => {
    const text = bytes.toString('latin1');
    if (text.startsWith('+PONG\r\n')) return passed(0, 'Redis server is ok');
    if (!ended && '+PONG\r\n'.startsWith(text.slice(0, 7)) && text.length < 7) return null;
    if (!ended && !text.includes('\n')) return null;
    return failed('L7STS', 0, firstLine(text));
  }, { empty: 'L7STS' }));
}

export function smtpProgram(hello: string): Program {
  const greeting = expect(smtpReply);
  const reply = (status: CheckStatus): Step => expect(smtpReply, { empty: status });
  return programFromOne(greeting, send(() => Buffer.from(`${hello}\r\n`, 'latin1')), reply('L7STS'), send(() => Buffer.from('QUIT\r\n', 'latin1')), reply('L7STS'));
}

/** The last line of a reply (`250 …` after `250-…`); 2xx is good. */
function smtpReply({ bytes, ended }: Answer): Judgement {
  const text = bytes.toString('latin1');
  const lines = text.split('\n');
  for (const line of lines.slice(0, ended ? lines.length : -1)) {
    const reply = /^(\d{3})(?:$|[ \r])\s*(.*?)\r?$/.exec(line);
    if (reply !== null) {
      const code = Number(reply[1]);
      return code >= 200 && code <= 299 ? passed(code, reply[2] ?? '') : failed('L7STS', code, reply[2] ?? '');
    }
    if (line !== '' && !/^\d{3}-/.test(line)) return failed('L7RSP', 0, line.replace(/\r$/, ''));
  }
  return null;
}

/** MySQL packets: 3 bytes length, 1 byte number, then the payload; 0xff starts an error with its number. */
function mysqlPacket(answer: Answer): { payload: Buffer; rest: Buffer } | null {
  const { bytes } = answer;
  if (bytes.length < 4) return null;
  const length = bytes.readUIntLE(0, 3);
  return bytes.length < 4 + length ? null : { payload: bytes.subarray(4, 4 + length), rest: bytes.subarray(4 + length) };
}

function mysqlError(payload: Buffer): Judgement {
  return failed('L7STS', payload.length < 3 ? 0 : payload.readUInt16LE(1), payload.subarray(3).toString('latin1'));
}

function mysqlGreeting(answer: Answer): Judgement {
  const packet = mysqlPacket(answer);
  if (packet === null) return answer.ended ? failed('L7RSP', 0, 'MySQL handshake packet is incomplete') : null;
  const { payload } = packet;
  if (payload[0] === 0xff) return mysqlError(payload);
  const end = payload.indexOf(0, 1);
  if (payload[0] !== 10 || end < 0) return failed('L7RSP', 0, 'Unexpected MySQL handshake');
  return passed();
}

export function mysqlProgram(user: string, post41: boolean): Program {
  if (user === '') return programFromOne(expect(mysqlGreeting));
  return programFromOne(
    expect(mysqlGreeting),
    send(() => mysqlLogin(user, post41)),
    expect((answer) => {
      const packet = mysqlPacket(answer);
      if (packet === null) return answer.ended ? failed('L7RSP', 0, 'MySQL answer is incomplete') : null;
      return packet.payload[0] === 0xff ? mysqlError(packet.payload) : passed();
    }),
  );
}

export function pgsqlProgram(user: string): Program {
  return programFromOne(send(() => pgsqlStartup(user)), expect(({ bytes, ended }) => {
    const type = String.fromCharCode(bytes[0] ?? 0);
    if (type === 'E') {
      if (bytes.length < 6) return ended ? failed('L7RSP', 0, 'PostgreSQL error is incomplete') : null;
      const severity = bytes.subarray(6, bytes.indexOf(0, 6) < 0 ? bytes.length : bytes.indexOf(0, 6)).toString('latin1');
      return failed('L7RSP', 0, severity);
    }
    if (type !== 'R') return failed('L7STS', 0, 'PostgreSQL unknown error');
    if (bytes.length < 9 && !ended) return null;
    return passed(0, 'PostgreSQL server is ok');
  }));
}

/** A BindResponse with result code 0 (RFC 4511 4.2.2). */
export function ldapProgram(): Program {
  return program(send(() => ldapBind), expect(({ bytes, ended }) => {
    if (bytes.length < 14 && !ended) return null;
    if (bytes.length < 14 || bytes[0] !== 0x30) return failed('L7RSP', 0, 'Not LDAPv3 protocol');
    // The length of the sequence may take several bytes.
    const long = (bytes[1] ?? 0) & 0x80 ? (bytes[1] ?? 0) & 0x0f : 0;
    const inner = bytes.subarray(2 + long);
    if (inner[0] !== 0x02 || inner[1] !== 0x01 || inner[2] !== 0x01 || inner[3] !== 0x61) return failed('L7RSP', 0, 'Not LDAPv3 protocol');
    const innerLong = (inner[4] ?? 0) & 0x80 ? (inner[4] ?? 0) & 0x0f : 0;
    const code = inner[7 + innerLong] ?? 0;
    return code === 0 ? passed() : failed('L7STS', code, 'See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9');
  }));
}

/** Longer frames are noise that happens to look like a length. */
const spopFrameBytesMax = 65_536;

/** An AGENT-HELLO (101) answers; an AGENT-DISCONNECT (103) tells why not. */
export function spopProgram(): Program {
  return program(send(() => spopHello), expect(({ bytes, ended }) => {
    const frameBytes = bytes.length < 4 ? 0 : 4 + bytes.readUInt32BE(0);
    const whole = bytes.length >= 5 && bytes.length >= frameBytes;
    if (!whole) return ended || frameBytes > spopFrameBytesMax ? failed('L7RSP', 0, 'invalid frame received') : null;
    if (bytes[4] === 101) return passed();
    return failed('L7RSP', 0, bytes[4] === 103 ? 'SPOA server disconnected' : 'invalid frame received');
  }));
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}
