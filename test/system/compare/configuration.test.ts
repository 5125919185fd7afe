/** `-c`: which configurations are accepted, and the exit codes. HAProxy's words are its own; what is accepted must agree. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Site } from '../../harness/site.ts';

interface Case { readonly name: string; readonly configuration: string; readonly accepted: boolean; readonly files?: Readonly<Record<string, string>> }

const valid = 'backend ok\n    server s1 127.0.0.1:1\n';
const cases: readonly Case[] = [
  { name: 'a plain one', configuration: `frontend f\n    bind {front}\n    default_backend ok\n${valid}`, accepted: true },
  { name: 'no newline at the end', configuration: `${valid}backend last\n    server s 127.0.0.1:1`, accepted: true },
  { name: 'CRLF', configuration: valid.replaceAll('\n', '\r\n'), accepted: true },
  { name: 'quotes, escapes, comments', configuration: `${valid}backend q # comment\n    http-request set-header X "a b" # more\n    http-request set-header Y 'a "b" c'\n    http-request set-header Z a\\ b\\#c\n`, accepted: true },
  { name: 'environment variables', configuration: `${valid}backend e\n    server s "\${NOWHERE-127.0.0.1}:80"\n`, accepted: true },
  { name: 'conditional blocks', configuration: `${valid}.if defined(NOWHERE)\nnonsense\n.elif streq(a,b)\nnonsense\n.else\nbackend cond\n    server s 127.0.0.1:1\n.endif\n`, accepted: true },
  { name: 'an if without endif', configuration: `${valid}.if true\n`, accepted: false },
  { name: 'named defaults', configuration: 'defaults one\n    mode http\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\ndefaults two from one\n    option httplog\nbackend b from two\n    server s 127.0.0.1:1\n', accepted: true },
  { name: 'unknown keyword', configuration: `${valid}backend b\n    balnce roundrobin\n`, accepted: false },
  { name: 'unknown section', configuration: `${valid}bakcend b\n`, accepted: false },
  { name: 'unknown backend', configuration: 'frontend f\n    bind {front}\n    default_backend nowhere\n', accepted: false },
  { name: 'unknown ACL', configuration: `frontend f\n    bind {front}\n    use_backend ok if nothing\n${valid}`, accepted: false },
  { name: 'unknown fetch', configuration: `frontend f\n    bind {front}\n    acl x nofetch /x\n    default_backend ok\n${valid}`, accepted: false },
  { name: 'bad regular expression', configuration: `frontend f\n    bind {front}\n    acl x path_reg (unclosed\n    default_backend ok\n${valid}`, accepted: false },
  { name: 'bad address', configuration: 'backend b\n    server s 300.1.1.1:80\n', accepted: false },
  { name: 'bad port', configuration: 'backend b\n    server s 127.0.0.1:99999\n', accepted: false },
  { name: 'bad time', configuration: `${valid}backend b\n    timeout server 5x\n`, accepted: false },
  { name: 'time too large', configuration: `${valid}backend b\n    timeout server 50d\n`, accepted: false },
  { name: 'bad status', configuration: `${valid}backend b\n    http-request deny deny_status 999\n`, accepted: false },
  { name: 'bad mode', configuration: `${valid}backend b\n    mode udp\n`, accepted: false },
  { name: 'bad balance', configuration: `${valid}backend b\n    balance nonsense\n`, accepted: false },
  { name: 'bad server option', configuration: 'backend b\n    server s 127.0.0.1:80 chekc\n', accepted: false },
  { name: 'two servers of one name', configuration: 'backend b\n    server s 127.0.0.1:80\n    server s 127.0.0.1:81\n', accepted: false },
  { name: 'two backends of one name', configuration: `${valid}${valid}`, accepted: false },
  { name: 'missing certificate', configuration: `frontend f\n    bind {front} ssl crt {dir}/none.pem\n    default_backend ok\n${valid}`, accepted: false },
  { name: 'rubbish as certificate', configuration: `frontend f\n    bind {front} ssl crt {dir}/bad.pem\n    default_backend ok\n${valid}`, accepted: false, files: { 'bad.pem': 'rubbish\n' } },
  { name: 'missing map', configuration: `frontend f\n    bind {front}\n    use_backend %[path,map({dir}/none.map)]\n${valid}`, accepted: false },
  { name: 'unbalanced quote', configuration: `${valid}backend b\n    http-request set-header X "open\n`, accepted: false },
  { name: 'log-format with an unknown alias', configuration: `frontend f\n    bind {front}\n    log-format %zz\n    default_backend ok\n${valid}`, accepted: false },
  { name: 'a rule after the last words', configuration: `${valid}backend b\n    http-request set-header X y extra\n`, accepted: false },
  { name: 'an unknown userlist', configuration: `frontend f\n    bind {front}\n    acl a http_auth(none)\n    default_backend ok\n${valid}`, accepted: false },
  { name: 'sections that are read only', configuration: `${valid}peers p\n    peer a 127.0.0.1:10000\nmailers m\n    mailer a 127.0.0.1:25\nresolvers r\n    nameserver n 127.0.0.1:53\ncache c\n    total-max-size 4\nring r2\n    size 65536\n    server s 127.0.0.1:514\nhttp-errors e\n`, accepted: true },
  { name: 'a track to a server without checks', configuration: 'backend b\n    server s 127.0.0.1:80\n    server t 127.0.0.1:81 track b/s\n', accepted: false },
];

/** Runs both programs with the same words and compares exit codes. */
async function sameCode(files: Readonly<Record<string, string>>, words: (folder: string) => readonly string[], code: number): Promise<void> {
  for (const program of ['haproxy', 'poise'] as const) {
    if (program === 'poise' && process.env['COMPARE'] === 'haproxy') continue;
    const site = await Site.prepare(program, { configuration: valid, files });
    try {
      const result = await site.runOnce(words(site.place.folder));
      assert.equal(result.code, code, `${program}: ${result.stderr}`);
    } finally {
      await site.stop();
    }
  }
}

describe('flags', () => {
  const conditions: Readonly<Record<string, number>> = {
    0: 1, 1: 0, 2: 0, true: 2, 'defined(PATH)': 0, 'defined(NOWHERE)': 1, 'streq(a,a)': 0, 'streq(a,b)': 1, 'strneq(a,b)': 0, 'version_atleast(2.0)': 0, 'version_before(2.0)': 1,
    '!1': 1, '1 && 0': 1, '0 || 1': 0, '(1 || 0) && !0': 0, 'feature(NONE)': 1, 'nonsense(a)': 2, '': 1,
  };
  for (const [condition, code] of Object.entries(conditions)) it(`-cc '${condition}'`, { timeout: 20_000 }, () => sameCode({}, () => ['-cc', condition], code));
  const folder = { 'conf.d/10-defaults.cfg': 'defaults\n    mode http\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n', 'conf.d/15-frontend.cfg': 'frontend f\n    bind {front}\n    default_backend ok\n', 'conf.d/20-backend.cfg': valid, 'conf.d/30-none.txt': 'nonsense\n', 'more.cfg': valid };
  it('-f of a folder reads its .cfg files in order', { timeout: 20_000 }, () => sameCode(folder, (home) => ['-c', '-f', `${home}/conf.d`], 0));
  it('several -f are one configuration', { timeout: 20_000 }, () => sameCode(folder, (home) => ['-c', '-f', `${home}/conf.d`, '-f', `${home}/more.cfg`], 1));
  it('-- and -C', { timeout: 20_000 }, () => sameCode(folder, (home) => ['-c', '-C', home, '--', 'conf.d', 'conf.d/20-backend.cfg'], 1));
  it('no configuration', { timeout: 20_000 }, () => sameCode({}, () => ['-c'], 1));
  it('nothing to listen on', { timeout: 20_000 }, () => sameCode(folder, (home) => ['-c', '-f', `${home}/more.cfg`], 2));
  it('an unknown flag', { timeout: 20_000 }, () => sameCode({}, () => ['-Z'], 1));
  it('-v', { timeout: 20_000 }, () => sameCode({}, () => ['-v'], 0));
  it('debugging flags are accepted', { timeout: 20_000 }, () => sameCode(folder, (home) => ['-c', '-V', '-dM', '-dI', '-dW', '-n', '100', '-q', '-L', 'me', '-f', `${home}/conf.d`], 0));
});

describe('-c accepts and refuses what HAProxy does', () => {
  for (const one of cases) {
    it(one.name, { timeout: 30_000 }, async () => {
      const results: Record<string, unknown> = {};
      for (const program of ['haproxy', 'poise'] as const) {
        if (program === 'poise' && process.env['COMPARE'] === 'haproxy') continue;
        const site = await Site.prepare(program, { configuration: one.configuration, ...(one.files === undefined ? {} : { files: one.files }) });
        try {
          const { code, stderr } = await site.runOnce(['-c', '-f', site.file]);
          results[program] = { code, stderr };
          assert.equal(code, one.accepted ? 0 : 1, `${program}: ${stderr}`);
        } finally {
          await site.stop();
        }
      }
    });
  }
});
