/** `poise logs`: lines taken apart, chosen and counted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineCutter } from '../../../src/cli/logs/lines.ts';
import { LogLine } from '../../../src/cli/logs/log-line.ts';
import { readLogsWords, type LogsOrder } from '../../../src/cli/logs/order.ts';
import { CountTable, PercentileTable } from '../../../src/cli/logs/tables.ts';
import { Times } from '../../../src/cli/logs/times.ts';
import { faults } from '../../../src/model/fault.ts';
import { limits } from '../../../src/model/limits.ts';
import { terminationWords } from '../../../src/model/termination.ts';

const http = '10.1.2.3:40711 [21/Nov/2026:08:13:13.123] fe~ be_owa/lab-ex01 1/2/3/4/15 200 500 - - ---- 2/1/0/0/+1 0/0 {mail.example.com|curl #22x} "GET /owa/?a=1 HTTP/1.1"';
const plain = http.replace(' {mail.example.com|curl #22x}', '');
const tcp = '::1:40712 [21/Nov/2026:08:13:14.000] fe_smtp be_smtp/s1 0/1/5000 1234 cD 1/1/0/0/0 0/0';
const why = '10.1.2.3:40711 [21/Nov/2026:08:13:13.123] fe be_owa/lab-ex01 CD why: client closed during response';

const headers = ['', '<134>Nov 21 08:13:13 haproxy[12]: ', 'Nov 21 08:13:13 lb01 haproxy[12]: ', '<134>1 2026-11-21T08:13:13.123456+01:00 lb01 poise 12 - [a b="c"] ', '2026-11-21T08:13:13+0100 lb01 haproxy[12]: '];

function read(text: string): LogLine {
  const line = new LogLine();
  line.read(text);
  return line;
}

describe('a log line', () => {
  it('is understood with every header', () => {
    for (const header of headers) {
      const line = read(header + plain);
      assert.deepEqual([line.kind, line.client, line.frontend, line.backend, line.server, line.status, line.letters, line.retries, line.redispatched], ['http', '10.1.2.3:40711', 'fe', 'be_owa', 'lab-ex01', 200, '----', 1, true], header);
      assert.deepEqual([line.times(), line.totalMs(), line.method, line.path], [[1, 2, 3, 4, 15], 15, 'GET', '/owa/']);
      assert.equal(line.timeMs(), new Date(2026, 10, 21, 8, 13, 13, 123).getTime());
      const stream = read(header + tcp);
      assert.deepEqual([stream.kind, stream.client, stream.backend, stream.letters, stream.totalMs(), stream.path, stream.status], ['tcp', '::1:40712', 'be_smtp', 'cD', 5000, '', -1]);
      const cause = read(header + why);
      assert.deepEqual([cause.kind, cause.client, cause.letters, cause.why], ['why', '10.1.2.3:40711', 'CD', 'client closed during response']);
    }
  });

  it('with captures, logasap, TLS fields, <BADREQ> and no server is understood', () => {
    assert.deepEqual([read(http).kind, read(http).status], ['http', 200]);
    const early = read(plain.replace('/15 200 500', '/+15 200 +500'));
    assert.deepEqual([early.kind, early.totalMs()], ['http', 15]);
    assert.equal(read(`${plain} 0/0000000000000000/0/0/0 -/TLSv1.3/TLS_AES_256_GCM_SHA384`).path, '/owa/');
    const bad = read('unix:1 [21/Nov/2026:08:13:13.123] fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"');
    assert.deepEqual([bad.kind, bad.server, bad.status, bad.path, bad.method], ['http', '<NOSRV>', 400, '', '<BADREQ>']);
  });

  it('about something else is told from rubbish', () => {
    for (const other of ['10.1.2.3:40711 [21/Nov/2026:08:13:13.123] fe/1: SSL handshake failure', '10.1.2.3:1 [21/Nov/2026:08:13:13.123] fe/1 why: client did not speak TLS',
      'Connect from 10.0.0.1:5 to 10.0.0.2:80 (fe/TCP)', '[WARNING]  (5) : Server be/s1 is DOWN, reason: Layer4 timeout', 'Nov 21 08:13:13 lb01 haproxy[12]: backend be has no server available!']) assert.equal(read(other).kind, 'other', other);
    for (const rubbish of ['', 'x', '\u0000\u0001', '] [', ' [//', http.slice(10, 60), plain.replace(' 200 ', ' 2x0 '), plain.replace('----', '-'), plain.replace('1/2/3/4/15', '1/2/3/15'), plain.replace('be_owa/', '')]) assert.equal(read(rubbish).kind, 'broken', rubbish);
  });

  it('cut anywhere, or with any byte changed, never throws', () => {
    const line = new LogLine();
    for (const text of [http, tcp, why]) {
      for (let at = 0; at <= text.length; at += 1) {
        for (const one of [text.slice(0, at), text.slice(at), `${text.slice(0, at)}\u0000${text.slice(at + 1)}`, `${text.slice(0, at)} ${text.slice(at)}`]) {
          line.read(one);
          line.timeMs();
          assert.equal(typeof `${line.path}${line.method}`, 'string');
        }
      }
    }
  });
});

describe('cutting into lines', () => {
  it('gives the same for every split', () => {
    const bytes = Buffer.from('one\ntwo\r\n\n\u00fc\nlast', 'latin1');
    for (let first = 0; first <= bytes.length; first += 1) {
      for (let second = first; second <= bytes.length; second += 1) {
        const cutter = new LineCutter();
        const lines = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)].flatMap((part) => cutter.cut(part));
        assert.deepEqual([...lines, ...cutter.last()], ['one', 'two\r', '', '\u00fc', 'last']);
      }
    }
  });

  it('leaves lines without an end out and counts them', () => {
    const cutter = new LineCutter();
    const part = Buffer.alloc(limits.logLineReadBytesMax, 'x');
    assert.deepEqual(cutter.cut(part), []);
    for (let more = 0; more < 3; more += 1) assert.deepEqual(cutter.cut(part), []);
    assert.deepEqual(cutter.cut(Buffer.from('end\nnext\n')), ['next']);
    assert.deepEqual([cutter.tooLong, cutter.last()], [1, []]);
  });
});

describe('choosing', () => {
  const now = new Date(2026, 10, 21, 8, 20).getTime();

  function order(...words: string[]): LogsOrder {
    const found = readLogsWords(words, now);
    if ('faults' in found) throw new Error(found.faults.join('; '));
    return found;
  }

  function takes(text: string, ...words: string[]): boolean {
    return order(...words).selection.takes(read(text));
  }

  it('looks at names, statuses, causes, times', () => {
    const yes: string[][] = [['--backend', 'a,be_owa'], ['--server', 'lab-ex01'], ['--server', 'be_owa/lab-ex01'], ['--frontend', 'fe'], ['--status', '2xx'], ['--status', '404,200'], ['--status', '150-250'], ['--cause=--'],
      ['--cause', 'retried'], ['--cause', 'redispatched'], ['--path', '/owa'], ['--client', '10.1.2.3'], ['--client', '10.1.*'], ['--slower-than', '14'], ['--since', '2026-11-21'], ['--since', '08:13'], ['--since', '2026-11-21 08:13:13'], ['--since', '10m'],
      ['--until', '08:14'], ['--until', '2026-11-21T08:13:14']];
    for (const words of yes) assert.equal(takes(http, ...words), true, words.join(' '));
    const no: string[][] = [['--backend', 'be'], ['--server', 'lab-ex02'], ['--frontend', 'fe~'], ['--status', '5xx'], ['--cause', 'failed'], ['--cause', 'C'], ['--path', '/ecp'], ['--client', '10.1.2'], ['--slower-than', '15'], ['--since', '08:14'],
      ['--since', '5m'], ['--until', '08:13'], ['--backend', 'be_owa', '--status', '500']];
    for (const words of no) assert.equal(takes(http, ...words), false, words.join(' '));
    for (const word of ['failed', 'client', 'timeout', 'c', 'cD']) assert.equal(takes(tcp, '--cause', word), true, word);
    for (const word of ['server', 'proxy', 'C', 'cH']) assert.equal(takes(tcp, '--cause', word), false, word);
    assert.equal(takes(tcp, '--status=-1'), false);
  });

  it('takes the second line with the first', () => {
    const { selection } = order('--status', '200');
    assert.equal(selection.takes(read(http)), true);
    assert.equal(selection.takes(read(why)), true);
    assert.equal(selection.takes(read(http.replace(' 200 ', ' 500 '))), false);
    assert.equal(selection.takes(read(why)), false);
    assert.equal(takes(why, '--backend', 'be_owa'), true);
    assert.equal(takes(why, '--slower-than', '1'), false);
  });

  it('says what is wrong with the command line, all at once', () => {
    const found = readLogsWords(['--status', '9', '--cause', 'clent', '--since', 'never', '--slower-than', 'x', '--count-by', 'sever', '--percentiles', '101', '--top', '0', '--catch-all', '-F'], now);
    assert.ok('faults' in found);
    assert.equal(found.faults.length, 9);
    assert.match(found.faults.join('\n'), /did you mean 'client'/);
    assert.match(found.faults.join('\n'), /did you mean 'server'/);
  });
});

describe('tables', () => {
  it('count by columns, with words for causes', () => {
    const table = new CountTable(['cause', 'backend']);
    for (const text of [http, http, tcp]) table.add(read(text));
    assert.deepEqual(table.text(9).split('\n').map((row) => row.trim().split(/ {2,}/)), [['count', 'share', 'cause', 'backend'], ['2', '66.7%', '-- ended well', 'be_owa'], ['1', '33.3%', 'cD client neither sent nor read in time', 'be_smtp'], ['']]);
    assert.deepEqual(table.json(1), { rows: [{ count: 2, cause: '--', backend: 'be_owa', words: 'ended well' }], total: 3 });
  });

  it('have a bounded number of rows', () => {
    const table = new CountTable(['client']);
    const line = read(http);
    for (let index = 0; index < limits.logCountRowsMax + 5; index += 1) {
      line.client = `c${index}:1`;
      table.add(line);
    }
    assert.equal((table.json(1) as { others: number }).others, 5);
  });

  it('of times leave out what has not all of them', () => {
    const table = new PercentileTable([50, 100]);
    for (const text of [http, tcp, http.replace('1/2/3/4/15', '1/2/-1/-1/3')]) table.add(read(text));
    assert.deepEqual((table.json() as { TR: number; total: number }[]).map(({ TR, total }) => [TR, total]), [[0, 15], [1, 5000]]);
  });

  it('of long times are right to a thousandth', () => {
    const times = new Times();
    const all = Array.from({ length: 500 }, (_, index) => Math.floor(1.05 ** index)).filter((ms) => ms < 1e9);
    for (const ms of all) times.add(ms);
    for (const percent of [1, 10, 50, 90, 99, 100]) {
      const exact = all[Math.max(1, Math.floor((percent * all.length) / 100)) - 1] ?? 0;
      assert.ok(Math.abs(times.percentile(percent) - exact) <= exact / 1000, `${percent}: ${times.percentile(percent)} for ${exact}`);
    }
  });
});

it('every pair of letters that a fault has is known in words', () => {
  for (const fault of Object.values(faults)) assert.notEqual(terminationWords(fault.cause + fault.stage), '', fault.name);
  for (const letters of ['--', 'LR', 'D-', 'K-', 'U-']) assert.notEqual(terminationWords(letters), '', letters);
  assert.equal(terminationWords('xx'), '');
});
