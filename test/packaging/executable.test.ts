/**
 * The executable of `npm run build`, on a machine without Bun, Node.js and this checkout: a root folder with nothing but the C libraries, in a
 * network of its own. It serves TLS, checks servers, tells statistics, supervises itself and moves a virtual address.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { makeCertificate } from '../../src/exchange-sim/certificate.ts';
import { temporaryFolder } from '../harness/place.ts';
import { build, executable, leftOut, run } from './stage.ts';

const folder = temporaryFolder();
const configuration = `global
    nbthread 2
    stats socket /run/admin.sock mode 600 level admin
poise
    state-folder /var/lib/poise
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend fe
    bind 127.0.0.1:8443 ssl crt /etc/lab.pem
    default_backend be
backend be
    option httpchk GET /
    server s1 127.0.0.1:8082 check inter 200ms
listen origin
    bind 127.0.0.1:8082
    http-request return status 200 content-type text/plain string "from the origin"
listen stats
    bind 127.0.0.1:8404
    stats enable
    stats uri /
`;
const keepalived = 'vrrp_instance V {\n    state BACKUP\n    interface lab0\n    virtual_router_id 51\n    priority 100\n    advert_int 1\n    virtual_ipaddress {\n        192.0.2.10/32\n    }\n}\n';

/** A root folder with the executable and the libraries that it is linked to. */
const layOut = `set -e
R=${folder}/root
mkdir -p $R/etc $R/proc $R/dev $R/run $R/usr/sbin $R/var/lib/poise; mkdir -m 1777 $R/tmp
cp ${executable} $R/usr/sbin/
for library in $(ldd ${executable} | grep -o '/[^ ]*') $(ldconfig -p | grep -o '/[^ ]*/\\(libstdc++\\.so\\.6\\|libgcc_s\\.so\\.1\\)$'); do mkdir -p $R$(dirname $library); cp -L $library $R$library; done
cp ${folder}/lb.cfg ${folder}/keepalived.conf ${folder}/lab.pem $R/etc/
`;

describe('executable', () => {
  before(() => {
    assert.equal(build(), '');
    const made = makeCertificate({ commonName: 'lab', names: ['lab'], validFrom: new Date(Date.now() - 86_400_000), validDays: 30 });
    writeFileSync(join(folder, 'lab.pem'), made.certPem + made.keyPem);
    writeFileSync(join(folder, 'lb.cfg'), configuration);
    writeFileSync(join(folder, 'keepalived.conf'), keepalived);
  }, { timeout: 240_000 });

  it('does all its work where there is nothing but the C libraries', { timeout: 200_000 }, (context) => {
    if (leftOut(context, 'root', 'unshare', 'ip', 'curl', 'socat', 'ldconfig')) return;
    const script = `${layOut}
ip link set lo up; ip link add lab0 type veth peer name lab1; ip link set lab1 up; ip address add 192.0.2.1/24 dev lab0; ip link set lab0 up
mount --bind /proc $R/proc
set +e
poise() { chroot $R /usr/sbin/poise "$@"; }
unset NODE_EXTRA_CA_CERTS
echo "== check"; poise -v; poise -c -f /etc/lb.cfg; poise check -f /etc/lb.cfg; poise vrrp -t -f /etc/keepalived.conf
# Without the function, so that the signals reach it and no shell.
chroot $R /usr/sbin/poise -W -f /etc/lb.cfg --keepalived /etc/keepalived.conf > ${folder}/output 2>&1 & master=$!
for i in $(seq 400); do ip -o address show dev lab0 | grep -q 192.0.2.10 && break; sleep 0.1; done
echo "== serve"; curl -sk https://127.0.0.1:8443/; echo
curl -s 'http://127.0.0.1:8404/;csv' | cut -d, -f1,2,18
echo 'show info' | socat - UNIX-CONNECT:$R/run/admin.sock | grep -E '^(Nbthread|Uptime_sec)'
ip -o address show dev lab0
poise vrrp status -f /etc/keepalived.conf
ls $R/var/lib/poise
echo "== crash"; balancer=$(echo 'show info' | socat - UNIX-CONNECT:$R/run/admin.sock | sed -n 's/^Pid: //p'); kill -9 $balancer
for i in $(seq 300); do sleep 0.1; curl -sk https://127.0.0.1:8443/ && break; done; echo
echo "== reload"; kill -USR2 $master; sleep 3; curl -sk https://127.0.0.1:8443/; echo
kill $master; wait $master; echo "code $?"
cat ${folder}/output
`;
    const { text } = run('unshare', ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-s'], { input: `exec 2>&1\n${script}` });
    const part = (name: string): string => new RegExp(`== ${name}\n([\\s\\S]*?)(?===|$)`).exec(text)?.[1] ?? text;
    assert.match(part('check'), /^Poise version .*\nRunning on: Bun .*\nConfiguration file is valid\nConfiguration file is valid\nConfiguration file is valid\n/, text);
    assert.match(part('serve'), /^from the origin\n/, text);
    for (const row of ['fe,FRONTEND,OPEN', 'be,s1,UP', 'Nbthread: 2', '192.0.2.10/32', 'V: MASTER', 'counters.sqlite']) assert.ok(part('serve').includes(row), `${row}\n${text}`);
    assert.match(part('crash'), /from the origin/, text);
    assert.match(part('reload'), /^from the origin\n/, text);
    assert.match(part('reload'), /code 143/, text);
  });

  it('takes nothing from the folder it is started in', () => {
    const here = temporaryFolder();
    writeFileSync(join(here, '.env'), 'LAB=from-the-folder\n');
    writeFileSync(join(here, 'bunfig.toml'), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(here, 'preload.ts'), 'console.log("loaded");\n');
    assert.match(run(executable, ['-v'], { cwd: here }).text, /^Poise version/);
    assert.equal(run(executable, ['-cc', 'defined(LAB)'], { cwd: here }).code, 1);
  });

  it('has no path of the machine that built it', () => {
    const { text } = run('grep', ['-c', '-a', '-F', join(executable, '../..'), executable]);
    assert.equal(text.trim(), '0');
  });

  it('says what it lacks where its native module cannot be loaded', { timeout: 60_000 }, (context) => {
    if (leftOut(context, 'root', 'unshare')) return;
    const { text } = run('unshare', ['--mount', 'sh', '-c', `mkdir ${folder}/noexec; mount -t tmpfs -o noexec tmpfs ${folder}/noexec; TMPDIR=${folder}/noexec ${executable} -db -f ${folder}/lb.cfg; echo "code $?"`]);
    assert.match(text, /The native module cannot be loaded .*TMPDIR\) that is not mounted noexec\.\n/);
    assert.match(text, /code 1\n/);
  });

  it('plays the demo with its own example', { timeout: 60_000 }, (context) => {
    if (leftOut(context, 'root', 'unshare', 'ip')) return;
    const { text } = run('unshare', ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c', `ip link set lo up; cd /; timeout 50 ${executable} demo --once 2>&1 | tee ${folder}/demo & for i in $(seq 500); do sleep 0.1; grep -q '✓ .* requests, every one' ${folder}/demo && break; done; exit`]);
    // It is ended before it is over: the rest is the same program.
    assert.match(text, /✓ \d+ requests, every one answered with 200/, text);
  });
});
