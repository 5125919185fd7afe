/**
 * What the system refuses a node, in network namespaces: permissions, interfaces, addresses; programs that hang; mail servers in trouble. Each
 * is FAULT with its reason, moves the address to the other node once, and ends when its cause ends.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours, keepalivedConf, type Flavour } from '../../harness/pair/flavours.ts';
import { Stage, until, type Host } from '../../harness/pair/stage.ts';
import { partOf } from '../../harness/pair/whole-node.ts';
import { sleep } from '../../harness/place.ts';
import { projectFolder } from '../../harness/program.ts';

const startMs = 30_000;
const flavour = flavours.find((one) => one.name === 'version 3, multicast') as Flavour;
const { address } = flavour;

function entered(host: Host, state: string): number {
  return host.printed.split(`Entering ${state} STATE`).length - 1;
}

describeInNamespaces('a node in trouble', { concurrency: 4 }, () => {
  const stages: Stage[] = [];
  after(() => { for (const stage of stages) stage.remove(); });

  /** `changed`: the first node's file. */
  function begin(changed = (text: string): string => text): { stage: Stage; first: Host; second: Host; files: readonly string[] } {
    const stage = new Stage();
    stages.push(stage);
    const [first, second] = stage.hosts;
    const files = [stage.file('first.conf', changed(keepalivedConf(flavour, 0))), stage.file('second.conf', keepalivedConf(flavour, 1))];
    return { stage, first, second, files };
  }
  const onlyOn = (host: Host, other: Host) => (): boolean => host.has(address) && !other.has(address);

  it('without permission for raw sockets is in FAULT and says so', { timeout: 110_000 }, async () => {
    const { first, second, files } = begin();
    first.run('setpriv', ['--bounding-set=-net_raw', '--', join(projectFolder, 'bin/poise'), 'vrrp', '-f', files[0] ?? '']);
    second.runPoise('vrrp', '-f', files[1] ?? '');
    await until('the second node has the address', startMs, onlyOn(second, first));
    await until('the first node says why', startMs, () => /Entering FAULT STATE \(socket: operation not permitted\)/i.test(first.printed));
    await sleep(2500);
    assert.deepEqual([entered(first, 'FAULT'), entered(first, 'MASTER'), entered(second, 'MASTER')], [1, 0, 1], 'it is said once, and nothing moves');
  });

  it('with an interface that comes later is in FAULT until then', { timeout: 110_000 }, async () => {
    const { first, files } = begin((text) => text.replace(`${address}/24`, `${address}/24 dev late0`));
    first.runPoise('vrrp', '-f', files[0] ?? '');
    await until('it says why', startMs, () => first.printed.includes(`Entering FAULT STATE (there is no interface late0 for ${address})`));
    first.exec('link', 'add', 'late0', 'type', 'bridge');
    first.exec('link', 'set', 'late0', 'up');
    await until('it has the address', 5000, () => first.addresses('late0').includes(address));
    first.exec('link', 'del', 'late0');
    await until('it says so again', 5000, () => entered(first, 'FAULT') === 2);
    first.exec('link', 'add', 'late0', 'type', 'bridge');
    first.exec('link', 'set', 'late0', 'up');
    await until('it has the address again', 5000, () => first.addresses('late0').includes(address));
  });

  it('with an address that cannot be set leaves it to the other node until it can', { timeout: 110_000 }, async () => {
    const { first, second, files } = begin((text) => text.replace('  virtual_ipaddress', '  virtual_ipaddress_excluded {\n    2001:db8:77::101/64\n  }\n  virtual_ipaddress'));
    first.setKnob('ipv6/conf/eth0/disable_ipv6', '1');
    second.runPoise('vrrp', '-f', files[1] ?? '');
    await until('the second node has the address', startMs, onlyOn(second, first));
    first.runPoise('vrrp', '-f', files[0] ?? '');
    await until('the first node says why', startMs, () => /Entering FAULT STATE \(cannot set 2001:db8:77::101 on eth0: adding the address: permission denied\)/i.test(first.printed));
    await until('the second node has it again', 3000, onlyOn(second, first));
    await sleep(3500);
    assert.deepEqual([entered(first, 'MASTER'), entered(second, 'MASTER')], [1, 2], 'one try, and no flapping');
    first.setKnob('ipv6/conf/eth0/disable_ipv6', '0');
    await until('the first node has both addresses', 8000, () => onlyOn(first, second)() && first.has('2001:db8:77::101'));
  });

  it('whose VRRP process hangs starts it again, and whose master hangs gives the address up', { timeout: 110_000 }, async () => {
    const { first, second, files } = begin();
    first.runPoise('vrrp', '-f', files[0] ?? '');
    second.runPoise('vrrp', '-f', files[1] ?? '');
    await until('the first node has the address', startMs, onlyOn(first, second));
    const [hung = 0] = partOf(first, 'vrrp');
    process.kill(hung, 'SIGSTOP');
    await until('the second node has the address alone', startMs, onlyOn(second, first));
    await until('it says why', 1000, () => first.printed.includes('the VRRP process has not answered for 2 s: it is ended'));
    await until('the first node has it again', startMs, onlyOn(first, second));
    const [master = 0] = partOf(first, '');
    process.kill(master, 'SIGSTOP');
    await until('the second node has the address', 6000, onlyOn(second, first));
    process.kill(master, 'SIGCONT');
    await until('the first node has it again', startMs, onlyOn(first, second));
    await until('it says why', 1000, () => first.printed.includes('Entering FAULT STATE (the master process has said nothing for too long)'));
  });

  it('whose VRRP process is killed while it stops leaves no address', { timeout: 110_000 }, async () => {
    const { first, second, files } = begin();
    first.runPoise('vrrp', '-f', files[0] ?? '');
    await until('the first node has the address', startMs, onlyOn(first, second));
    for (const pid of partOf(first, 'vrrp')) process.kill(pid, 'SIGKILL');
    await first.stop();
    assert.equal(first.has(address), false);
  });

  it('sets and takes off virtual_routes with the address', { timeout: 110_000 }, async () => {
    const { first, second, files } = begin((text) => text.replace('  virtual_ipaddress', '  virtual_routes {\n    src 10.77.0.100 to 192.0.2.0/24 via 10.77.0.1 dev eth0\n    blackhole 198.51.100.0/24 no_track\n    203.0.113.0/24 gw 10.77.0.1\n  }\n  virtual_ipaddress'));
    first.runPoise('vrrp', '-f', files[0] ?? '');
    const routes = (): string => first.exec('route', 'show');
    await until('the routes are set', startMs, () => ['192.0.2.0/24 via 10.77.0.1 dev eth0 src 10.77.0.100', 'blackhole 198.51.100.0/24', '203.0.113.0/24 via 10.77.0.1 dev eth0'].every((route) => routes().includes(route)));
    assert.equal(first.has(address), true);
    first.exec('addr', 'del', `${address}/24`, 'dev', 'eth0');
    await until('address and route are set again', 2000, () => first.has(address) && routes().includes('src 10.77.0.100'));
    await first.stop();
    assert.doesNotMatch(routes(), /192\.0\.2|198\.51\.100|203\.0\.113/);
    assert.equal(second.has(address), false);
  });

  const silent = 'require("node:net").createServer(() => {}).listen(80, "10.77.0.21")';
  const refusing = 'require("node:net").createServer((socket) => socket.on("error", () => {}).end("554 go away\\r\\n")).listen(80, "10.77.0.21")';
  for (const [what, server, program] of [['is not there', '10.77.0.250', ''], ['listens nowhere', '10.77.0.21 81', ''], ['takes connections and says nothing', '10.77.0.21 80', silent], ['refuses every letter', '10.77.0.21 80', refusing]] as const) {
    it(`with a mail server that ${what} moves as fast as ever`, { timeout: 110_000 }, async () => {
      const { first, second } = begin();
      const alert = (text: string): string => text.replace('  router_id', `  notification_email { admin@lab.local }\n  smtp_server ${server}\n  smtp_alert\n  router_id`);
      const mailServer = program === '' ? undefined : first.stage.inWorld(process.execPath, ['-e', program]);
      try {
        [first, second].forEach((host, index) => { host.runPoise('vrrp', '-f', first.stage.file(`mail-${index}.conf`, alert(keepalivedConf(flavour, index === 0 ? 0 : 1)))); });
        await until('the first node has the address', startMs, onlyOn(first, second));
        for (let time = 0; time < 2; time++) {
          first.link('down');
          // A mail server is given up after 30 s at the earliest; a machine that stumbles takes a second or two.
          await until('the second node has the address', 5000, () => second.has(address));
          first.link('up');
          await until('the first node has it again', startMs, onlyOn(first, second));
        }
        if (program === refusing) await until('it was asked, and refused', 5000, () => /mail not sent yet, it is tried again: .*554 go away/.test(second.printed));
      } finally {
        mailServer?.kill();
      }
    });
  }
});
