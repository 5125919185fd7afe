/** Cookies and stick tables that keep a client on its server. */
import { comparison } from '../../harness/comparison.ts';
import { get, relayed, seen } from '../../harness/observe.ts';
import { answering, named, ok } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

const withCookie = (name: string) => answering(() => ok(name, `X-Origin: ${name}`, 'Set-Cookie: SRV=own; path=/', 'Set-Cookie: JSESSIONID=abc'));
const origins = () => ({ a: withCookie('a'), b: withCookie('b'), down: named('down') });

comparison('cookie persistence', {
  origins,
  configuration: `
frontend fe
    bind {front}
    use_backend %[path,field(2,/)]
backend insert
    cookie SRV insert
    server a {a} cookie sa
    server b {b} cookie sb
    server d {nobody} cookie sd disabled
    server n {a} weight 0
backend indirect
    cookie SERVERID insert indirect nocache httponly secure domain lab.local
    server a {a} cookie sa
    server b {b} cookie sb
backend rewrite
    cookie SRV rewrite
    server a {a} cookie sa
    server b {b} cookie sb
backend prefix
    cookie JSESSIONID prefix
    server a {a} cookie sa
    server b {b} cookie sb
backend passive
    cookie SRV
    server a {a} cookie own
    server b {b} cookie sb
backend aged
    cookie SERVERID insert indirect maxidle 30m maxlife 8h
    server a {a} cookie sa
    server b {b} cookie sb
backend postonly
    cookie SERVERID insert indirect postonly preserve
    server a {a} cookie sa
    server b {b} cookie sb
`,
}, (situation) => {
  /** First without, then with each cookie line: the answer and what the origin saw. */
  const visits = (backend: string, ...cookies: string[]) => async (site: Site): Promise<unknown[]> => {
    const results: unknown[] = [];
    for (const cookie of ['', ...cookies]) {
      site.origin('a').forget();
      site.origin('b').forget();
      const uri = `/${backend}/${results.length}`;
      const answer = await site.ask('front', get(uri, ...(cookie === '' ? [] : [`Cookie: ${cookie}`])));
      const dated = (text: unknown): unknown => JSON.parse(JSON.stringify(text).replace(/(SERVERID=\w+)\|[\w+/]{5}(\|[\w+/]{5})?/g, (_, start: string, second?: string) => `${start}|DATE${second === undefined ? '' : '|DATE'}`));
      results.push([cookie, dated(relayed(site, answer)), seen(site, 'a'), seen(site, 'b'), await site.logLine(new RegExp(` ${uri} `))]);
    }
    return results;
  };
  situation('insert', visits('insert', 'SRV=sb', 'SRV=sa; other=1', 'other=1; SRV=unknown; last=2', 'SRV=sd'), { shows: ['SRV=sa; path=/', '--NI', '--VD', '--II', '--DI'] });
  situation('insert indirect', visits('indirect', 'SERVERID=sb', 'a=1; SERVERID=sa; b=2', 'SERVERID=gone'), { shows: ['SERVERID=sa; path=/; domain=lab.local; HttpOnly; Secure', '--VN'] });
  situation('rewrite', visits('rewrite', 'SRV=sb'), { shows: 'SRV=s' });
  situation('prefix', visits('prefix', 'JSESSIONID=sb~abc'), { shows: 'JSESSIONID=s' });
  situation('passive', visits('passive', 'SRV=own', 'SRV=sb'), { shows: 'passive/b' });
  situation('maxidle and maxlife', visits('aged'), { shows: 'SERVERID=sa|DATE|DATE' });
  situation('postonly and preserve', visits('postonly'), { shows: '200' });
});

comparison('stick tables', {
  origins: () => ({ a: named('a'), b: named('b') }),
  configuration: `
frontend fe
    bind {front}
    use_backend hdr if { path_beg /hdr }
    use_backend resp if { path_beg /resp }
    default_backend src
backend src
    balance roundrobin
    stick-table type ip size 20k expire 15m
    stick on src
    server a {a}
    server b {b}
backend hdr
    balance roundrobin
    stick-table type string len 32 size 1k expire 1m
    stick on hdr(x-user),lower if { hdr(x-user) -m found }
    server a {a}
    server b {b}
backend resp
    balance roundrobin
    stick-table type string len 32 size 1k expire 1m
    stick store-response res.hdr(x-origin)
    stick match url_param(o)
    server a {a}
    server b {b}
`,
}, (situation) => {
  const from = async (site: Site, address: string): Promise<string> => (await site.ask('front', get('/'), { from: address })).body;
  situation('stick on src', async (site) => {
    const word: string[] = [];
    for (const address of ['127.1.0.1', '127.1.0.2', '127.1.0.1', '127.1.0.1', '127.1.0.2', '127.1.0.3']) word.push(await from(site, address));
    return word;
  }, { shows: /"a",\s*"b",\s*"a",\s*"a",\s*"b",\s*"a"/ });
  situation('stick on a header, only when present', async (site) => {
    const word: string[] = [];
    for (const user of ['ann', 'bob', 'ANN', '', '', 'bob']) word.push((await site.ask('front', get('/hdr', ...(user === '' ? [] : [`X-User: ${user}`])))).body);
    return word;
  }, { shows: /"a",\s*"b",\s*"a",/ });
  situation('store-response and match', async (site) => {
    const word: string[] = [];
    for (const query of ['', '', '?o=a', '?o=a', '?o=b', '?o=zzz']) word.push((await site.ask('front', get(`/resp${query}`))).body);
    return word;
  }, { shows: /"a",\s*"b",\s*"a",\s*"a",\s*"b"/ });
  situation('show table', async (site) => {
    const text = await site.command('show table src');
    return text.replace(/0x[0-9a-f]+/g, '0xADDR').replace(/exp=\d+/g, 'exp=n').split('\n').sort();
  }, { shows: ['# table: src, type: ip, size:20480', 'key=127.1.0.1'] });
});
