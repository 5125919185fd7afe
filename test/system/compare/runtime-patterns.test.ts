/** Runtime commands for ACLs, maps and stick tables: the same words get the same answers. */
import { comparison } from '../../harness/comparison.ts';
import { named } from '../../harness/origin.ts';
import { answersTo } from '../../harness/runtime-socket.ts';

comparison('runtime commands for ACLs and maps', {
  origins: () => ({ a: named('a') }),
  files: { 'hosts.map': 'a.example be1\nb.example be2\n# comment\n\n', 'nets.acl': '10.0.0.0/8\n192.168.1.1\n', 'ip.map': '10.0.0.0/8 a\n', 'int.map': '80 1\n' },
  configuration: `
frontend fe
    bind {front}
    acl nets src -f {dir}/nets.acl
    acl p path_beg /a /b
    acl q path -i /C
    acl n dst_port 5 80:90
    acl z path_sub zz
    acl e path_end .gif
    acl d hdr_dom(host) example
    acl dd path_dir img
    acl l path -m len 3
    http-request set-header y %[src,map_ip({dir}/ip.map)]
    http-request set-header z %[dst_port,map_int_int({dir}/int.map)]
    http-request set-var(txn.mapped) req.hdr(host),lower,map({dir}/hosts.map,none)
    http-response set-header mapped %[var(txn.mapped)]
    http-request deny if nets p
    http-request deny if q { path_reg ^/zz }
    default_backend be
backend be
    server s1 {a}
`,
}, (situation) => {
  const hosts = (site: { place: { folder: string } }): string => `${site.place.folder}/hosts.map`;
  // The list ends with two ACLs of HAProxy's own HTTP client.
  situation('lists', async (site) => (await answersTo(site, ['show acl', 'show map', 'show acl #0', 'show acl #99', 'show acl foo', 'show map #99', 'show map foo', 'show map @3 DIR/hosts.map', 'show acl @0 #0', 'show acl @x #0']))
    .map((line) => line.replace(/\d+ \(\) acl '(?:src|var)' file '[^']*' line \d+[^\n]*\n/g, '')), { shows: ["2 () acl 'path_beg'", "used by map at"] });
  situation('look-ups', (site) => answersTo(site, [
    'get acl', 'get acl #0', 'get acl #0 10.1.2.3', 'get acl #0 11.1.2.3', 'get acl #0 foo', 'get acl #99 x', 'get acl #2 /abc', 'get acl #2 /zz', 'get acl #3 /c', 'get acl #3 /d',
    'get acl #5 azzb', 'get acl #6 x.gif', 'get acl #7 www.example', 'get acl #8 /img/', 'get acl #9 abc', 'get map', 'get map DIR/hosts.map', 'get map DIR/hosts.map a.example', 'get map DIR/hosts.map A.example',
    'get map DIR/hosts.map nope', 'get map #99 x', 'get map DIR/ip.map 10.2.3.4', 'get map DIR/ip.map 12.2.3.4',
  ]), { shows: ['match=yes', 'found=yes, idx=tree', 'idx=list'] });
  situation('changes of ACLs', (site) => answersTo(site, [
    'add acl', 'add acl #0', 'add acl #0 foo', 'add acl #0 172.16.0.0/12', 'add acl #99 x', 'add acl #2 /new', 'add acl @1 #2 /new', 'show acl #2', 'del acl', 'del acl #2', 'del acl #2 /new', 'del acl #2 /new',
    'del acl #2 #0x12', 'del acl #2 #zz', 'add acl #9 zz', 'add acl #9 4', 'show acl #9', 'clear acl', 'clear acl #99', 'clear acl #2', 'show acl #2', 'prepare acl', 'prepare acl #2', 'add acl @1 #2 /v1',
    'show acl @1 #2', 'show acl #2', 'commit acl @1 #2', 'show acl #2', 'add acl #2 x y z', 'show acl #2',
  ]), { shows: ['New version created: 1', 'is not a valid IPv4 or IPv6 address', "Version number in the future, please use 'prepare acl' before."] });
  situation('changes of maps', (site) => answersTo(site, [
    'add map', 'add map DIR/hosts.map', 'add map DIR/hosts.map k', 'add map DIR/hosts.map k v', 'add map DIR/hosts.map k v2 v3', 'show map DIR/hosts.map', 'add map #99 k v', 'set map', 'set map DIR/hosts.map',
    'set map DIR/hosts.map k', 'set map DIR/hosts.map k w', 'set map DIR/hosts.map nope w', 'set map DIR/hosts.map #0x1 w', 'set map DIR/hosts.map #zz w', 'set map #99 k w', 'del map', 'del map DIR/hosts.map',
    'del map DIR/hosts.map nope', 'del map DIR/hosts.map k', 'del map #99 x', 'show map DIR/hosts.map', 'add map DIR/ip.map zz v', 'add map DIR/ip.map 1.1.1.1/40 v', 'add map DIR/ip.map 11.0.0.0/8 v',
    'show map DIR/ip.map', 'clear map', 'clear map foo', 'clear map @7 DIR/hosts.map', 'clear map @x DIR/ip.map', 'show map DIR/ip.map',
  ]), { shows: ['key or pattern not found.', 'entry not found.', 'k w'] });
  situation('versions and payloads of maps', (site) => answersTo(site, [
    'prepare map', 'prepare map foo', 'prepare map #99', 'prepare map DIR/hosts.map', 'add map @1 DIR/hosts.map c.example be3', 'add map @2 DIR/hosts.map c.example be3', 'show map @1 DIR/hosts.map',
    'show map DIR/hosts.map', 'commit map', 'commit map DIR/hosts.map', 'commit map @9 DIR/hosts.map', 'commit map @0 DIR/hosts.map', 'commit map @x DIR/hosts.map', 'commit map @1', 'commit map @1 foo',
    'commit map @1 DIR/hosts.map', 'commit map @1 DIR/hosts.map', 'show map DIR/hosts.map', 'clear map DIR/hosts.map', 'show map DIR/hosts.map',
    'add map DIR/hosts.map <<\na.example be1\nb.example be2\n\n', 'show map DIR/hosts.map', 'add map DIR/hosts.map <<\nonlykey\n\n', 'add map <<\na b\n\n', 'add map DIR/hosts.map x y <<\na b\n\n',
    'set map DIR/hosts.map a.example <<\nxx\n\n', 'set map DIR/hosts.map a.example q <<\nxx\n\n', 'show map DIR/hosts.map', 'add map DIR/ip.map <<\n13.0.0.0/8 x\nbad y\n14.0.0.0/8 z\n\n', 'show map DIR/ip.map',
    'show cli level;add map #99 <<\na b\n\n',
  ]), { shows: ['New version created: 1', 'c.example be3', "Missing value for key 'onlykey'."] });
  situation('the next request goes by the change', async (site) => {
    const seen: string[] = [];
    for (const value of ['one', 'two', 'three']) {
      await site.command(`clear map ${hosts(site)}; add map ${hosts(site)} now.example ${value}`);
      const answer = await site.ask('front', 'GET /x HTTP/1.1\r\nHost: now.example\r\nConnection: close\r\n\r\n');
      seen.push(answer.lines.find((line) => line.toLowerCase().startsWith('mapped:'))?.toLowerCase() ?? answer.startLine);
    }
    return seen;
  }, { shows: ['mapped: one', 'mapped: two', 'mapped: three'] });
});

comparison('runtime commands for stick tables', {
  origins: () => ({ a: named('a') }),
  configuration: `
frontend fe
    bind {front}
    default_backend tb
backend tb
    stick-table type ip size 100 expire 5m
    stick on src
    server t1 {a}
backend st
    stick-table type string len 20 size 50
    stick match path
    server t1 {a}
`,
}, (situation) => {
  situation('show', (site) => answersTo(site, [
    'show table', 'show table nope', 'show table tb', 'show table st', 'show table tb key', 'show table tb key x', 'show table tb key 1.2.3.4', 'show table tb data.foo', 'show table tb data.server_id',
    'show table tb data.server_id foo', 'show table tb data.server_id gt', 'show table tb data.server_id gt x', 'show table tb data.server_id gt 0', 'show table tb data.bytes_in_cnt gt 0', 'show table tb foo',
  ]), { shows: ['# table: tb, type: ip, size:100, used:0', 'Data type not stored in this table'] });
  // HAProxy knows the name of a server that a command stored only after a request.
  situation('set and clear', async (site) => (await answersTo(site, [
    'set table', 'set table nope', 'set table tb', 'set table tb foo', 'set table tb key', 'set table tb key 1.2.3.4', 'show table tb key 1.2.3.4', 'set table tb key 1.2.3.4 foo', 'set table tb key 1.2.3.4 data.foo 1',
    'set table tb key 1.2.3.4 data.server_id', 'set table tb key 1.2.3.4 data.server_id x', 'set table tb key 1.2.3.4 data.bytes_in_cnt 5', 'set table tb key 1.2.3.4 data.server_id 1', 'show table tb',
    'show table tb data.server_id gt 0', 'show table tb data.server_id gt 1', 'set table st key abc', 'set table st key a\\ b', 'clear table', 'clear table nope', 'clear table tb foo', 'clear table tb key', 'clear table tb key x',
    'clear table tb key 9.9.9.9', 'clear table tb data.server_id gt 100', 'clear table tb key 1.2.3.4', 'clear table tb', 'clear table st', 'show table',
  ])).map((line) => line.replaceAll(/server_key=\S+/g, 'server_key=?')), { shows: ['key=1.2.3.4', 'server_id=1', 'Required arguments: <table> key <key>'] });
});
