/** Which backend a request goes to: kinds of ACLs, how they combine, maps, dynamic names. */
import { comparison } from '../../harness/comparison.ts';
import { get } from '../../harness/observe.ts';
import { named } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

/** Asks each in turn; gives `uri → origin`. Words after the URI are header lines. */
function places(...requests: (string | [string, ...string[]])[]) {
  return async (site: Site): Promise<string[]> => {
    const answers: string[] = [];
    for (const request of requests) {
      const [uri, ...headers] = [request].flat() as [string, ...string[]];
      const answer = await site.ask('front', get(uri, ...headers));
      answers.push(`${[uri, ...headers].join(' ')} → ${answer.status} ${answer.header('x-origin') ?? ''}`);
    }
    return answers;
  };
}

const origins = () => ({ a: named('a'), b: named('b'), c: named('c'), other: named('other') });
const backends = `
backend a
    server s1 {a}
backend b
    server s1 {b}
backend c
    server s1 {c}
backend other
    server s1 {other}
`;

comparison('routing by path', {
  origins,
  configuration: `
frontend fe
    bind {front}
    acl beg path_beg /owa
    acl begi path_beg -i /EWS
    acl end path_end .htm .HTM
    acl dir path_dir oab
    acl sub path_sub secret
    acl len path_len 40
    acl reg path_reg ^/reg/[0-9]+$
    acl one path /exact /alsoexact
    acl late path /late/1
    use_backend a if beg or begi
    use_backend a if late
    acl late path /late/2
    use_backend b if end || dir
    use_backend c if sub
    use_backend c if len
    use_backend a if reg
    use_backend b if one
    default_backend other
${backends}`,
}, (situation) => {
  situation('path_beg, -i and default', places('/owa/x', '/OWA/x', '/owax', '/ews/', '/eWs', '/'), { shows: ['/owa/x → 200 a', '/OWA/x → 200 other', '/eWs → 200 a'] });
  situation('path_end, path_dir, path_sub', places('/x.htm', '/x.HTM?y=1', '/x.Htm', '/a/oab/b', '/oab', '/oabx', '/a-secret-b', '/x?secret'), { shows: ['/x.htm → 200 b', '/a/oab/b → 200 b', '/x?secret → 200 other'] });
  situation('path_len, path_reg, path', places(`/${'x'.repeat(39)}`, `/${'x'.repeat(40)}`, '/reg/12', '/reg/12a', '/exact', '/alsoexact?x', '/exact/'), { shows: ['/reg/12 → 200 a', '/reg/12a → 200 other', '/exact → 200 b'] });
  situation('a further line of an ACL counts in the rules above it', places('/late/1', '/late/2', '/late/3'), { shows: ['/late/1 → 200 a', '/late/2 → 200 a', '/late/3 → 200 other'] });
  situation('escapes in the path are not decoded', places('/%6fwa', '/owa%2Fx', '//owa', '/./owa', '/a/../owa'), { shows: ['/%6fwa → 200 other', '//owa → 200 other'] });
  situation('absolute-form target', places('http://lab.local/owa/', 'http://lab.local/x.htm'), { shows: ['http://lab.local/owa/ → 200 a'] });
});

comparison('routing by url', {
  origins,
  configuration: `
frontend fe
    bind {front}
    acl autodiscover url_beg /Autodiscover
    acl autodiscover url_beg /autodiscover
    acl owa url_reg (?i)\\/owa
    acl q urlp(svc) ews
    acl qm url_param(svc) -m beg oa
    acl dom url_dom lab
    use_backend a if autodiscover
    use_backend b if owa
    use_backend c if q or qm
    default_backend other
${backends}`,
}, (situation) => {
  situation('lines of one name are alternatives', places('/Autodiscover/x', '/autodiscover', '/AutoDiscover', '/AUTODISCOVER'), { shows: ['/Autodiscover/x → 200 a', '/autodiscover → 200 a', '/AutoDiscover → 200 other'] });
  situation('the article\'s regular expression matches anywhere and in any case', places('/OwA/', '/x/owa', '/x?y=/owa', '/ow'), { shows: ['/OwA/ → 200 b', '/x?y=/owa → 200 b'] });
  situation('url_param', places('/x?svc=ews', '/x?a=1&svc=ews', '/x?svc=EWS', '/x?svc=oab', '/x?xsvc=ews', '/x?svc='), { shows: ['/x?svc=ews → 200 c', '/x?xsvc=ews → 200 other'] });
});

comparison('routing by header, method, source', {
  origins,
  configuration: `
frontend fe
    bind {front}
    acl host_a hdr(host) -i a.lab.local
    acl host_b hdr_dom(host) -i b.lab
    acl host_c hdr_beg(host) -i c.
    acl agent hdr_sub(user-agent) -i outlook msrpc
    acl agent_cnt hdr_cnt(x-many) gt 2
    acl second hdr(x-many,2) two
    acl last hdr(x-many,-1) end
    acl val hdr_val(x-number) ge 10
    acl exists hdr(x-exists) -m found
    acl from_net src 127.5.0.0/16
    acl rpc method RPC_IN_DATA RPC_OUT_DATA
    acl cook cook(route) b
    acl old req.ver 1.0
    use_backend a if host_a
    use_backend b if host_b
    use_backend c if host_c !agent
    use_backend a if agent
    use_backend b if agent_cnt
    use_backend c if second
    use_backend a if last
    use_backend b if val
    use_backend c if exists
    use_backend a if from_net
    use_backend b if rpc
    use_backend c if cook
    use_backend a if old
    default_backend other
${backends}`,
}, (situation) => {
  const host = (name: string, ...rest: string[]) => async (site: Site) => {
    const answer = await site.ask('front', [`GET / HTTP/1.1`, `Host: ${name}`, ...rest, '', ''].join('\r\n'));
    return `${name} → ${answer.header('x-origin')}`;
  };
  situation('host exactly', host('A.lab.local'), { shows: '→ a' });
  situation('host with port is another host', host('a.lab.local:8080'), { shows: '→ other' });
  situation('host by domain', host('www.B.LAB.local'), { shows: '→ b' });
  situation('conditions are joined by and, ! negates', host('c.lab.local', 'User-Agent: Microsoft Outlook 15'), { shows: '→ a' });
  situation('header by occurrence, count, number and presence', places(['/', 'X-Many: one, two'], ['/', 'X-Many: one', 'X-Many: two'], ['/', 'X-Many: 1,2,3'], ['/', 'X-Many: x', 'X-Many: y,end'], ['/', 'X-Number: 10'], ['/', 'X-Number: 9'], ['/', 'X-Exists:'], ['/', 'X-Exists: y']), { shows: ['X-Many: one, two → 200 c', 'X-Number: 9 → 200 other', 'X-Exists: y → 200 c'] });
  situation('cookie', places(['/', 'Cookie: a=1; route=b; c=2'], ['/', 'Cookie: route=bb'], ['/', 'Cookie: xroute=b'], ['/', 'Cookie: route="b"']), { shows: ['c=2 → 200 c', 'route=bb → 200 other'] });
  situation('source network', async (site) => (await site.ask('front', get('/'), { from: '127.5.6.7' })).header('x-origin'), { shows: '"a"' });
  situation('method and version', async (site) => {
    const rpc = await site.ask('front', 'RPC_IN_DATA /rpc/rpcproxy.dll HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    const old = await site.ask('front', 'GET / HTTP/1.0\r\n\r\n');
    return [rpc.header('x-origin'), old.header('x-origin')];
  }, { shows: /"b",\s*"a"/ });
});

comparison('combined conditions', {
  origins,
  configuration: `
frontend fe
    bind {front}
    acl p1 path_beg /1
    acl p2 path_beg /2
    acl q query -m sub x=1
    acl bad path -m reg ^/bad
    http-request deny deny_status 404 if bad !{ hdr(x-let) -m str yes }
    use_backend a if p1 q or p2 !q
    use_backend b unless p1 or p2 or { path_end .txt }
    use_backend c if { path /1/c } { method GET }
    use_backend %[path,field(4,/),lower] if { path_beg /1/dyn/ }
    default_backend other
${backends}`,
}, (situation) => {
  situation('and binds closer than or', places('/1?x=1', '/1', '/2', '/2?x=1', '/3'), { shows: ['/1?x=1 → 200 a', '/2?x=1 → 200 other', '/3 → 200 b'] });
  situation('unless and anonymous ACLs', places('/3', '/3.txt', '/1/c'), { shows: ['/3 → 200 b', '/3.txt → 200 other', '/1/c → 200 c'] });
  situation('a backend named by an expression', places('/1/dyn/A', '/1/dyn/b', '/1/dyn/nowhere', '/1/dyn/'), { shows: ['/1/dyn/A → 200 a', '/1/dyn/nowhere → 200 other'] });
  situation('deny with a status and an exception', places('/bad', ['/bad', 'X-Let: yes']), { shows: ['/bad → 404', 'yes → 200 b'] });
});

comparison('maps and files of patterns', {
  origins,
  files: {
    'hosts.map': '# comment\na.lab.local a\nB.lab.local b\n\nc.lab.local   c  with blanks\n',
    'paths.map': '/owa a\n/owa/deep b\n/ c\n',
    'beg.lst': '/one\n/two\n',
    'ip.map': '127.9.0.0/16 a\n127.9.1.0/24 b\n',
    'int.map': '10 a\n20 b\n',
  },
  configuration: `
frontend fe
    bind {front}
    acl listed path_beg -i -f {dir}/beg.lst
    http-request set-header X-Text %[hdr(host),lower,map({dir}/hosts.map,none)]
    use_backend %[req.hdr(x-path),map_beg({dir}/paths.map)] if { req.hdr(x-path) -m found }
    use_backend %[src,map_ip({dir}/ip.map)] if { src 127.9.0.0/16 }
    use_backend %[req.hdr(x-int),map_int({dir}/int.map,c)] if { req.hdr(x-int) -m found }
    use_backend b if listed
    use_backend %[req.hdr(host),lower,map_str({dir}/hosts.map,other)]
    default_backend other
${backends}`,
}, (situation) => {
  situation('a file of patterns', places('/ONE', '/two/x', '/three'), { shows: ['/ONE → 200 b', '/three → 200 other'] });
  situation('map_beg finds the first or longest prefix as HAProxy does', places(['/', 'X-Path: /owa/deep/x'], ['/', 'X-Path: /owa/'], ['/', 'X-Path: /zzz'], ['/', 'X-Path: zzz']), { shows: 'X-Path: /owa/ → 200 a' });
  situation('map_ip', async (site) => [await site.ask('front', get('/'), { from: '127.9.1.4' }), await site.ask('front', get('/'), { from: '127.9.2.4' })].map((answer) => answer.header('x-origin')), { shows: /"b",\s*"a"/ });
  situation('map_int with default', places(['/', 'X-Int: 10'], ['/', 'X-Int: 020'], ['/', 'X-Int: 30']), { shows: ['X-Int: 10 → 200 a', 'X-Int: 30 → 200 c'] });
  situation('map values keep inner blanks', async (site) => {
    await site.ask('front', 'GET / HTTP/1.1\r\nHost: C.lab.local\r\nX-Int: 30\r\n\r\n');
    return site.origin('c').requests.map((request) => request.header('x-text'));
  }, { shows: 'c  with blanks' });
});
