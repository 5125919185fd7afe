/**
 * The virtual addresses beside a balancer: joins what the balancer process says of itself to the VRRP node, in the master process.
 * Made by process/master.ts when a keepalived.conf was given. Never touches traffic.
 */
import type { KeepalivedModel, VrrpScript } from '../model/keepalived.ts';
import { limits } from '../model/limits.ts';
import type { PoiseSettings } from '../model/model.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';
import { HealthJudge } from '../vrrp/health-judge.ts';
import { type LogLevel, VrrpNode } from '../vrrp/node.ts';
import { NodeMail } from './node-mail.ts';
import { NodeStatus } from './node-status.ts';
import type { Notices } from './notices.ts';
import { spawnVrrp } from './parent.ts';
import type { BalancerWord } from './parent.ts';

const lookMs = 200;
const tellMs = 1000;
/** Commands that ask whether a process called haproxy exists: here the balancer itself is asked. */
const asksForHaproxy = /^(\/usr\/bin\/|\/bin\/|\/usr\/sbin\/)?(killall (-0|-s 0)|pidof|pgrep( -x)?|systemctl is-active( --quiet)?) (haproxy|poise)(\.service)?$/;

export class HighAvailability {
  readonly node: VrrpNode;
  readonly #judge: HealthJudge;
  readonly #detectionMs: number;
  readonly #mail: NodeMail;
  readonly #status: NodeStatus;
  readonly #answered: readonly VrrpScript[];
  #started = false;
  #timer: NodeJS.Timeout | undefined;
  #tellTimer: NodeJS.Timeout | undefined;

  /** `file`: the keepalived.conf, which names the node for `poise vrrp status`. */
  constructor(file: string, model: KeepalivedModel, settings: PoiseSettings, notices: Notices) {
    this.#detectionMs = Math.min(...model.instances.map((instance) => instance.downTimerAdverts * instance.advertMs));
    this.#judge = new HealthJudge(this.#detectionMs);
    this.#answered = model.scripts.filter((script) => asksForHaproxy.test(script.command.words.join(' ')));
    for (const script of this.#answered) {
      notices.notice(`vrrp_script ${script.name} (${script.command.words.join(' ')}) is not run: the balancer is asked instead whether its threads move and every listener answers.`);
    }
    const log = nodeLog(notices);
    this.#mail = new NodeMail(model, settings, log);
    this.node = new VrrpNode({
      model, spawn: spawnVrrp, log,
      onReport: (report) => { this.#mail.hear(report); },
      answeredHere: (script) => this.#answered.includes(script),
    });
    this.#status = new NodeStatus(file, () => this.node.status(), (text) => { notices.warning(text); });
  }

  /** `told` hears the state of all instances once a second. */
  start(told: (status: readonly InstanceStatus[]) => void): void {
    this.#tellTimer = setInterval(() => { void this.node.status().then(told); }, tellMs);
    this.#look();
    this.#timer = setInterval(() => { this.#look(); }, lookMs);
  }

  /** A message of the balancer process that serves now. */
  hear(word: BalancerWord): void {
    this.#judge.says(word.why, performance.now(), word.takesUp);
    if (word.checked) this.node.ready();
    this.#look();
    // Before there is something to give traffic to, VRRP has no state: a start is no FAULT that anybody should be told of.
    if (!this.#started) this.node.start();
    this.#started = true;
  }

  /** While this process reads a configuration it says nothing, and hangs all the same no longer than for the limit. */
  async whileBusy(work: () => Promise<void>): Promise<void> {
    if (!this.#started) return work();
    await this.node.busy(limits.takeUpMsMax);
    try {
      await work();
    } finally {
      void this.node.busy(0);
    }
  }

  /** The balancer process that served has ended. */
  died(): void {
    this.#judge.died(performance.now());
    setTimeout(() => { if (this.#started) this.#look(); }, this.#detectionMs + 1).unref();
  }

  #look(): void {
    const why = this.#judge.why(performance.now());
    this.node.health(why);
    for (const script of this.#answered) this.node.scriptResult(script.name, why === '');
  }

  /** True when this node has virtual addresses. */
  async isMaster(): Promise<boolean> {
    return (await this.node.status()).some((instance) => instance.state === 'MASTER');
  }

  /** Hands the addresses over (priority 0) and ends. They stay set here until `quiet`, at most for the limit. */
  async stop(quiet: Promise<void>): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#tellTimer);
    await this.node.stop(quiet, limits.addressLingerMs);
  }

  /** The last letters have a moment. */
  close(): Promise<void> {
    this.#status.close();
    return this.#mail.close();
  }
}

/** Messages of a node to the operator. */
export function nodeLog(notices: Notices): (level: LogLevel, text: string) => void {
  return (level, text) => {
    if (level === 'err') notices.alert(text);
    else if (level === 'warning') notices.warning(text);
    else notices.notice(text);
  };
}
