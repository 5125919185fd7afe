/**
 * What the control thread made of a Model: server states, checks, watches, rates, mail. The counterpart of a traffic thread's Plan: a reload
 * makes another one, which takes over from `former` what was found, counted and set by hand. Made by balancer.ts.
 */
import { hostname } from 'node:os';
import { systemClock } from '../base/clock.ts';
import { AlertMail } from '../control/alert-mail.ts';
import type { ControlEvent, Events } from '../control/events.ts';
import { startHealth } from '../control/health/checker.ts';
import type { CheckDue, Health } from '../control/health/checker.ts';
import { Sampler, samplePeriodMs } from '../control/sampler.ts';
import { SelfCheck, selfCheckPeriodMs } from '../control/self-check.ts';
import { ServerStates } from '../control/server-states.ts';
import type { AdviceList } from '../control/watch/advice-list.ts';
import { watchLastResorts } from '../control/watch/last-resort.ts';
import { ProbeWatch } from '../control/watch/probe-watch.ts';
import { TrafficWatch, trafficWatchPeriodMs } from '../control/watch/traffic-watch.ts';
import type { ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { Segments } from '../shared/segments.ts';
import { tellHealth } from './parent.ts';

interface ControlGround {
  readonly events: Events;
  readonly advice: AdviceList;
  /** To all traffic threads; objects by index. */
  readonly broadcast: (message: ToTraffic) => void;
  readonly warn: (text: string) => void;
  readonly tellOfMail: (level: 'info' | 'warning', text: string) => void;
  /** Virtual addresses or systemd's watchdog depend on this process: it asks its own listeners and tells its master. */
  readonly selfCheck: boolean;
  /** Another configuration is being taken up. */
  readonly takesUp: () => boolean;
}

const tellHealthMs = 500;

export class ControlPlan {
  readonly model: Model;
  readonly segments: Segments;
  readonly states: ServerStates;
  readonly probeWatch: ProbeWatch;
  readonly trafficWatch: TrafficWatch;
  readonly sampler: Sampler;
  private readonly ground: ControlGround;
  private readonly timers: NodeJS.Timeout[] = [];
  /** Tells the master how this process is, out of turn. */
  tellOfHealth: () => void = () => undefined;
  private endLastResorts: () => void = () => undefined;
  private health: Health | null = null;
  /** Null before the process runs as who it will be. */
  private mail: AlertMail | null = null;

  constructor(model: Model, segments: Segments, ground: ControlGround, former: ControlPlan | null) {
    this.model = model;
    this.segments = segments;
    this.ground = ground;
    this.states = new ServerStates(model, segments, { clock: systemClock, post: ground.broadcast, events: ground.events, ...(former === null ? {} : { former: former.states }) });
    this.probeWatch = new ProbeWatch(model, ground.advice, (server) => this.states.address(server));
    this.trafficWatch = new TrafficWatch(model, ground.advice, systemClock);
    this.sampler = new Sampler(model, segments, former?.sampler);
  }

  /** Checks and everything else that goes on by itself. `former` has been stopped. */
  start(former: ControlPlan | null): void {
    const { model, states, ground } = this;
    if (former !== null) this.takeAdvice(former.segments);
    this.endLastResorts = watchLastResorts(model, ground.events, ground.advice, (server) => this.states.isStopped(server));
    this.mail = new AlertMail(model, model.global.node === '' ? hostname() : model.global.node, ground.tellOfMail);
    this.health = startHealth(model, states, {
      clock: systemClock, random: Math.random, log: ground.warn, watch: this.probeWatch,
    }, this.dueOf(former));
    this.every(samplePeriodMs, () => this.sampler.tick(systemClock.monoMs()));
    this.every(trafficWatchPeriodMs, () => {
      this.trafficWatch.look();
      ground.advice.look();
    });
    if (ground.selfCheck) this.startSelfCheck();
  }

  /** A reload: what was noticed so far, for the indexes of now. */
  private takeAdvice(former: Segments): void {
    const { segments } = this;
    this.ground.advice.reloaded((proxy) => segments.proxyAt(former.proxySlot(proxy)), (server) => segments.serverAt(former.serverSlot(server)));
  }

  /** Made apart from what lives on: a closure that stays would keep all former plans in memory. */
  private dueOf(former: ControlPlan | null): (server: number) => CheckDue | undefined {
    const { segments } = this;
    return (server) => former?.health?.due(former.segments.serverAt(segments.serverSlot(server)));
  }

  private startSelfCheck(): void {
    const check = new SelfCheck(this.model, this.segments, (server) => !this.states.isStopped(server), this.ground.takesUp);
    this.every(selfCheckPeriodMs, () => check.look());
    this.tellOfHealth = () => {
      const broken = check.broken(systemClock.monoMs());
      tellHealth({ broken, why: broken === '' ? check.unserved() : broken, checked: this.health?.everyServerChecked() ?? false, takesUp: this.ground.takesUp() });
    };
    this.every(tellHealthMs, this.tellOfHealth);
  }

  observed(server: number, layer: 4 | 7, why: string): void {
    this.health?.observed(server, layer, why);
  }

  /** What a command tells the traffic threads, on its way to them. */
  heard(message: ToTraffic): ToTraffic {
    if (message.type === 'certificates') {
      for (const { slot, tls } of message.binds) {
        this.probeWatch.certificatesServed(this.segments.bindAt(slot), tls.certificates.flatMap(({ certificate }) => message.certificates[certificate]?.fingerprint ?? []));
      }
    }
    return message;
  }

  mailOf(event: ControlEvent): void {
    this.mail?.hear(event);
  }

  /** Resolves when the last letters have left or wait on disk. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.endLastResorts();
    this.health?.stop();
    this.states.stop();
    await this.mail?.close();
  }

  private every(periodMs: number, run: () => void): void {
    this.timers.push(setInterval(run, periodMs));
  }
}
