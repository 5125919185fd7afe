/**
 * The virtual address of a pair, in network namespaces: Poise with Poise, and with keepalived on either side, through stop, return, power-off,
 * a balancer that hangs, and a network that splits and heals. A Poise that comes first is a whole node, one that comes second `poise vrrp`. Seen from outside: who has the address, and whose hardware address the network knows for it.
 */
import { after, it } from 'node:test';
import { describeInNamespaces } from '../../harness/pair/describe.ts';
import { flavours, keepalivedConf, type Flavour } from '../../harness/pair/flavours.ts';
import { Stage, until, type Host } from '../../harness/pair/stage.ts';
import { haproxyCfg, partOf } from '../../harness/pair/whole-node.ts';
import { sleep } from '../../harness/place.ts';

type Program = 'poise' | 'keepalived';
const pairs: readonly (readonly [Program, Program])[] = [['poise', 'poise'], ['poise', 'keepalived'], ['keepalived', 'poise']];

class Pair {
  readonly stage = new Stage();
  readonly flavour: Flavour;
  readonly programs: readonly [Program, Program];
  readonly first: Host;
  readonly second: Host;
  /** Three adverts and the skew, and what starting a program takes. */
  readonly takeOverMs: number;

  constructor(flavour: Flavour, programs: readonly [Program, Program]) {
    this.flavour = flavour;
    this.programs = programs;
    [this.first, this.second] = this.stage.hosts;
    this.takeOverMs = flavour.advertInterval * 3000 + 1000;
  }

  start(node: 0 | 1): void {
    const host = this.stage.hosts[node];
    const file = this.stage.file(`${host.name}.conf`, keepalivedConf(this.flavour, node));
    if (this.programs[node] === 'keepalived') host.runKeepalived(file);
    else if (node === 0) host.runPoise('-f', this.stage.file('haproxy.cfg', haproxyCfg(0)), '--keepalived', file);
    else host.runPoise('vrrp', '-f', file);
  }

  async hasIt(host: Host, timeoutMs: number): Promise<void> {
    const other = host === this.first ? this.second : this.first;
    // A machine that was powered off here keeps the address that nobody took away; Poise and keepalived clear it when they start.
    const mine = (): boolean => host.has(this.flavour.address) && (other === this.poweredOff || !other.has(this.flavour.address));
    await until(`${host.name} alone has ${this.flavour.address}`, timeoutMs, mine);
  }

  poweredOff: Host | undefined;
}

/** A machine under the load of other tests may start a program late. */
const startMs = 30_000;

async function story(pair: Pair): Promise<void> {
  const { first, second, takeOverMs } = pair;
  pair.start(1);
  pair.start(0);
  await pair.hasIt(first, takeOverMs * 2 + startMs);
  // keepalived may be there long before a runtime has started.
  if (pair.programs[1] === 'poise') await until('the second node listens', startMs, () => second.printed.includes('Entering BACKUP STATE'));

  await first.stop();
  await pair.hasIt(second, takeOverMs);

  pair.start(0);
  await pair.hasIt(first, takeOverMs + startMs);

  first.powerOff();
  first.link('down');
  pair.poweredOff = first;
  await pair.hasIt(second, takeOverMs + 1000);
  first.link('up');
  pair.poweredOff = undefined;
  if (pair.flavour.address.includes(':')) restoreIpv6(first);
  pair.start(0);
  await pair.hasIt(first, takeOverMs + startMs);

  if (pair.programs[0] === 'poise') {
    const [balancer = 0] = partOf(first, 'balancer');
    process.kill(balancer, 'SIGSTOP');
    await until('the second node has the address of the hung one', takeOverMs + startMs, () => second.has(pair.flavour.address) && !first.has(pair.flavour.address));
    process.kill(balancer, 'SIGCONT');
    await pair.hasIt(first, takeOverMs + startMs);
  }

  first.unplug();
  await until('both are master while the network is split', takeOverMs + 1000, () => second.has(pair.flavour.address) && first.has(pair.flavour.address));
  // Longer than a preemption could explain.
  await sleep(pair.flavour.advertInterval * 2000 + 500);
  first.plug();
  await until('one master after it heals', pair.flavour.advertInterval * 1000 + 1500, () => first.has(pair.flavour.address) && !second.has(pair.flavour.address));
}

/** A link that goes down loses its IPv6 addresses. */
function restoreIpv6(host: Host): void {
  host.exec('addr', 'replace', '2001:db8:77::11/64', 'dev', 'eth0', 'nodad');
}

describeInNamespaces('a pair', { concurrency: 6 }, () => {
  const stages: Stage[] = [];
  after(() => { for (const stage of stages) stage.remove(); });
  for (const flavour of flavours) {
    for (const programs of pairs) {
      it(`${programs[0]} and ${programs[1]}, ${flavour.name}`, { timeout: 110_000 }, async () => {
        const pair = new Pair(flavour, programs);
        stages.push(pair.stage);
        try {
          await story(pair);
          if (programs.every((program) => program === 'poise')) {
            // IPv6 has no field that tells a split from a preemption: only the node that stays master can know.
            for (const host of flavour.address.includes(':') ? [pair.first] : pair.stage.hosts) await until(`${host.name} records two masters`, 1000, () => host.printed.includes('there were two masters'));
          }
          if (flavour.address.includes('.')) {
            // What the network has learnt from the announcements: nobody has asked for the address. A keepalived that was master yields without a
            // word, so that the other one knows nothing of it until it announces itself the next time.
            await until('the network knows where it is', programs[1] === 'keepalived' ? 12_000 : 1000, () => pair.stage.neighbour(flavour.address) === pair.first.hardwareAddress());
          }
        } finally {
          pair.stage.remove();
        }
      });
    }
  }
});
