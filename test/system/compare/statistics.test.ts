/** The statistics CSV column by column, the statistics page, and the runtime socket. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { comparison } from '../../harness/comparison.ts';
import { readStatistics, type StatRow } from '../../harness/csv.ts';
import { get, post, relayed } from '../../harness/observe.ts';
import { answering, named, ok } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const origins = () => ({ a: answering((request) => (request.startLine.includes('/500') ? 'HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n' : ok('hello'))), b: named('b') });
/** Columns that depend on the clock, the process or the version of the program. */
const moving = new Set(['pid', 'lastchg', 'downtime', 'rate', 'rate_max', 'req_rate', 'req_rate_max', 'conn_rate', 'conn_rate_max', 'check_duration', 'lastsess', 'qtime', 'ctime', 'rtime', 'ttime', 'qtime_max', 'ctime_max', 'rtime_max', 'ttime_max', 'agent_duration']);
/** Fields of `show info` that HAProxy got after 2.6, and our own. */
const laterFields = ['TotalWarnings', 'MaxconnReached', 'BootTime_ms', 'Niced_tasks', 'CurrStreams', 'CumStreams', 'BlockedTrafficWarnings', 'PatternsAdded', 'PatternsFreed', 'NbThreadGroups', 'CountingSince', 'CountingSince_sec'];
/** The last column that management.txt promises; module columns follow in an order of their own. */
const lastPromised = '-';

comparison('the CSV of a small run', {
  origins,
  configuration: `
frontend fe
    bind {front} name clear
    option socket-stats
    monitor-uri /alive
    maxconn 100
    rate-limit sessions 50
    http-request deny if { path /deny }
    use_backend down if { path /down }
    default_backend be
backend be
    balance roundrobin
    cookie S insert indirect
    server s1 {a} cookie one weight 10 maxconn 50
    server s2 {b} cookie two weight 0 disabled
    server s3 {a} backup
backend down
    retries 1
    timeout connect 50ms
    server s1 {nobody}
backend unused
    mode tcp
    server s1 {b} check inter 60s
listen both
    bind {both}
    mode tcp
    balance leastconn
    server s1 {b}
`,
}, (situation) => {
  situation('every promised column of every row', async (site) => {
    for (const uri of ['/1', '/2', '/500', '/deny', '/down', '/alive']) {
      await site.ask('front', get(uri, 'Connection: close'));
      // So that no connection meets the next: the highest numbers are compared too.
      await sleep(30);
    }
    await site.ask('front', post('/post', 'a body of some length', 'Connection: close'));
    await site.everything('front', 'rubbish\r\n\r\n');
    await site.ask('both', get('/tcp', 'Connection: close'));
    await sleep(300);
    const { columns, rows } = readStatistics(await site.command('show stat'));
    const promised = columns.slice(0, columns.includes(lastPromised) ? columns.indexOf(lastPromised) : columns.length);
    // HAProxy 2.6's own columns; later ones follow them.
    const common = promised.slice(0, promised.indexOf('srid') < 0 ? promised.length : promised.indexOf('srid'));
    // Bytes of HTTP are counted differently on purpose; those of mode tcp are compared.
    const isCompared = (row: StatRow, column: string): boolean => !moving.has(column) && !((column === 'bin' || column === 'bout') && row['pxname'] !== 'both');
    return { common, cells: rows.flatMap((row) => common.filter((column) => isCompared(row, column)).map((column) => `${row['pxname']}/${row['svname']} ${column}=${site.anonymous(row[column] ?? '')}`)) };
  }, { shows: ['fe/FRONTEND stot=', 'be/s3 bck=1', 'fe/clear type=3'] });
  situation('show stat by proxy, kind and server', async (site) => {
    const rows = async (command: string): Promise<string[]> => readStatistics(await site.command(command)).rows.map((row) => `${row['pxname']}/${row['svname']}`);
    return [await rows('show stat -1 1 -1'), await rows('show stat -1 2 -1'), await rows('show stat -1 4 -1'), await rows('show stat be 4 -1'), await rows('show stat up')];
  }, { shows: 'be/s2' });
});

comparison('the statistics page', {
  origins,
  configuration: `
frontend fe
    bind {front}
    default_backend be
backend be
    server s1 {a}
listen stats
    bind {stats}
    stats enable
    stats uri /haproxy
    stats realm HAProxy\\ Statistics
    stats auth admin:lab
    stats refresh 5s
    stats hide-version
    stats admin if { src 127.0.0.0/8 }
listen open
    bind {open}
    stats enable
    stats uri /
    stats scope be
`,
}, (situation) => {
  const auth = `Authorization: Basic ${Buffer.from('admin:lab').toString('base64')}`;
  const heads = (message: { startLine: string; lines: readonly string[] }): unknown => [message.startLine, message.lines.slice(1).map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())).filter((line) => !/^(content-length|transfer-encoding|date|vary|etag)/.test(line)).sort()];
  situation('asks for a password', async (site) => {
    const refused = await site.ask('stats', get('/haproxy'));
    const wrong = await site.ask('stats', get('/haproxy', `Authorization: Basic ${Buffer.from('admin:wrong').toString('base64')}`));
    return [heads(refused), refused.body, heads(wrong)];
  }, { shows: ['401', 'HAProxy Statistics'] });
  situation('heads of the page and the CSV', async (site) => [heads(await site.ask('stats', get('/haproxy', auth))), heads(await site.ask('stats', get('/haproxy;csv', auth))), heads(await site.ask('stats', get('/haproxy;norefresh', auth)))], { shows: ['text/html', 'text/plain', 'refresh: 5'] });
  situation('the page names its services and keeps what tools look for', async (site) => {
    const { body } = await site.ask('stats', get('/haproxy', auth));
    return ['<title>Statistics Report', 'name="fe"', 'be/s1', 'uptime = </b>', 'idle = ', 'pid = </b>', 'HAProxy version', 'Choose the action', 'name="action"'].map((word) => `${word}: ${body.includes(word)}`);
  }, { shows: ['be/s1: true', 'idle = : true'] });
  situation('elsewhere and log line', async (site) => {
    const other = await site.ask('stats', get('/else', auth));
    await site.ask('stats', get('/haproxy?x', auth));
    return [other.startLine, other.body, (await site.logLine(/\/haproxy\?x/)).replace(/ 200 \d+ /, ' 200 n ')];
  }, { shows: ['503', '<STATS>'] });
  situation('the CSV is that of the socket', async (site) => {
    const page = readStatistics((await site.ask('stats', get('/haproxy;csv', auth))).body);
    const socket = readStatistics(await site.command('show stat'));
    return [page.columns.join() === socket.columns.join(), page.rows.map((row) => `${row['pxname']}/${row['svname']}`)];
  }, { shows: 'true' });
  situation('scope', async (site) => readStatistics((await site.ask('open', get('/;csv'))).body).rows.map((row) => row['pxname']), { shows: '"be"' });
  situation('administration form', async (site) => {
    const answer = await site.ask('stats', post('/haproxy', 's=s1&action=maint&b=be', auth, 'Content-Type: application/x-www-form-urlencoded'));
    const status = readStatistics(await site.command('show stat be 4 -1')).rows[0]?.['status'];
    await site.ask('stats', post('/haproxy', 's=s1&action=ready&b=be', auth, 'Content-Type: application/x-www-form-urlencoded'));
    return [relayed(site, answer), status, readStatistics(await site.command('show stat be 4 -1')).rows[0]?.['status']];
  }, { shows: ['303', 'MAINT', 'st=DONE'] });
});

comparison('statistics in other forms', {
  origins,
  configuration: `
frontend fe
    bind {front}
    http-request use-service prometheus-exporter if { path /metrics }
    stats enable
    stats uri /stats
    default_backend be
backend be
    server s1 {a} check inter 60s
`,
}, (situation) => {
  /** What 2.6 exports and was renamed or given up since. */
  const names = (text: string): string[] => [...new Set([...text.matchAll(/^(haproxy_\w+)/gm)].map((found) => found[1] ?? ''))].sort();
  situation('Prometheus: type lines and samples', async (site) => {
    const answer = await site.ask('front', get('/metrics?scope=frontend&scope=server', 'Connection: close'));
    const wanted = /^(haproxy_(frontend_(status|http_responses_total|bytes_in_total|current_sessions|limit_sessions)|server_(status|check_status|weight|http_responses_total)))(?=[{ ])/;
    return [answer.header('content-type'), answer.body.split('\n').filter((line) => wanted.test(line) || (line.startsWith('# TYPE') && wanted.test(line.slice(7)))).map((line) => line.replace(/(bytes_in_total|http_responses_total|requests_total|check_status)(\{.*\}) .*/, '$1$2 n'))];
  }, { shows: 'haproxy_server_status' });
  situation('Prometheus: scopes', async (site) => {
    const scopes: string[] = [];
    for (const scope of ['global', 'frontend', 'backend', 'server', 'none']) {
      const found = names((await site.ask('front', get(`/metrics?scope=${scope}`, 'Connection: close'))).body);
      scopes.push(`${scope}: ${[...new Set(found.map((name) => name.split('_')[1]))].join(' ')}`);
    }
    return scopes;
  }, { shows: 'server: server' });
  situation('JSON', async (site) => {
    const rows = JSON.parse((await site.ask('front', get('/stats;json'))).body) as { objType: string; field: { name: string } }[][];
    return rows.map((row) => [row[0]?.objType, row.find((cell) => cell.field.name === 'svname'), row.find((cell) => cell.field.name === 'weight')].map((cell) => JSON.stringify(cell)));
  }, { shows: 'objType' });
  situation('typed', async (site) => (await site.command('show stat typed')).split('\n').filter((line) => /\.(pxname|svname|status|weight|type|mode)\.1:/.test(line)).map((line) => line.replace(/:[A-Za-z]{3,4}:/, ':TAGS:')), { shows: 'pxname.1:TAGS:str:fe' });
  situation('show info typed', async (site) => (await site.command('show info typed')).split('\n').slice(0, 1), { shows: '0.Name.1:POS:str:HAProxy' });
});

comparison('the runtime socket', {
  origins,
  configuration: `
frontend fe
    bind {front}
    default_backend be
backend be
    balance roundrobin
    server s1 {a} weight 10
    server s2 {b} weight 20 check inter 60s
`,
}, (situation) => {
  const commands = (...lines: string[]) => async (site: Site): Promise<string[]> => {
    const answers: string[] = [];
    for (const line of lines) answers.push(`${line} → ${site.anonymous(await site.command(line))}`);
    return answers;
  };
  situation('weights', commands('get weight be/s1', 'set weight be/s1 50%', 'get weight be/s1', 'set weight be/s1 100', 'get weight be/s1', 'set weight be/s1 1000', 'set weight be/s1 300%', 'set weight be/none 1', 'set weight nowhere/s1 1', 'set weight be', 'set weight be/s1 100%'), { shows: ['10 (initial 10)', 'No such server'] });
  situation('disable, enable, states', async (site) => {
    const states = async (): Promise<string[]> => readStatistics(await site.command('show stat be 4 -1')).rows.map((row) => `${row['svname']}=${row['status']}`);
    const seenStates: unknown[] = [];
    for (const line of ['disable server be/s1', 'enable server be/s1', 'set server be/s1 state drain', 'set server be/s1 state ready', 'set server be/s1 state maint', 'set server be/s1 state ready', 'set server be/s1 weight 5', 'set server be/s2 health down', 'set server be/s2 health up', 'set server be/s1 state nonsense', 'set server be/s1', 'disable server', 'disable server x/y']) {
      seenStates.push([line, await site.command(line), await states()]);
    }
    return seenStates;
  }, { shows: ['s1=MAINT', 's1=DRAIN', 's2=DOWN'] });
  situation('several commands in one line, CRLF, empty lines', async (site) => [
    (await site.command('get weight be/s1; get weight be/s2')), (await site.command('get weight be/s1;get weight be/s2\r\n')), (await site.command('\n')).split('\n')[0], (await site.command('set weight be/s1 x')).trim(),
    (await site.command('show info;show stat\r\n')).split('\n\n').length,
  ], { shows: 'initial 10' });
  situation('show servers state', async (site) => (site.anonymous(await site.command('show servers state'))).replace(/ (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) - /g, (numbers) => numbers).split('\n').map((line) => {
    const words = line.split(' ');
    if (words.length > 9 && /^\d/.test(line)) words[9] = 'n';
    return words.join(' ');
  }), { shows: '# be_id be_name srv_id' });
  situation('show info has every field', async (site) => (await site.command('show info')).split('\n').map((line) => line.split(':')[0]), {
    shows: ['Name', 'Run_queue', 'node'],
    differs: { id: 'show-info-fields', poise: (fields: string[]) => [...fields.slice(0, -2).map((field) => field.replace('Splicded', 'Spliced')), ...laterFields, '', ''] },
  });
  situation('unknown commands and empty arguments', async (site) => [(await site.command('foo')).slice(0, 15), (await site.command('show nonsense')).split('\n')[0], await site.command('show errors').then((text) => text.split('\n')[0]?.replace(/\[.*?\]/, '[DATE]'))], { shows: 'Unknown command' });
  situation('prompt mode', async (site) => {
    const text = await new Promise<string>((resolve) => {
      let got = '';
      const socket = connect(join(site.place.folder, 'admin.sock'));
      socket.on('data', (chunk) => { got += chunk.toString('latin1'); });
      socket.on('close', () => resolve(got));
      socket.write('prompt\n');
      setTimeout(() => socket.write('get weight be/s1\n'), 60);
      setTimeout(() => socket.write('quit\n'), 180);
    });
    return text;
  }, { shows: '> ' });
  situation('a client that half-closes gets its answer', async (site) => new Promise<string>((resolve) => {
    let got = '';
    const socket = connect({ path: join(site.place.folder, 'admin.sock'), allowHalfOpen: true });
    socket.on('data', (chunk) => { got += chunk.toString('latin1'); });
    socket.on('end', () => { socket.end(); resolve(got); });
    socket.end('get weight be/s2\n');
  }), { shows: '20 (initial 20)' });
});
