/** keepalived.conf: grammar, words, defaults, and what is said of mistakes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIp } from '../../../../src/base/ip.ts';
import { memoryFiles } from '../../../../src/config/files.ts';
import { loadKeepalived } from '../../../../src/config/keepalived/load.ts';
import type { KeepalivedModel, VrrpInstance } from '../../../../src/model/keepalived.ts';

const instance = (more = ''): string => `vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress {\n    10.0.0.10/24\n  }\n${more}\n}\n`;

function load(text: string, others: Readonly<Record<string, string>> = {}, configId = 'lab'): ReturnType<typeof loadKeepalived> {
  return loadKeepalived('/k.conf', { files: memoryFiles({ '/k.conf': text, ...others }), configId });
}

function model(text: string, others: Readonly<Record<string, string>> = {}, configId = 'lab'): KeepalivedModel {
  const { model: made, problems } = load(text, others, configId);
  assert(made !== undefined, JSON.stringify(problems));
  return made;
}

const first = (text: string, others = {}): VrrpInstance => model(text, others).instances[0] as VrrpInstance;
const told = (text: string): string[] => load(text).problems.map((problem) => `${problem.severity} ${problem.place.line}: ${problem.message}`);

describe('the files of the articles', () => {
  it('are read with keepalived\'s defaults', () => {
    const made = model(`! Configuration
global_defs {
    notification_email {
        administrator@lab.local
    }
    notification_email_from lab-hap01@lab.local
    smtp_server 10.77.0.9
    smtp_connect_timeout 30
    router_id LAB-HAP01
}
vrrp_script chk_haproxy {
    script "/usr/bin/killall -0 haproxy"
    interval 2
    weight 2
}
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 101
    advert_int 1
    smtp_alert
    authentication {
        auth_type PASS
        auth_pass lab12345
    }
    virtual_ipaddress {
        10.77.0.100/24
    }
    track_script {
        chk_haproxy
    }
}`);
    const [one] = made.instances;
    assert.deepEqual([made.globals.routerId, made.globals.smtpServer, made.globals.notificationEmail], ['LAB-HAP01', { host: '10.77.0.9', port: 25, place: { file: '/k.conf', line: 7 } }, ['administrator@lab.local']]);
    assert.deepEqual(made.scripts[0]?.command.words, ['/usr/bin/killall', '-0', 'haproxy']);
    assert.deepEqual([made.scripts[0]?.intervalMs, made.scripts[0]?.timeoutMs, made.scripts[0]?.weight, made.scripts[0]?.rise], [2000, 2000, 2, 1]);
    assert.deepEqual([one?.version, one?.priority, one?.advertMs, one?.password, one?.notify.smtpAlert, one?.preempt], [2, 101, 1000, 'lab12345', true, true]);
    assert.deepEqual(one?.garp, { delayMs: 5000, repeat: 5, refreshMs: 0, refreshRepeat: 1, lowerPriorityDelayMs: 5000, lowerPriorityRepeat: 5 });
    assert.equal(formatIp(one.addresses[0]?.address as never), '10.77.0.100');
  });
});

describe('grammar', () => {
  it('comments begin with # or ! outside quotes, braces may stand anywhere', () => {
    const made = first('vrrp_instance VI_1 # one\n{ interface eth0 ! two\n virtual_router_id 51\n virtual_ipaddress { 10.0.0.10/24 }\n notify "/bin/run \'a # b\' !x" }');
    assert.deepEqual(made.notify.any?.words, ['/bin/run', 'a # b', '!x']);
  });

  it('definitions are put in, also over several lines and inside each other', () => {
    const made = first(`$NET=10.0.0\n$VIPS=\${NET}.1/24 \\\n $NET.2/24\n$ID=7\nvrrp_instance VI_1 {\n interface eth0\n virtual_router_id $ID\n virtual_ipaddress {\n $VIPS\n }\n}`);
    assert.deepEqual(made.addresses.map((one) => formatIp(one.address)), ['10.0.0.1', '10.0.0.2']);
    assert.equal(made.virtualRouterId, 7);
    assert.deepEqual(told(`${instance('  priority ${NO}')}`).filter((line) => line.startsWith('error')).length > 0, true);
  });

  it('@id lines hold for that id, @^id lines for all others', () => {
    const text = instance('@lab priority 150\n@^lab priority 50\n@(a|b) nopreempt');
    assert.deepEqual([model(text, {}, 'lab').instances[0]?.priority, model(text, {}, 'b').instances[0]?.priority], [150, 50]);
    assert.deepEqual([model(text, {}, 'lab').instances[0]?.preempt, model(text, {}, 'b').instances[0]?.preempt], [true, false]);
  });

  it('include takes wildcards, relative to the file it stands in', () => {
    const made = model('include conf.d/*.conf\n', { '/conf.d/a.conf': instance(), '/conf.d/b.txt': 'nonsense' });
    assert.equal(made.instances.length, 1);
    assert.deepEqual(made.files, ['/k.conf', '/conf.d/a.conf']);
  });

  it('files that include themselves, open brackets and definitions without end are errors, at once', () => {
    assert.match(told('include k.conf\n'.repeat(5)).join('\n'), /error 1: \/k\.conf includes itself/);
    const { problems } = load('include a\n'.repeat(5), { '/a': 'include k.conf\n'.repeat(5) });
    assert.match(problems.map((problem) => problem.message).join('\n'), /\/k\.conf includes itself/);
    assert.match(told(`include [*\n${instance()}`).join('\n'), /no file matches '\[\*'/);
    const doubled = Array.from({ length: 40 }, (_, index) => `$A${index + 1}=\${A${index}}\${A${index}}`).join('\n');
    assert.match(told(`$A0=x\n${doubled}\n${instance(' priority ${A40}')}`).join('\n'), /definitions make this line longer than 65536 characters/);
  });

  it('a block or quote that is not closed is named with its line', () => {
    assert(told('vrrp_instance VI_1 {\n interface eth0\n').some((line) => line.startsWith('error 1: this block is not closed')));
    assert(told(instance('  notify "/bin/x')).some((line) => line.startsWith('error 7: the quote')));
    assert(told(`}\n${instance()}`).some((line) => line.startsWith('error 1: } without a block')));
  });

  it('every cut of a file gives problems, never an exception', () => {
    const text = `$A=1\n${instance('  track_script { chk weight -5 reverse }\n  notify "/bin/x \'a b\'"')}vrrp_script chk { script "/bin/true" }\n`;
    for (let end = 0; end < text.length; end++) load(text.slice(0, end));
  });
});

describe('words', () => {
  it('addresses have device, label, scope and broadcast', () => {
    const [, two] = first('vrrp_instance A { interface eth0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n 10.0.0.2/24 brd 10.0.0.255 dev eth1 scope link label eth1:v no_track\n }\n}').addresses;
    assert.deepEqual([two?.prefixLength, two?.device, two?.label, two?.scope, formatIp(two?.broadcast as never)], [24, 'eth1', 'eth1:v', 'link', '10.0.0.255']);
  });

  it('IPv6 addresses make version 3; version 3 has fractions of a second', () => {
    const six = first('vrrp_instance A { interface eth0\n virtual_router_id 1\n advert_int 0.1\n virtual_ipaddress { fe80::1/64 }\n}');
    assert.deepEqual([six.version, six.family, six.advertMs, formatIp(six.multicastGroup)], [3, 6, 100, 'ff02::12']);
    assert.equal(first(instance('  version 3\n  advert_int 0.25')).advertMs, 250);
    assert(told(instance('  advert_int 0.1')).some((line) => line.startsWith('warning') && line.includes('whole seconds')));
  });

  it('a password counts in version 2 with auth_type PASS only, and a notice or warning says so', () => {
    const block = (words: string): string => instance(` authentication {\n${words}\n }`);
    assert.equal(first(block('auth_type PASS\n auth_pass abc')).password, 'abc');
    assert.equal(first(block('auth_pass abc')).password, '');
    assert.equal(first(`${instance(' version 3\n authentication {\n auth_type PASS\n auth_pass abc\n }')}`).password, '');
    assert.match(told(block('auth_pass abc')).join('\n'), /warning 1: auth_pass of VI_1 has no effect without auth_type/);
    assert.match(told(instance(' version 3\n authentication {\n auth_type PASS\n auth_pass abc\n }')).join('\n'), /warning 1: auth_pass of VI_1 has no effect: version 3/);
  });

  it('every address of notification_email counts, on one line or several', () => {
    const addresses = (words: string): readonly string[] => model(`global_defs {\n notification_email ${words}\n}\n${instance()}`).globals.notificationEmail;
    assert.deepEqual(addresses('{ a@b.c d@e.f }'), ['a@b.c', 'd@e.f']);
    assert.deepEqual(addresses('{\n a@b.c\n d@e.f\n }'), ['a@b.c', 'd@e.f']);
  });

  it('virtual_routes are words of ip route; what keepalived adds to them is translated or refused', () => {
    const routes = (lines: string): readonly (readonly string[])[] => first(instance(` virtual_routes {\n${lines}\n }`)).routes.map((route) => route.words);
    assert.deepEqual(routes('src 10.0.0.10 to 192.0.2.0/24 gw 10.0.0.1 dev eth0 no_track\n blackhole 198.51.100.0/24'),
      [['src', '10.0.0.10', 'to', '192.0.2.0/24', 'via', '10.0.0.1', 'dev', 'eth0'], ['blackhole', '198.51.100.0/24']]);
    assert.match(told(instance(' virtual_routes {\n 192.0.2.0/24 via 10.0.0.1 or 10.0.0.2\n }')).join('\n'), /'or' of a route is not supported/);
  });

  it('global defaults hold wherever global_defs stands', () => {
    const made = first(`${instance()}global_defs {\n vrrp_version 3\n vrrp_garp_master_delay 1\n vrrp_garp_master_repeat 2\n}\n`);
    assert.deepEqual([made.version, made.garp.delayMs, made.garp.repeat, made.garp.lowerPriorityDelayMs], [3, 1000, 2, 1000]);
  });

  it('unknown words are errors with the nearest one, known but unsupported ones are named', () => {
    assert(load(instance('  prioriti 5')).problems.some((problem) => problem.severity === 'error' && problem.place.line === 7 && problem.remedy.includes('priority')));
    for (const [text, word] of [[instance('  use_vmac'), 'use_vmac'], [`${instance()}virtual_server 10.0.0.1 80 {\n lb_algo rr\n}\n`, 'virtual_server'], [instance('  authentication {\n auth_type AH\n }'), 'auth_type AH']] as const) {
      assert(told(text).some((line) => line.startsWith('unsupported') && line.includes(word)), word);
      assert.equal(load(text).model, undefined);
    }
  });

  it('numbers out of range, missing names and double ids are errors', () => {
    for (const [text, words] of [
      [instance('  priority 256'), 'from 1 to 255'], [instance('  track_script { nobody }'), 'there is no vrrp_script nobody'],
      [`${instance()}${instance()}`, 'stands twice'], [`${instance()}${instance().replace('VI_1', 'VI_2')}`, 'same virtual_router_id'],
      [`${instance()}vrrp_sync_group G { group { VI_9 } }`, 'there is no vrrp_instance VI_9'], ['global_defs {\n}\n', 'there is no vrrp_instance'],
      [instance('  unicast_peer {\n fe80::1\n }'), 'is not IPv4'], [instance('  unicast_peer {\n }'), 'has no peers'],
      [instance('  unicast_peer {\n 10.0.0.2 ttl 5\n }'), "unexpected 'ttl' after a unicast peer"], [instance('  unicast_peer {\n 10.0.0.2 min_ttl 256\n }'), 'from 0 to 255'],
      [instance().replace('interface eth0', 'interface lo'), 'cannot use the loopback interface'],
    ] as const) assert(told(text).some((line) => line.startsWith('error') && line.includes(words)), `${words}: ${told(text).join('; ')}`);
  });

  it('TTLs of unicast adverts: what is sent, and what each peer may have', () => {
    const made = first(instance('  unicast_ttl 64\n  unicast_peer {\n 10.0.0.2\n 10.0.0.3 min_ttl 60 max_ttl 70\n 10.0.0.4 max_ttl 70\n }'));
    assert.equal(made.unicastTtl, 64);
    assert.deepEqual(made.unicastPeers.map((peer) => [formatIp(peer.address), peer.ttlMin, peer.ttlMax]), [['10.0.0.2', undefined, 255], ['10.0.0.3', 60, 70], ['10.0.0.4', 0, 70]]);
  });

  it('a weight that cannot overcome the usual gap is a warning', () => {
    const text = (priority: number, weight: number): string => `vrrp_script chk {\n script "/bin/true"\n weight ${weight}\n}\n${instance(`  state MASTER\n  priority ${priority}\n  track_script { chk }`)}`;
    assert(told(text(150, 2)).some((line) => line.startsWith('warning') && line.includes('cannot move the address')));
    assert(!told(text(101, 2)).some((line) => line.startsWith('warning')));
    assert(!told(text(150, 0)).some((line) => line.startsWith('warning')));
  });

  it('a weight inside a sync group counts as none', () => {
    const made = model(`vrrp_script chk {\n script "/bin/true"\n weight 5\n}\n${instance('  track_script { chk }')}vrrp_sync_group G { group { VI_1 } }\n`);
    assert.equal(made.instances[0]?.trackScripts[0]?.weight, 0);
  });
});
