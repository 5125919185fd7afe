/** Which server gets the request: algorithms, weights, hashes, persistence. */
import { comparison } from '../../harness/comparison.ts';
import { get } from '../../harness/observe.ts';
import { answering, named, ok } from '../../harness/origin.ts';
import { sleep } from '../../harness/place.ts';
import type { Site } from '../../harness/site.ts';

const origins = () => ({ a: named('a'), b: named('b'), c: named('c') });
const servers = (options: readonly string[] = ['', '', '']): string => ['a', 'b', 'c'].map((name, index) => `    server ${name} {${name}} ${options[index] ?? ''}\n`).join('');

/** The origins that answered, as one word. */
const order = (uri: (n: number) => string, count: number, headers: (n: number) => string[] = () => []) => async (site: Site): Promise<string> => {
  let word = '';
  for (let n = 0; n < count; n++) word += (await site.ask('front', get(uri(n), ...headers(n)))).header('x-origin') ?? '-';
  return word;
};

comparison('turns and weights', {
  origins,
  configuration: `
frontend fe
    bind {front}
    use_backend %[path,field(2,/)]
backend rr
    balance roundrobin
${servers()}
backend weighted
    balance roundrobin
${servers(['weight 1', 'weight 2', 'weight 5'])}
backend big
    balance roundrobin
${servers(['weight 100', 'weight 50', 'weight 0'])}
backend static
    balance static-rr
${servers(['weight 1', 'weight 2', 'weight 3'])}
backend first
    balance first
${servers(['maxconn 10', '', ''])}
backend backup
    balance roundrobin
${servers(['disabled', 'backup', 'backup'])}
backend allbackups
    balance roundrobin
    option allbackups
${servers(['disabled', 'backup', 'backup weight 2'])}
backend default
${servers()}
`,
}, (situation) => {
  situation('roundrobin', order(() => '/rr', 7), { shows: 'abcabca' });
  situation('roundrobin by weight, smoothly', order(() => '/weighted', 16), { shows: /c/ });
  situation('roundrobin with large weights', order(() => '/big', 12), { shows: /^"[ab]+"$/ });
  situation('static-rr', order(() => '/static', 12), { shows: /c/ });
  situation('first', order(() => '/first', 5), { shows: 'aaaaa' });
  situation('backup: only the first one', order(() => '/backup', 4), { shows: 'bbbb' });
  situation('option allbackups', order(() => '/allbackups', 9), { shows: 'c' });
  situation('roundrobin is the default', order(() => '/default', 4), { shows: 'abca' });
});

const fivePaths = ['/owa/', '/ews/exchange.asmx', '/mapi/emsmdb/?MailboxId=7', '/oab/x/y/z.xml', '/rpc/rpcproxy.dll?a:6001', '/', '/a', '/b', '/c', '/d', '/e', '/f', '/autodiscover/autodiscover.xml', '/Microsoft-Server-ActiveSync?Cmd=Ping&User=x'];
comparison('hashes', {
  origins,
  configuration: `
frontend fe
    bind {front}
    use_backend %[hdr(x-be)]
backend uri
    balance uri
${servers()}
backend uriconsistent
    balance uri
    hash-type consistent
${servers(['weight 1', 'weight 2', 'weight 3'])}
backend urilen
    balance uri len 4
${servers()}
backend uridepth
    balance uri depth 1
    hash-type map-based djb2 avalanche
${servers()}
backend uriwhole
    balance uri whole
    hash-type consistent crc32
${servers()}
backend param
    balance url_param User
    hash-type map-based wt6
${servers(['weight 10', 'weight 20', 'weight 30'])}
backend header
    balance hdr(X-Key)
    hash-type consistent djb2 avalanche
${servers()}
backend domain
    balance hdr(Host) use_domain_only
${servers()}
backend source
    balance source
${servers()}
backend sourceconsistent
    balance source
    hash-type consistent
${servers()}
`,
}, (situation) => {
  const through = (backend: string) => order((n) => fivePaths[n] ?? '/', fivePaths.length, () => [`X-Be: ${backend}`]);
  const keyed = (backend: string) => order((n) => `/x?User=user${n}`, 12, (n) => [`X-Be: ${backend}`, `X-Key: key-${n}`]);
  const fromEverywhere = (backend: string) => async (site: Site): Promise<string> => {
    let word = '';
    for (let n = 1; n <= 14; n++) word += (await site.ask('front', get('/', `X-Be: ${backend}`), { from: `127.${n}.${n * 7 % 250}.${1 + n * n}` })).header('x-origin') ?? '-';
    return word;
  };
  for (const backend of ['uri', 'uriconsistent', 'urilen', 'uridepth', 'uriwhole']) situation(`balance ${backend}`, through(backend), { shows: /[abc]{14}/ });
  situation('balance url_param', keyed('param'), { shows: /[abc]{12}/ });
  situation('balance hdr', keyed('header'), { shows: /[abc]{12}/ });
  situation('balance source', fromEverywhere('source'), { shows: /[abc]{14}/ });
  situation('balance source, consistent', fromEverywhere('sourceconsistent'), { shows: /[abc]{14}/ });
  situation('a missing key takes turns', order(() => '/', 4, () => ['X-Be: header']), { shows: /[abc]{4}/ });
});

comparison('leastconn', {
  origins: () => Object.fromEntries(['a', 'b', 'c'].map((name) => [name, answering(async (request) => { if (request.startLine.includes('slow')) await sleep(300); return ok(name, `X-Origin: ${name}`); })])),
  configuration: `
frontend fe
    bind {front}
    default_backend be
backend be
    balance leastconn
${servers()}
`,
}, (situation) => {
  situation('the least loaded server is chosen', async (site) => {
    const slow = await Promise.all([0, 1].map(async (n) => { await sleep(n * 40); return site.ask('front', get('/slow')); }).concat((async () => { await sleep(100); return site.ask('front', get('/quick')); })()));
    return slow.map((answer) => answer.header('x-origin'));
  }, { shows: /"a",\s*"b",\s*"c"/ });
});
