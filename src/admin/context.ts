/**
 * What runtime commands and the statistics server work with. process/ gives the parts (AdminParts), createAdminContext() makes
 * the rest. Tests give fakes. One per balancer process, in the control thread.
 */
import type { Clock } from '../base/clock.ts';
import type { Counting } from '../control/counting.ts';
import type { Events } from '../control/events.ts';
import type { AdviceList } from '../control/watch/advice-list.ts';
import type { Sampler } from '../control/sampler.ts';
import type { ServerStates } from '../control/server-states.ts';
import type { RemovedObject, ToControl, ToTraffic } from '../model/messages.ts';
import type { Model } from '../model/model.ts';
import type { InstanceStatus } from '../model/vrrp-messages.ts';
import { takeSnapshot } from '../report/snapshot.ts';
import type { Snapshot } from '../report/row.ts';
import type { ReportSources } from '../report/sources.ts';
import type { Segments } from '../shared/segments.ts';
import type { StickTables } from '../shared/stick-table.ts';
import { Authorities } from './authorities.ts';
import { CapturedErrors } from './captured-errors.ts';
import { Certificates } from './certificates.ts';
import { EventLog } from './event-log.ts';
import { Frontends } from './frontends.ts';
import { Patterns } from './patterns.ts';
import { ThreadQuestions } from './thread-questions.ts';

export interface AdminParts {
  readonly model: Model;
  readonly segments: Segments;
  readonly servers: ServerStates;
  readonly sampler: Sampler;
  readonly counting: Counting;
  readonly tables: StickTables;
  readonly events: Events;
  readonly advice: AdviceList;
  readonly clock: Clock;
  /** Posts to every traffic thread. */
  readonly broadcast: (message: ToTraffic) => void;
  readonly pid: number;
  readonly startedAtMs: number;
  readonly nodeName: string;
  /** Limit of client connections that start-up chose. */
  readonly maxconn: number;
  /** Limit of file descriptors. */
  readonly descriptorsMax: number;
  readonly bootMs: number;
  /** Lines printed at start (`show startup-logs`), without line ends. */
  readonly startupMessages: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly warnings: () => number;
  readonly stopping: () => boolean;
  /** What the master process has told of the VRRP instances; empty without. */
  readonly virtualAddresses: () => readonly InstanceStatus[];
  /** Takes the configuration files up again, in place. */
  readonly reload: () => Promise<ReloadAnswer>;
  /** Takes up what `change` makes of the configuration in force; what commands have set stays. */
  readonly edit: (change: () => Model) => Promise<ReloadAnswer>;
  /** Asks the master for a balancer process that takes over. False: there is no master. */
  readonly upgrade: () => boolean;
  readonly removed: () => readonly RemovedObject[];
  /** Since the process started. */
  readonly reloads: () => number;
}

/** What came of a reload; `ok` false: nothing has changed. */
export interface ReloadAnswer { readonly ok: boolean; readonly lines: readonly string[] }

export interface AdminContext extends AdminParts {
  readonly frontends: Frontends;
  readonly patterns: Patterns;
  readonly errors: CapturedErrors;
  readonly eventLog: EventLog;
  readonly threads: ThreadQuestions;
  readonly certificates: Certificates;
  readonly ca: Authorities;
  readonly crl: Authorities;
  readonly snapshot: () => Snapshot;
  /** Messages of the traffic threads that concern this room; others are ignored. */
  readonly receive: (message: ToControl) => void;
  readonly clearCounters: (all: boolean) => void;
}

/** Where a proxy of one configuration stands in the other, −1 = nowhere. Made apart from what lives on: a closure that stays would keep all former contexts in memory. */
function placesIn(other: Segments, one: Segments): (proxy: number) => number {
  return (proxy) => other.proxyAt(one.proxySlot(proxy));
}

/** `former`: before a reload; what was set by hand and what is remembered goes on. `isEdit`: the files were not read again, so maps and certificates go on too. */
export function createAdminContext(parts: AdminParts, former?: AdminContext, isEdit = false): AdminContext {
  const { model, segments, broadcast } = parts;
  const indexOf = former === undefined ? () => -1 : placesIn(former.segments, segments);
  const frontends = new Frontends(model, parts.maxconn, broadcast, former === undefined ? undefined : { frontends: former.frontends, indexOf });
  const patterns = isEdit && former !== undefined ? former.patterns : new Patterns(model, broadcast);
  const errors = new CapturedErrors(model, former === undefined ? undefined : { errors: former.errors, indexNow: placesIn(segments, former.segments) });
  const threads = former?.threads ?? new ThreadQuestions(segments.threads, broadcast);
  const sources: ReportSources = {
    nowMs: () => parts.clock.dateMs(),
    startedAtMs: parts.startedAtMs,
    pid: parts.pid,
    nodeName: parts.nodeName,
    frontendState: proxy => frontends.state(proxy),
    frontendMaxconn: proxy => frontends.maxconn(proxy),
    processLimits: frontends.limits,
    servers: parts.servers,
    counting: parts.counting,
    rates: parts.sampler.process,
    descriptorsMax: parts.descriptorsMax,
    bootMs: parts.bootMs,
    warnings: parts.warnings,
    stopping: parts.stopping,
    patternsAdded: () => patterns.added,
    patternsFreed: () => patterns.freed,
    virtualAddresses: parts.virtualAddresses,
  };
  return {
    ...parts,
    frontends,
    patterns,
    errors,
    eventLog: former?.eventLog ?? new EventLog(parts.events),
    threads,
    certificates: new Certificates(model, segments, broadcast, isEdit ? former?.certificates : undefined),
    ca: new Authorities('ca', model, isEdit ? former?.ca : undefined),
    crl: new Authorities('crl', model, isEdit ? former?.crl : undefined),
    snapshot: () => {
      parts.sampler.refresh(parts.clock.monoMs());
      return takeSnapshot(model, segments, sources);
    },
    receive: (message) => {
      if (message.type === 'answered') threads.receive(message);
      else if (message.type === 'captured-error') errors.capture(message);
      else if (message.type === 'patterns-changed') patterns.changedByRule(message.id, message.op, message.key, message.value);
    },
    clearCounters: (all) => {
      if (all) parts.counting.cleared(segments.objects(), parts.clock.dateMs());
      segments.clearCounters(segments.threads, all);
      segments.clearHighest();
      parts.sampler.clearMaxima();
      broadcast({ type: 'clear-counters', all });
    },
  };
}
