import type { Answer } from '../../contract/answer.ts';
import type { Issue } from '../../contract/issue.ts';
import type { Breach, Violations } from '../../plan/off-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Env } from '../durable-objects/env.ts';
import { outboxNamed } from '../durable-objects/outbox-directory.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { type LoadShedding, loadShedding } from '../limits/load-shedding.ts';
import type { Delivery, Receipt } from '../queue/ingest.ts';
import { type NewRun, toRuns } from '../queue/run.ts';
import type { PlanMode } from '../settings/settings.ts';
import { logOffPlan, logServerRefused, type ServerRefused } from '../telemetry/log.ts';
import { type Observer, observer } from '../telemetry/observer.ts';
import { type Counts, throttledCount } from '../telemetry/throttled-count.ts';
import { enforcePlan } from './enforce-plan.ts';
import type { CheckedBatch } from './validate-batch.ts';

/** What one isolate of the Worker keeps between batches, however they arrive. */
export type Intake = LoadShedding &
  Observer & {
    readonly countOffPlan: (breaches: Counts<Breach>, now: number) => void;
    readonly countServerRefused: (name: string, refused: Counts<ServerRefused>, now: number) => void;
  };

export function intake(): Intake {
  // Has at most one entry for each name that the operator has given.
  const ofServers = new Map<string, (refused: Counts<ServerRefused>, now: number) => void>();
  return {
    ...loadShedding(),
    ...observer(),
    countOffPlan: throttledCount(logOffPlan),
    countServerRefused: (name, refused, now) => {
      const count = ofServers.get(name) ?? throttledCount((counts) => logServerRefused(name, counts));
      ofServers.set(name, count);
      count(refused, now);
    },
  };
}

/** A checked batch under the tracking plan: what to store of it, and what to tell its sender. */
export type PlannedBatch = {
  readonly toStore: {
    readonly runs: readonly NewRun[];
    readonly refused: Delivery['refused'];
    readonly violations: Violations | undefined;
  };
  readonly reported: Pick<Answer, 'rejected' | 'repaired'>;
  readonly breaches: Counts<Breach>;
};

/** Checks a batch against the tracking plan of the relay. Without a plan, everything passes. */
export function planBatch(
  { good, rejected: offContract, repaired, expired }: CheckedBatch,
  plan: Plan | undefined,
  mode: PlanMode | undefined,
): PlannedBatch {
  const { kept, rejected: offPlan, violations, breaches } = enforcePlan(good, plan, mode);
  const rejected = [...offContract, ...offPlan];
  return {
    toStore: { runs: toRuns(kept), refused: { expired, rejected: rejected.length - expired }, violations },
    reported: { rejected, repaired },
    breaches,
  };
}

/**
 * Hands a delivery to its outbox, with everything that this isolate has observed. An outbox that the platform calls
 * overloaded counts as full.
 */
export async function storeDelivery(
  env: Env,
  outbox: string,
  delivery: Delivery,
  { carry }: Pick<Intake, 'carry'>,
): Promise<Receipt> {
  try {
    return await carry((seen) =>
      withRetry<Receipt>(async () => outboxNamed(env, outbox).ingest(outbox, delivery, seen)),
    );
  } catch (error) {
    // A retry would only add to its load.
    if (error instanceof Error && 'overloaded' in error && error.overloaded) return { stored: false };
    throw error;
  }
}

/** It names neither id, so it says nothing of which of a record's two people was erased. */
const ERASED: Issue = {
  path: '',
  message:
    'is of a person who was erased: the relay takes no records of them for 8 days, unless the mark is lifted',
};

/** What a sender is told of a batch that is stored. */
export function answerOf(
  { accepted, duplicates, refusedIds = [] }: Extract<Receipt, { stored: true }>,
  { rejected, repaired }: PlannedBatch['reported'],
): Answer {
  return {
    response: { status: 'queued' },
    accepted,
    duplicates,
    rejected: [...rejected, ...refusedIds.map((id) => ({ id, issues: [ERASED] }))],
    repaired,
    now: Date.now(),
  };
}
