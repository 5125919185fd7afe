/**
 * `npm run demo:pair`: the article's failover on one machine in about a minute. Two hosts, two servers, a mailbox and a client are network
 * namespaces on a bridge; both hosts run the whole program with the article's keepalived.conf. The first host loses its power, the second
 * one takes the virtual address, the first one returns. Needs root and `ip` (iproute2) and leaves nothing behind.
 */
import { Outside } from '../../test/harness/pair/outside.ts';
import { Stage, until, whyNoNamespaces, type Host } from '../../test/harness/pair/stage.ts';
import { articleConf, startNode, virtualAddress } from '../../test/harness/pair/whole-node.ts';
import { sleep } from '../../test/harness/place.ts';

const perSecond = 50;
const patienceMs = 3000;
const pingsPerSecond = 1;
const waitMsMax = 20_000;
const beganMs = Date.now();

function say(text: string): void {
  console.log(`${((Date.now() - beganMs) / 1000).toFixed(1).padStart(5)} s  ${text}`);
}

class Demo {
  readonly #stage = new Stage();
  readonly #outside = new Outside(this.#stage);
  #lettersShown = 0;

  async #wait(host: Host): Promise<void> {
    const other = this.#stage.hosts.find((one) => one !== host);
    await until(`${host.name} has ${virtualAddress}`, waitMsMax, () => host.has(virtualAddress) && this.#stage.neighbour(virtualAddress) === host.hardwareAddress());
    say(`${virtualAddress} is at ${host.hardwareAddress()} for the network: ${host.name} answers${other?.has(virtualAddress) === true ? ` (${other.name} is dark)` : ''}.`);
  }

  async #count(): Promise<void> {
    const { sent, lost, open, longestGapMs, nodes, pings } = await this.#outside.report();
    const answers = Object.entries(nodes).map(([node, count]) => `${count} by ${node}`).join(', ');
    say(`client: ${sent} requests, answered ${answers === '' ? 'none' : answers}; ${lost} lost${open > 2 ? `, ${open} still wait` : ''}; longest time without an answer ${longestGapMs} ms; ${pings.lost} of ${pings.sent} pings lost.`);
  }

  #showLetters(): void {
    for (const letter of this.#outside.letters.slice(this.#lettersShown)) say(`mail to ${letter.to}: ${letter.subject}`);
    this.#lettersShown = this.#outside.letters.length;
  }

  async run(): Promise<void> {
    const [first, second] = this.#stage.hosts;
    await this.#outside.ready();
    say('two servers, a mailbox and a client are there; hap01 starts with examples/keepalived-hap01.conf, then hap02 with its own.');
    startNode(this.#stage, 0, 'poise', articleConf(0));
    await this.#wait(first);
    startNode(this.#stage, 1, 'poise', articleConf(1));
    await sleep(3000);
    this.#showLetters();
    this.#outside.load(perSecond, patienceMs, pingsPerSecond);
    say(`a client asks http://${virtualAddress}/ ${perSecond} times a second, each time on a new connection, and waits up to ${patienceMs / 1000} s; it also pings once a second.`);
    await sleep(4000);
    await this.#count();

    say('hap01 loses its power.');
    first.cutPower();
    await this.#wait(second);
    await sleep(patienceMs + 1000);
    await this.#count();
    this.#showLetters();

    say('hap01 gets its power back and starts.');
    first.restorePower([virtualAddress]);
    startNode(this.#stage, 0, 'poise', articleConf(0));
    await this.#wait(first);
    await sleep(patienceMs + 1000);
    await this.#count();
    this.#showLetters();

    say('hap01 is stopped as planned (SIGTERM): it hands over first.');
    await first.stop();
    await this.#wait(second);
    await sleep(patienceMs + 1000);
    await this.#count();
    this.#showLetters();
  }

  close(): void {
    this.#outside.close();
    this.#stage.remove();
  }
}

const missing = whyNoNamespaces();
if (missing !== '') {
  console.error(`demo:pair makes network namespaces, bridges and virtual addresses, and cannot here: ${missing}. Run it as root (sudo npm run demo:pair) on Linux with iproute2.`);
  process.exit(1);
}
const demo = new Demo();
let code = 0;
try {
  await demo.run();
} catch (error) {
  console.error(`demo:pair: ${(error as Error).message}`);
  code = 1;
} finally {
  demo.close();
}
process.exit(code);
