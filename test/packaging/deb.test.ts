/** The Debian package: built with Debian's tools, judged by lintian, installed, run, upgraded, removed and purged in a throwaway system. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { temporaryFolder } from '../harness/place.ts';
import { build, executable, inThrowawaySystem, leftOut, missing, run } from './stage.ts';

const tools = ['dpkg-buildpackage', 'dh'] as const;
const folder = temporaryFolder();
/** Two versions of the package with the same program. */
const [first, second] = [join(folder, 'first.deb'), join(folder, 'second.deb')];

function makePackage(): void {
  const { code, text } = run(process.execPath, ['packaging/deb.ts']);
  assert.equal(code, 0, text);
  const made = /^(\/.*\.deb)$/m.exec(text)?.[1] ?? '';
  assert.ok(existsSync(made), text);
  renameSync(made, first);
}

/** As the first, but for its version; not compressed, which takes long. */
function makeUpgrade(): void {
  const content = join(folder, 'content');
  assert.equal(run('dpkg-deb', ['-R', first, content]).code, 0);
  const control = join(content, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99'));
  const { code, text } = run('dpkg-deb', ['-Znone', '--root-owner-group', '-b', content, second]);
  assert.equal(code, 0, text);
}

describe('Debian package', () => {
  before(() => {
    if (missing(...tools) !== '') return;
    if (!existsSync(executable)) assert.equal(build(), '');
    makePackage();
    makeUpgrade();
  }, { timeout: 400_000 });

  it('has nothing that lintian calls an error or a warning', { timeout: 300_000 }, (context) => {
    if (leftOut(context, ...tools, 'lintian')) return;
    const { code, text } = run('lintian', ['--allow-root', '--tag-display-limit', '0', first]);
    assert.deepEqual(text.split('\n').filter((line) => /^[EW]: /.test(line)), []);
    assert.equal(code, 0, text);
  });

  it('is installed, runs, is upgraded with the changes of its owner, removed and purged', { timeout: 400_000 }, (context) => {
    if (leftOut(context, ...tools, 'root', 'unshare', 'ip', 'curl', 'adduser')) return;
    const { text } = inThrowawaySystem(`
cp ${first} ${second} $ROOT/tmp/
echo "== install"; inside dpkg -i /tmp/first.deb; echo "code $?"
inside getent passwd poise
inside man -w poise
inside poise -c -f /etc/poise
echo "== run"
inside mkdir -p /run/poise /var/lib/poise
inside poise -Ws -f /etc/poise -p /run/poise/poise.pid > $ROOT/tmp/output 2>&1 &
for i in $(seq 300); do curl -s -o $ROOT/tmp/page http://127.0.0.1:8404/ && break; sleep 0.1; done
grep -o '<title>[^<]*' $ROOT/tmp/page
inside stat -c '%n %a %U:%G' /run/poise/admin.sock
inside sh -c 'for pid in $(ls /proc | grep "^[0-9]"); do [ "$(readlink /proc/$pid/exe)" = /usr/sbin/poise ] && stat -c "runs as %U" /proc/$pid; done'
kill $(cat $ROOT/run/poise/poise.pid); wait
ls $ROOT/var/lib/poise
echo "== upgrade"
echo "# mine" >> $ROOT/etc/poise/haproxy.cfg
inside dpkg -i --force-confold /tmp/second.deb; echo "code $?"
tail -1 $ROOT/etc/poise/haproxy.cfg; inside dpkg-query -W poise; inside poise -v
echo "== remove"; inside dpkg -r poise; echo "code $?"
ls $ROOT/usr/sbin/poise $ROOT/etc/poise
echo "== purge"; inside dpkg -P poise; echo "code $?"
ls -d $ROOT/etc/poise $ROOT/var/lib/poise $ROOT/etc/default/poise $ROOT/etc/logrotate.d/poise
inside getent passwd poise || echo "no user"
`);
    const part = (name: string): string => new RegExp(`== ${name}\n([\\s\\S]*?)(?===|$)`).exec(text)?.[1] ?? text;
    assert.match(part('install'), /code 0\npoise:x:\d+:\d+:[^:]*:\/var\/lib\/poise:\/usr\/sbin\/nologin\n.*poise\.1\.gz\nConfiguration file is valid/, text);
    assert.match(part('run'), /<title>Statistics Report/, text);
    assert.match(part('run'), /admin\.sock 660 root:poise/, text);
    assert.deepEqual(part('run').match(/runs as \w+/g)?.sort(), ['runs as poise', 'runs as root'], text);
    assert.match(part('run'), /counters\.sqlite/);
    assert.match(part('upgrade'), /code 0\n# mine\npoise\t99\nPoise version/, text);
    assert.match(part('remove'), /code 0\n.*cannot access .*usr\/sbin\/poise.*\n[\s\S]*haproxy\.cfg\npoise\.cfg/, text);
    assert.match(part('purge'), /code 0\n/, text);
    assert.equal(part('purge').match(/cannot access/g)?.length, 4, text);
    assert.match(part('purge'), /no user/, text);
  });
});
