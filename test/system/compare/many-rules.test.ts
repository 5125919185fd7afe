/** Chains of hundreds of rules in all the ways people write them: the first rule that applies decides, whatever is looked up for it. */
import { comparison } from '../../harness/comparison.ts';
import { named } from '../../harness/origin.ts';
import type { Site } from '../../harness/site.ts';

const origins = () => ({ a: named('a'), b: named('b'), c: named('c'), other: named('other') });
const backends = ['a', 'b', 'c', 'other'].map((name) => `backend ${name}\n    server s1 {${name}}\n`).join('');
const numbers = Array.from({ length: 240 }, (_, i) => i);
const backendOf = (i: number): string => 'abc'.charAt(i % 3);

/** Criteria that take turns; keys overlap on purpose, so that order decides. */
const criteria: readonly ((i: number) => string)[] = [
  (i) => `path_beg -i /svc${i % 97}/`, (i) => `path_beg /svc${i % 53}`, (i) => `hdr(host) -i host${i % 89}.example.com`, (i) => `hdr_dom(host) -i dom${i % 61}`,
  (i) => `hdr_end(host) .end${i % 31}.net`, (i) => `hdr_beg(host) -i beg${i % 47}.`, (i) => `path_dir dir${i % 37}`, (i) => `path_end -i .e${i % 29}`,
  (i) => `path /exact${i % 83} /EXACT${i % 41}`, (i) => `path_sub part${i % 59}`, (i) => `path_reg ^/reg${i % 71}(/|$)`, (i) => `base_beg host${i % 43}.example.com/svc`,
];

function rule(i: number): string {
  const one = criteria[i % criteria.length]?.(i) ?? '';
  const other = criteria[(i * 5 + 3) % criteria.length]?.(i + 1) ?? '';
  const lines = [`acl n${i} ${one}`];
  if (i % 7 === 0) lines.push(`acl n${i} ${other}`);
  const condition = [`if n${i}`, `if n${i} !shut`, `if n${i} or { ${other} }`, `if { ${one} } { ${other} }`, `unless !n${i}`][i % 5] ?? '';
  return [...lines, `use_backend ${backendOf(i)} ${condition}`].map((line) => `    ${line}\n`).join('');
}

const paths = [...numbers.filter((i) => i % 3 === 0).flatMap((i) => [`/svc${i}/x`, `/SVC${i}/dir${i % 40}/y`, `/exact${i}`, `/x/dir${i}/part${i}?q=dir1`]), '/', '/shut/svc1/', '/a.E3', '/reg5/', '/reg50x', '/EXACT7'];
const hosts = ['none', 'host7.example.com', 'HOST43.EXAMPLE.COM', 'www.dom12.org', 'www.dom120.org', 'x.end3.net', 'x.END3.net', 'BEG9.org', 'x, host12.example.com'];

async function places(site: Site): Promise<string[]> {
  const answers: string[] = [];
  for (const [i, path] of paths.entries()) {
    const host = hosts[i % hosts.length] ?? '';
    const answer = await site.ask('front', `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    answers.push(`${host}${path} → ${answer.status} ${answer.header('x-origin') ?? ''}`);
  }
  return answers;
}

comparison('hundreds of use_backend rules', {
  origins,
  configuration: `
frontend fe
    bind {front}
    acl shut path_beg /shut
${numbers.map(rule).join('')}    default_backend other
${backends}`,
}, (situation) => {
  situation('every kind of test', places, { shows: [/→ 200 a/, /→ 200 b/, /→ 200 c/, /→ 200 other/] });
});

comparison('hundreds of http-request rules', {
  origins,
  configuration: `
frontend fe
    bind {front}
    http-request set-header X-Host %[req.hdr(host),lower]
${numbers.map((i) => {
    const one = criteria[i % criteria.length]?.(i) ?? '';
    const action = ['deny deny_status 403', `set-path /exact${i % 83}`, `set-header Host host${i % 89}.example.com`, `redirect location /gone${i}`, `set-header X-Host www.dom${i}.org`][i % 5] ?? '';
    return `    http-request ${action} if { ${i % 4 === 0 ? `hdr(x-host) -m beg host${i % 23}` : one} } !{ path_beg /shut }\n`;
  }).join('')}    use_backend a if { path_beg /exact }
    use_backend b if { hdr_beg(host) host }
    default_backend other
${backends}`,
}, (situation) => {
  situation('rules that change what later rules test', places, { shows: [/→ 403/, /→ 302/, /→ 200 a/, /→ 200 b/, /→ 200 other/] });
});
