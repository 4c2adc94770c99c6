import { LANES } from '../../contract/lane.ts';
import type { AlertName, AlertText } from '../alerts/alert.ts';
import type { LastDelivery } from '../alerts/queue.ts';
import type { GateStatus, GroupCounts } from '../durable-objects/rate-gate.ts';
import { NOTHING, sum, type Totals, waiting } from '../queue/counters/totals.ts';
import { addViolations, NO_VIOLATIONS, type ViolationCounts } from '../queue/plan-violations.ts';
import type { LaneStatus, OutboxStatus } from '../queue/status.ts';
import type { Webhook } from '../settings/alert-webhook.ts';
import type { BotMode, PlanMode } from '../settings/settings.ts';
import { type BotStatus, botStatus } from './bot-status.ts';
import {
  callsIn,
  drainMs,
  growthPerMinute,
  lastHour,
  type MinuteStatus,
  minuteStatus,
} from './minute-status.ts';
import { type SenderStatus, sendersOf } from './sender-status.ts';

/** An outbox's name and status. The status is undefined if the outbox did not answer. */
export type NamedOutbox = { readonly name: string; readonly status: OutboxStatus | undefined };

/** The active alerts, and where messages about them go. */
export type AlertStatus = {
  readonly active: readonly (AlertText & { readonly alert: AlertName; readonly since: number })[];
  readonly destinations: readonly {
    readonly form: Webhook['form'];
    /** Messages that have not arrived yet. */
    readonly waiting: number;
    /** The outcome of the last message; null if there was none. Status 0 means no answer. */
    readonly last: LastDelivery | null;
  }[];
  /** The document with a section for each alert and state. */
  readonly runbooks: string;
};

/** What `POST /admin/alerts/test` answers: one entry for each destination, in the order of ALERT_WEBHOOK. */
export type TestedAlerts = {
  readonly sent: readonly {
    readonly form: Webhook['form'];
    readonly delivered: boolean;
    /** The answer of the destination; 0 if there was none within ten seconds. */
    readonly status: number;
  }[];
};

/** The state of the relay: the answer to `GET /admin/status`. */
export type RelayStatus = {
  readonly version: string;
  readonly at: number;
  readonly backlog: {
    readonly records: number;
    readonly oldestAgeMs: number;
    readonly retrying: number;
    readonly byStatus: Readonly<Record<string, number>>;
    readonly maxRecords: number;
    /** Averaged over the last minutes. Negative if the backlog shrinks. */
    readonly growthPerMinute: number;
    /** How long it takes to drain at that pace. 0 if it is empty, null if it does not shrink. */
    readonly drainMs: number | null;
  };
  /** The waiting records by lane. The most important lane comes first. */
  readonly lanes: readonly LaneStatus[];
  /** Pages first, then each server in each lane that it has used. */
  readonly senders: readonly SenderStatus[];
  readonly deadLetters: number;
  readonly gate: GateStatus;
  /** The last hour, oldest first. Minutes without activity are left out. */
  readonly minutes: readonly MinuteStatus[];
  /** Records per accepted call in that hour. Null if there was no such call. */
  readonly recordsPerCall: number | null;
  readonly totals: Totals & { readonly accepted: number; readonly calls: number };
  readonly shards: readonly {
    readonly name: string;
    readonly records: number;
    readonly oldestAgeMs: number;
    readonly deadLetters: number;
    readonly databaseBytes: number;
    /**
     * It accepts nothing more until records are sent or dead letters are dealt with. Browsers keep their records.
     */
    readonly full: boolean;
    /** It did not answer, so its figures here are zero. Its records are still stored. */
    readonly unreachable: boolean;
  }[];
  readonly bots: BotStatus;
  readonly alerts: AlertStatus;
  /** Violations of the tracking plan in the last days. Null if the relay has no plan. */
  readonly trackingPlan: ({ readonly mode: PlanMode } & ViolationCounts) | null;
};

/** The status of an outbox that has had no records, or that did not answer. */
export const EMPTY_OUTBOX: OutboxStatus = {
  records: 0,
  oldestAgeMs: 0,
  retrying: 0,
  byStatus: {},
  deadLetters: 0,
  databaseBytes: 0,
  full: false,
  totals: NOTHING,
  minutes: [],
  violations: NO_VIOLATIONS,
  lanes: LANES.map((lane) => ({ lane, records: 0, oldestAgeMs: 0 })),
  senders: [],
};

/** Combines the statuses of the outboxes and the gate. */
export function relayStatus(
  outboxes: readonly NamedOutbox[],
  gate: GateStatus,
  about: {
    readonly version: string;
    readonly maxBacklog: number;
    readonly bots: { readonly mode: BotMode; readonly counts: GroupCounts };
    /** Set if the relay has a tracking plan. */
    readonly planMode?: PlanMode | undefined;
  },
  now: number,
): Omit<RelayStatus, 'alerts'> {
  const statuses = outboxes.map(({ status }) => status ?? EMPTY_OUTBOX);
  const perMinute = lastHour(statuses, now);
  const totals = statuses.reduce((all, status) => sum(all, status.totals), NOTHING);
  const records = waiting(totals);
  const growth = growthPerMinute(perMinute, now);
  const { entered, replayed } = totals;
  const hour = [...perMinute.values()].reduce(sum, NOTHING);
  return {
    version: about.version,
    at: now,
    backlog: {
      records,
      oldestAgeMs: Math.max(0, ...statuses.map(({ oldestAgeMs }) => oldestAgeMs)),
      retrying: statuses.reduce((all, { retrying }) => all + retrying, 0),
      byStatus: sumByStatus(statuses),
      maxRecords: about.maxBacklog,
      growthPerMinute: growth,
      drainMs: drainMs(records, growth),
    },
    lanes: lanesOf(statuses),
    senders: sendersOf(statuses, totals),
    deadLetters: statuses.reduce((all, status) => all + status.deadLetters, 0),
    gate,
    minutes: [...perMinute].map(([at, happened]) => minuteStatus(at, happened)),
    recordsPerCall: hour.taken === 0 ? null : hour.delivered / hour.taken,
    totals: { ...totals, accepted: entered - replayed, calls: callsIn(totals) },
    shards: outboxes.map(({ name, status }) => {
      const { records, oldestAgeMs, deadLetters, databaseBytes, full } = status ?? EMPTY_OUTBOX;
      return {
        name,
        records,
        oldestAgeMs,
        deadLetters,
        databaseBytes,
        full,
        unreachable: status === undefined,
      };
    }),
    bots: botStatus(about.bots.counts, about.bots.mode),
    trackingPlan:
      about.planMode === undefined
        ? null
        : {
            mode: about.planMode,
            ...addViolations(
              statuses.map(({ violations }) => violations),
              now,
            ),
          },
  };
}

function lanesOf(statuses: readonly OutboxStatus[]): readonly LaneStatus[] {
  return LANES.map((lane) => {
    const all = statuses.flatMap(({ lanes }) => lanes.filter((each) => each.lane === lane));
    return {
      lane,
      records: all.reduce((sum, { records }) => sum + records, 0),
      oldestAgeMs: Math.max(0, ...all.map(({ oldestAgeMs }) => oldestAgeMs)),
    };
  });
}

function sumByStatus(statuses: readonly OutboxStatus[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { byStatus } of statuses)
    for (const [status, batches] of Object.entries(byStatus)) all[status] = (all[status] ?? 0) + batches;
  return all;
}
