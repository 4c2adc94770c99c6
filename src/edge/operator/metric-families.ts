import { VERSION } from '../../contract/version.ts';
import { usedShare } from '../../pacing/sliding-limit.ts';
import { BINDINGS, type BindingName } from '../durable-objects/bindings.ts';
import type { OutboxMetrics } from '../durable-objects/outbox-metrics.ts';
import type { GateMetrics } from '../durable-objects/rate-gate.ts';
import type { Histogram } from '../telemetry/histogram.ts';
import {
  ANSWER_BOUNDS_MS,
  DELIVERY_BOUNDS_MS,
  type Observations,
  REFUSED_BATCHES,
} from '../telemetry/observations.ts';
import type { Family, Labels } from './exposition.ts';
import { sendersOf } from './sender-status.ts';

/** An outbox's name and figures. Undefined if it did not answer. */
export type MeasuredOutbox = { readonly name: string; readonly figures: OutboxMetrics | undefined };

/** What a scrape has found. */
export type Measured = {
  readonly gate: GateMetrics;
  readonly outboxes: readonly MeasuredOutbox[];
  readonly missing: readonly BindingName[];
  readonly maxBacklog: number;
};

type Sample = { readonly labels: Labels; readonly value: number };

const PREFIX = 'webengage_relay_';

/**
 * All metrics. Each count has the label `outbox`, and no sum is made here: if an outbox does not answer, its
 * series are missing, while a sum would fall, which Prometheus takes for a restart.
 */
export function metricFamilies({ gate, outboxes, missing, maxBacklog }: Measured): readonly Family[] {
  const found = outboxes.flatMap(({ name, figures }) => (figures === undefined ? [] : [{ name, figures }]));
  const each = (samples: (figures: OutboxMetrics) => readonly Sample[]): readonly Sample[] =>
    found.flatMap(({ name, figures }) =>
      samples(figures).map(({ labels, value }) => ({ labels: { outbox: name, ...labels }, value })),
    );
  return [
    ...recordFamilies(each),
    ...backlogFamilies(each, maxBacklog),
    ...callFamilies(each, gate),
    ...batchFamilies(found, gate),
    gauge('outbox_up', 'Whether the outbox answered. If not, its other series are missing.', {
      samples: outboxes.map(({ name, figures }) => ({
        labels: { outbox: name },
        value: figures === undefined ? 0 : 1,
      })),
    }),
    bindingFamily(missing),
    gauge('build_info', 'Always 1. The label is the version of the relay.', one(1, { version: VERSION })),
  ];
}

/** Says which bindings are there, even if the gate and the outboxes can't be asked. */
export function bindingFamily(missing: readonly BindingName[]): Family {
  return gauge('binding_up', 'Whether the Worker has this binding to a Durable Object.', {
    samples: BINDINGS.map((binding) => ({
      labels: { binding },
      value: Number(!missing.includes(binding)),
    })),
  });
}

type Each = (samples: (figures: OutboxMetrics) => readonly Sample[]) => readonly Sample[];

function recordFamilies(each: Each): Family[] {
  return [
    counter('records_received', 'Records by their outcome on arrival. Pages have no sender.', {
      samples: each(({ senders, totals }) =>
        sendersOf([{ senders }], totals).flatMap(({ name, lane, accepted, duplicates, rejected }) =>
          byLabel({ lane, ...(name !== null && { sender: name }) }, 'outcome', {
            accepted,
            duplicate: duplicates,
            rejected,
          }),
        ),
      ),
    }),
    counter('records_expired', 'Rejected records that were older than 7 days.', {
      samples: each(({ totals }) => single(totals.expired)),
    }),
    counter('records_unverified', 'Accepted records of a user without an identity token.', {
      samples: each(({ totals }) => single(totals.unverified)),
    }),
    counter('records_ended', 'Records by their final outcome. A dead letter can be sent again.', {
      samples: each(({ totals: { delivered, dead_letter, erased } }) =>
        byLabel({}, 'end', { delivered, dead_letter, erased }),
      ),
    }),
    counter('dead_letters_resolved', 'Dead letters that were requeued, replayed or discarded.', {
      samples: each(({ totals: { requeued, replayed, discarded } }) =>
        byLabel({}, 'how', { requeued, replayed, discarded }),
      ),
    }),
    gauge('dead_letters', 'Refused records that are kept until they are replayed or discarded.', {
      samples: each(({ deadLetters }) => single(deadLetters)),
    }),
  ];
}

function backlogFamilies(each: Each, maxBacklog: number): Family[] {
  return [
    gauge('backlog_records', 'Records that wait to be sent.', {
      samples: each(({ lanes }) => lanes.map(({ lane, records }) => ({ labels: { lane }, value: records }))),
    }),
    gauge('backlog_limit_records', 'Records that may wait, all outboxes together.', one(maxBacklog)),
    gauge('oldest_record_age_seconds', 'How long the oldest record has waited.', {
      unit: 'seconds',
      samples: each(({ lanes }) =>
        lanes.map(({ lane, oldestAgeMs }) => ({ labels: { lane }, value: oldestAgeMs / 1_000 })),
      ),
    }),
    gauge('retrying_batches', 'Batches that were sent, and that WebEngage has not accepted.', {
      samples: each(({ retrying }) => single(retrying)),
    }),
    gauge('stored_bytes', 'Size of the database: waiting records, dead letters and known ids.', {
      unit: 'bytes',
      samples: each(({ databaseBytes }) => single(databaseBytes)),
    }),
    gauge('outbox_full', 'Whether the outbox has no room for a batch.', {
      samples: each(({ full }) => single(Number(full))),
    }),
  ];
}

function callFamilies(each: Each, gate: GateMetrics): Family[] {
  const { requestsPerMinute, startedInLastMinute, suspension, pausedUntil, key } = gate;
  return [
    counter('calls', 'Calls to WebEngage, by how it answered.', {
      samples: each(({ totals: { taken, refused, paused, misconfigured, unknown, too_large } }) =>
        byLabel({}, 'outcome', { taken, refused, paused, misconfigured, unknown, too_large }),
      ),
    }),
    counter('calls_unfamiliar', 'Calls that WebEngage accepted with a status other than queued.', {
      samples: each(({ totals }) => single(totals.unfamiliar)),
    }),
    gauge('allowance_calls', 'Calls that the account may make in 60 seconds.', one(requestsPerMinute)),
    gauge('allowance_used_ratio', 'Calls of the last 60 seconds, as a part of those that could start.', {
      unit: 'ratio',
      // There is no allowance while a setting is missing.
      ...one(requestsPerMinute === 0 ? 0 : usedShare(startedInLastMinute, requestsPerMinute)),
    }),
    gauge('suspended', 'Whether WebEngage refuses every call.', one(Number(suspension !== null))),
    gauge('paused', 'Whether WebEngage asked to wait.', one(Number(pausedUntil !== null))),
    gauge('secondary_key', 'Whether the secondary API key is in use.', one(Number(key === 'secondary'))),
  ];
}

function batchFamilies(
  found: readonly { readonly name: string; readonly figures: OutboxMetrics }[],
  gate: GateMetrics,
): Family[] {
  // Refusals that no batch could take along are with the gate, and have no outbox.
  const observed: readonly { readonly labels: Labels; readonly seen: Observations }[] = [
    ...found.map(({ name, figures }) => ({ labels: { outbox: name }, seen: figures.observed })),
    { labels: {}, seen: gate.observed },
  ];
  const timesOf = (part: 'answered' | 'delivered') =>
    observed.map(({ labels, seen }) => ({ labels, histogram: inSeconds(seen[part]) }));
  return [
    {
      type: 'histogram',
      name: `${PREFIX}batch_duration_seconds`,
      help: 'Time from the arrival of a batch until the answer 202.',
      unit: 'seconds',
      bounds: ANSWER_BOUNDS_MS.map((ms) => ms / 1_000),
      samples: timesOf('answered'),
    },
    counter('batches_refused', 'Batches that were refused, by reason. Their senders keep the records.', {
      // The gate's are there from the start: a rate needs a first value, even if it is 0.
      samples: [
        ...observed
          .slice(0, -1)
          .flatMap(({ labels, seen: { refused } }) => byLabel(labels, 'reason', refused)),
        ...REFUSED_BATCHES.map((reason) => ({
          labels: { reason },
          value: gate.observed.refused[reason] ?? 0,
        })),
      ],
    }),
    {
      type: 'histogram',
      name: `${PREFIX}delivery_delay_seconds`,
      help: 'Time from the storing of a record until WebEngage accepted it, without imports.',
      unit: 'seconds',
      bounds: DELIVERY_BOUNDS_MS.map((ms) => ms / 1_000),
      samples: timesOf('delivered').slice(0, -1),
    },
  ];
}

type Details = { readonly unit?: Family['unit']; readonly samples: readonly Sample[] };

const counter = (name: string, help: string, { samples }: Details): Family => ({
  type: 'counter',
  name: `${PREFIX}${name}`,
  help,
  samples,
});

const gauge = (name: string, help: string, { unit, samples }: Details): Family => ({
  type: 'gauge',
  name: `${PREFIX}${name}`,
  help,
  ...(unit && { unit }),
  samples,
});

const single = (value: number, labels: Labels = {}): readonly Sample[] => [{ labels, value }];

const one = (value: number, labels: Labels = {}): Details => ({ samples: single(value, labels) });

function byLabel(
  labels: Labels,
  label: string,
  counts: Readonly<Record<string, number | undefined>>,
): readonly Sample[] {
  return Object.entries(counts).map(([text, value = 0]) => ({ labels: { ...labels, [label]: text }, value }));
}

const inSeconds = ({ counts, sum }: Histogram): Histogram => ({ counts, sum: sum / 1_000 });
