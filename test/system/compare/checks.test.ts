/** Health checks: results, their words in the statistics, the log lines, what they do to traffic. */
import { BlackHole } from '../../harness/black-hole.ts';
import { comparison } from '../../harness/comparison.ts';
import { statRow, type StatRow } from '../../harness/csv.ts';
import { get } from '../../harness/observe.ts';
import { answering, named, ok, Origin } from '../../harness/origin.ts';
import { eventually, sleep } from '../../harness/place.ts';
import { certificate } from '../../harness/certificates.ts';
import { readFileSync } from 'node:fs';
import type { Site } from '../../harness/site.ts';

const tls = () => ({ tls: { cert: readFileSync(certificate(['lab.local']).certificate), key: readFileSync(certificate(['lab.local']).key) } });

/** Check columns of a server's row once its first check has ended. */
async function checked(site: Site, backend: string, server = 's1', until: (row: StatRow) => boolean = () => true): Promise<StatRow> {
  return eventually(`check of ${backend}/${server}`, async () => {
    const row = statRow(await site.command('show stat'), backend, server);
    // `* ` says that a check is running: HAProxy has then forgotten the code and the text of the last one.
    const status = (row['check_status'] ?? '').replace('* ', '');
    const settled = { ...row, check_status: status };
    const isResult = status !== '' && status !== 'INI' && (status === row['check_status'] || status.endsWith('TOUT'));
    return isResult && until(settled) ? settled : null;
  }, 6000);
}
const columns = ['status', 'check_status', 'check_code', 'last_chk', 'check_desc', 'check_rise', 'check_fall', 'check_health', 'weight', 'act', 'bck', 'chkfail', 'chkdown'];
const pick = (row: StatRow): Record<string, string> => Object.fromEntries(columns.map((column) => [column, row[column] ?? '']));
/** How often checks failed depends on how busy the machine is; what they ended in does not. */
const result = (backend: string, checkStatus: string) => async (site: Site) => {
  const { chkfail: _, chkdown: __, ...row } = pick(await checked(site, backend, 's1', (one) => one['check_status'] === checkStatus && /^(UP|DOWN)$/.test(one['status'] ?? '')));
  return row;
};

const silent = () => new Origin(async () => { await sleep(5000); });
const raw = (answer: string) => new Origin(async (connection) => { await connection.until(/\r\n\r\n/).catch(() => {}); connection.send(answer); connection.end(); });

comparison('check results', {
  origins: () => ({
    fine: answering((request) => ok('200 OK<br/>LAB-EX01', 'X-Seen: ' + request.startLine)),
    broken: answering(() => 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'),
    moved: answering(() => 'HTTP/1.1 302 Found\r\nLocation: /owa\r\nContent-Length: 0\r\n\r\n'),
    hole: new BlackHole(), silent: silent(), rubbish: raw('rubbish\r\n\r\n'), closing: new Origin((connection) => { connection.end(); }),
    secure: answering(() => ok('fine'), tls()),
    junk: new Origin(async (connection) => { await connection.until(/[^]/).catch(() => {}); connection.send('rubbish\r\n'); connection.end(); }),
    smtp: new Origin(async (connection) => {
      connection.send('220 mail ESMTP\r\n');
      for (;;) {
        const line = await connection.until(/\r\n/).catch(() => 'QUIT');
        connection.send(line.startsWith('QUIT') ? '221 bye\r\n' : '250 fine\r\n');
        if (line.startsWith('QUIT')) break;
      }
      connection.end();
    }),
  }),
  configuration: `
defaults
    mode http
    log global
    timeout connect 300ms
    timeout check 300ms
    timeout client 2s
    timeout server 2s
    default-server check inter 150ms fall 1 rise 1
frontend fe
    bind {front}
    default_backend l4ok
backend l4ok
    server s1 {fine}
backend l4con
    server s1 {nobody}
backend l4tout
    server s1 {hole}
backend l6ok
    mode tcp
    server s1 {secure} check-ssl verify none
backend l6rsp
    mode tcp
    server s1 {junk} check-ssl verify none
backend hello
    option ssl-hello-chk
    server s1 {secure}
backend hellobad
    option ssl-hello-chk
    server s1 {junk}
backend l7ok
    option httpchk GET /owa/healthcheck.htm
    http-check expect status 200
    server s1 {fine}
backend l7sts
    option httpchk
    server s1 {broken}
backend l7moved
    option httpchk
    server s1 {moved}
backend l7tout
    option httpchk
    server s1 {silent}
backend l7rsp
    option httpchk
    server s1 {rubbish}
backend l7closed
    option httpchk
    server s1 {closing}
backend l7ssl
    option httpchk GET /x
    server s1 {secure} ssl verify none sni str(lab.local) check-sni lab.local
backend l7status
    option httpchk
    http-check expect status 200
    server s1 {moved}
backend l7string
    option httpchk
    http-check expect string 200\\ OK
    server s1 {fine}
backend l7nostring
    option httpchk
    http-check expect string SOMETHING
    server s1 {fine}
backend l7rstatus
    option httpchk
    http-check expect ! rstatus ^5
    server s1 {broken}
backend l7rstring
    option httpchk
    http-check expect rstring LAB-EX0[0-9]
    server s1 {fine}
backend l7not
    option httpchk
    http-check expect ! string LAB-EX01
    server s1 {fine}
backend l7404
    option httpchk
    http-check disable-on-404
    server s1 {moved}
backend l7post
    option httpchk
    http-check send meth POST uri /probe ver HTTP/1.1 hdr Host probe.lab hdr X-A b body data
    http-check expect status 200-299
    server s1 {fine}
backend smtp
    option smtpchk EHLO lab.local
    server s1 {smtp}
backend other
    server s1 {nobody} port {fine.port} addr {addr}
backend tracking
    server s1 {nobody} no-check track l7sts/s1
backend tcpcheck
    option tcp-check
    tcp-check connect
    tcp-check send QUIT\\r\\n
    tcp-check expect string 220
    server s1 {smtp}
`,
}, (situation) => {
  situation('L4OK', result('l4ok', 'L4OK'), { shows: ['L4OK', 'UP'] });
  situation('L4CON', result('l4con', 'L4CON'), { shows: 'L4CON' });
  situation('L4TOUT', result('l4tout', 'L4TOUT'), { shows: 'L4TOUT' });
  situation('L6OK', result('l6ok', 'L6OK'), { shows: 'L6OK' });
  situation('L6RSP', async (site) => (await checked(site, 'l6rsp', 's1', (row) => row['status'] === 'DOWN'))['check_status'], { shows: 'L6RSP' });
  situation('ssl-hello-chk', result('hello', 'L6OK'), { shows: 'L6OK' });
  situation('ssl-hello-chk, not TLS', result('hellobad', 'L6RSP'), { shows: 'L6RSP' });
  situation('L7OK', result('l7ok', 'L7OK'), { shows: 'L7OK' });
  situation('L7STS', result('l7sts', 'L7STS'), { shows: ['L7STS', '503'] });
  situation('302 passes without expect', result('l7moved', 'L7OK'), { shows: 'L7OK' });
  situation('302 fails with expect status 200', result('l7status', 'L7STS'), { shows: ['L7STS', '302'] });
  situation('L7TOUT', result('l7tout', 'L7TOUT'), { shows: 'L7TOUT' });
  situation('L7RSP on rubbish', result('l7rsp', 'L7RSP'), { shows: 'L7RSP' });
  situation('closed without an answer', result('l7closed', 'L7RSP'), { shows: 'DOWN' });
  situation('HTTP over TLS', result('l7ssl', 'L7OK'), { shows: 'L7OK' });
  situation('expect string found', result('l7string', 'L7OK'), { shows: 'L7OK' });
  situation('expect string missing', result('l7nostring', 'L7RSP'), { shows: 'L7RSP' });
  situation('expect ! rstatus', result('l7rstatus', 'L7STS'), { shows: 'L7STS' });
  situation('expect rstring and ! string', async (site) => [await result('l7rstring', 'L7OK')(site), await result('l7not', 'L7RSP')(site)], { shows: 'L7RSP' });
  situation('http-check send', result('l7post', 'L7OK'), { shows: 'L7OK' });
  situation('smtp', result('smtp', 'L7OK'), { shows: 'L7OK' });
  situation('another port and address', result('other', 'L4OK'), { shows: 'L4OK' });
  situation('track', async (site) => { await checked(site, 'l7sts', 's1', (row) => row['status'] === 'DOWN'); const { chkfail: _, chkdown: __, ...row } = pick(statRow(await site.command('show stat'), 'tracking', 's1')); return row; }, { shows: 'DOWN' });
  situation('tcp-check', result('tcpcheck', 'L7OK'), { shows: 'L7OK' });
  situation('what probes look like', async (site) => {
    const requests = site.origin('fine').requests;
    await eventually('probes', () => requests.length > 12);
    return [...new Set(requests.map((request) => site.anonymous(request.raw.replace(/^content-length/im, 'content-length')).toLowerCase()))].sort();
  }, { shows: ['get /owa/healthcheck.htm http/1.0', 'post /probe'] });
});

comparison('servers that go and come', {
  origins: () => ({
    a: answering((request) => (request.startLine.includes('/check') ? ok('200 OK') : ok('a'))),
    b: named('b'),
  }),
  configuration: `
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    timeout check 2s
frontend fe
    bind {front}
    acl few nbsrv(be) lt 1
    http-request return status 500 content-type text/plain string "few" if few
    default_backend be
backend be
    option httpchk GET /check
    option log-health-checks
    http-check disable-on-404
    http-check expect status 200
    server s1 {a} check inter 150ms fastinter 100ms downinter 100ms rise 2 fall 2
`,
}, (situation) => {
  const health = (line: string): string => line.replace(/check duration: \d+ms/, 'check duration: nms').replace(/\d+ms,/, 'nms,');
  situation('fails, goes down, comes back: log lines and statistics', async (site) => {
    const status = (wanted: string) => eventually(wanted, async () => statRow(await site.command('show stat'), 'be', 's1')['status'] === wanted, 6000);
    await status('UP');
    const answering404 = site.origin('a').script;
    const states: string[] = [];
    site.origin('a').script = async (connection) => { await connection.request(); connection.send('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'); connection.end(); };
    await status('DOWN');
    const answer = await site.ask('front', get('/'));
    states.push(`${answer.status} ${answer.body}`);
    site.origin('a').script = answering404;
    await status('UP');
    await sleep(50);
    states.push((await site.ask('front', get('/'))).body);
    return [states, (await site.logLines(/Health check|Server be|backend be/, 8).catch(async () => site.logLines(/Health check|Server be|backend be/, 7))).map(health)];
  }, { shows: ['500 few', 'is DOWN', 'is UP', 'has no server available'] });
});

comparison('404 as a way to leave softly', {
  origins: () => ({ a: answering((request) => (request.startLine.includes('/check') ? 'HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n' : ok('a'))), b: named('b') }),
  configuration: `
defaults
    mode http
    log global
    option httplog
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    timeout check 2s
frontend fe
    bind {front}
    default_backend be
backend be
    balance roundrobin
    cookie S insert indirect
    option httpchk GET /check
    http-check disable-on-404
    server s1 {a} check inter 100ms rise 1 fall 1 cookie a
    server s2 {b} check inter 100ms rise 1 fall 1 cookie b
`,
}, (situation) => {
  situation('NOLB takes only its own clients', async (site) => {
    const row = await checked(site, 'be', 's1', (one) => one['status'] === 'NOLB');
    const strangers = [await site.ask('front', get('/')), await site.ask('front', get('/'))];
    const own = await site.ask('front', get('/', 'Cookie: S=a'));
    return [pick(row), strangers.map((answer) => answer.body), own.body];
  }, { shows: ['NOLB', 'L7OKC', '"a"'] });
});

comparison('observed traffic and shutdown-sessions', {
  origins: () => ({
    a: answering((request) => (request.startLine.includes('/bad') ? 'HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n' : ok('a'))),
    long: new Origin(async (connection) => { await connection.until(/\r\n\r\n/); connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nstart'); await sleep(4000); }),
  }),
  configuration: `
frontend fe
    bind {front}
    use_backend cut if { path_beg /cut }
    default_backend be
backend be
    server s1 {a} check inter 60s observe layer7 error-limit 3 on-error mark-down
backend cut
    server s1 {long} check inter 60s on-marked-down shutdown-sessions
`,
}, (situation) => {
  situation('error-limit marks a server down', async (site) => {
    await checked(site, 'be');
    const statuses: number[] = [];
    for (let n = 0; n < 5; n++) {
      statuses.push((await site.ask('front', get('/bad'))).status);
      // The third fault reaches the limit.
      if (n === 2) await checked(site, 'be', 's1', (row) => row['status'] === 'DOWN');
    }
    return [statuses, pick(await checked(site, 'be', 's1', (row) => row['status'] === 'DOWN')), (await site.logLine(/Server be\/s1 is DOWN/)).replace(/\d+ sessions active/, 'n sessions active')];
  }, { shows: ['503', 'HANA'] });
  situation('shutdown-sessions', async (site) => {
    const client = await site.client('front');
    await client.send(get('/cut')).until(/start/);
    await site.command('set server cut/s1 health down');
    const rest = await client.rest(2000);
    return [rest.ending, await site.logLine(/\/cut /)];
  }, { shows: 'DD--' });
});
