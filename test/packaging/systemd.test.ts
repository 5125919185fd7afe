/**
 * The unit under a systemd of its own, as process 1 of a throwaway system with the package installed: it starts in its sandbox, reloads, refuses
 * a configuration with faults, is started again when it hangs, and stops. Where such a system cannot be started the test says so.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../harness/place.ts';
import { build, executable, inThrowawaySystem, installUnpacked, leftOut } from './stage.ts';

/** Runs inside, as a service after ours; what it prints is what the test looks at. */
const check = `export PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo "== start"; systemctl is-active poise; curl -s http://127.0.0.1:8404/ | grep -o '<title>[^<]*'
for pid in $(pgrep -f 'poise -Ws'); do echo "$(stat -c %U /proc/$pid) in $(readlink /proc/$pid/root | sed 's,.*/root/*,/,'): $(cat /proc/$pid/task/*/status | grep NoNewPrivs | sort -u)"; done
echo "== reload"; systemctl reload poise; echo "code $?"; sleep 2; systemctl is-active poise
echo "bnid" > /etc/poise/zz.cfg; systemctl reload poise; echo "code $?"; systemctl is-active poise; rm /etc/poise/zz.cfg
curl -s http://127.0.0.1:8404/ | grep -o '<title>[^<]*'
echo "== hang"; kill -STOP $(echo 'show info' | socat - UNIX-CONNECT:/run/poise/admin.sock | sed -n 's/^Pid: //p')
for i in $(seq 40); do sleep 1; [ $(systemctl show -p NRestarts --value poise) -gt 0 ] && break; done
for i in $(seq 200); do sleep 0.1; [ "$(systemctl is-active poise)" = active ] && break; done; systemctl is-active poise
systemctl show -p NRestarts poise; curl -s http://127.0.0.1:8404/ | grep -o '<title>[^<]*'
echo "== stop"; systemctl stop poise; systemctl is-active poise; systemctl show -p Result poise
echo "== journal"; journalctl -u poise --no-pager | tail -40
systemctl exit || systemctl poweroff --force
`;

/** Makes a small system of what the overlay has, and becomes its first process. Control groups of either version. */
const boot = `
umount $ROOT/dev; mount -t tmpfs -o mode=755 tmpfs $ROOT/dev
for name in null zero full random urandom tty; do touch $ROOT/dev/$name; mount --bind /dev/$name $ROOT/dev/$name; done
mkdir $ROOT/dev/pts $ROOT/dev/shm; mount -t devpts -o newinstance,ptmxmode=0666 devpts $ROOT/dev/pts; ln -s pts/ptmx $ROOT/dev/ptmx; ln -s /proc/self/fd $ROOT/dev/fd
mount -t sysfs sysfs $ROOT/sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then mount -t cgroup2 cgroup2 $ROOT/sys/fs/cgroup
else mount -t tmpfs -o mode=755 tmpfs $ROOT/sys/fs/cgroup; mkdir $ROOT/sys/fs/cgroup/systemd; mount -t cgroup -o none,name=systemd cgroup $ROOT/sys/fs/cgroup/systemd; fi
system=$ROOT/etc/systemd/system; rm -rf $system/*.wants; mkdir -p $system/multi-user.target.wants
for unit in systemd-udevd systemd-networkd systemd-resolved systemd-logind systemd-modules-load systemd-sysctl; do ln -sf /dev/null $system/$unit.service; done
ln -sf /dev/null $system/getty.target; ln -sf /dev/null $system/dev-hugepages.mount
ln -s /lib/systemd/system/poise.service $system/multi-user.target.wants/
mkdir $ROOT/srv/empty; sed -i 's,^global$,&\\n    daemon\\n    chroot /srv/empty,' $ROOT/etc/poise/haproxy.cfg
mkdir $ROOT/out; mount --bind $OUT $ROOT/out
printf '[Unit]\\nAfter=poise.service\\n[Service]\\nType=oneshot\\nExecStart=/bin/sh /out/check.sh\\nStandardOutput=file:/out/log\\nStandardError=file:/out/log\\nTimeoutStartSec=150\\n' > $system/check.service
ln -s ../check.service $system/multi-user.target.wants/
exec chroot $ROOT env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target --show-status=false
`;

it('the unit starts in its sandbox, reloads, is started again when it hangs, and stops', { timeout: 400_000 }, (context) => {
  if (leftOut(context, 'root', 'unshare', 'ip', 'curl', 'socat', 'systemctl', 'adduser')) return;
  if (!existsSync(executable)) assert.equal(build(), '');
  const out = temporaryFolder();
  writeFileSync(join(out, 'check.sh'), check);
  const { text } = inThrowawaySystem(`OUT=${out}\n${installUnpacked}${boot}`, ['--cgroup', '--ipc', '--uts']);
  const log = existsSync(join(out, 'log')) ? readFileSync(join(out, 'log'), 'utf8') : '';
  if (log === '') {
    context.diagnostic(`left out: systemd does not start here: ${text.slice(-300)}`);
    return;
  }
  const part = (name: string): string => new RegExp(`== ${name}\n([\\s\\S]*?)(?=\n== |$)`).exec(log)?.[1] ?? log;
  const page = '<title>Statistics Report for HAProxy';
  assert.equal(part('start'), `active\n${page}\nroot in /: NoNewPrivs:\t1\npoise in /srv/empty: NoNewPrivs:\t1`, log);
  assert.match(part('reload'), /^code 0\nactive\n[\s\S]*code 1\nactive\n<title>/, log);
  assert.equal(part('hang'), `active\nNRestarts=1\n${page}`, log);
  assert.equal(part('stop'), 'inactive\nResult=success', log);
  assert.match(part('journal'), /does not do its work \(it does not answer\)/, log);
});
