import type { Rejection } from '../../contract/answer.ts';
import type { Issue } from '../../contract/issue.ts';
import type { TrackerRecord } from '../../contract/record.ts';
import { type Breach, type OffPlan, offPlan, type Violations } from '../../plan/off-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { PlanMode } from '../settings/settings.ts';
import type { Counts } from '../telemetry/throttled-count.ts';
import { issueAllowance } from './issue-allowance.ts';

/** Records held against the plan. */
export type HeldToPlan = {
  readonly kept: readonly TrackerRecord[];
  readonly rejected: readonly Rejection[];
  /** Undefined where nothing was off the plan. */
  readonly violations: Violations | undefined;
  /** How often, by what was off. */
  readonly breaches: Counts<Breach>;
};

// A site's own mistakes are a few; what one request can have told of it is not to fill what is kept of all.
const MAX_KINDS = 50;

/**
 * Holds each record against the plan by itself: where it is enforced, one that is off it costs no other.
 * Without a plan there is nothing to hold it against.
 */
export function holdToPlan(
  records: readonly TrackerRecord[],
  plan: Plan | undefined,
  mode: PlanMode | undefined,
): HeldToPlan {
  if (plan === undefined || mode === undefined || mode === 'off')
    return { kept: records, rejected: [], violations: undefined, breaches: {} };
  const kept: TrackerRecord[] = [];
  const rejected: Rejection[] = [];
  const kinds = new Map<string, Violations['kinds'][number] & { ids: string[] }>();
  const breaches: { [Kind in Breach]?: number } = {};
  const toTell = issueAllowance<Issue>();
  let others = 0;

  for (const record of records) {
    const found = offPlan(record, plan);
    const { id } = record;
    if (found.length > 0 && mode === 'enforce') rejected.push({ id, issues: toTell(found.map(toIssue)) });
    else kept.push(record);

    const of = record.kind === 'event' ? record.eventName : 'identify';
    for (const { breach, path, message } of found) {
      breaches[breach] = (breaches[breach] ?? 0) + 1;
      const key = JSON.stringify([of, path, message]);
      const known = kinds.get(key);
      if (known !== undefined) known.ids.push(id);
      else if (kinds.size < MAX_KINDS) kinds.set(key, { of, path, rule: message, ids: [id] });
      else others += 1;
    }
  }
  const violations = kinds.size === 0 ? undefined : { kinds: [...kinds.values()], others };
  return { kept, rejected, violations, breaches };
}

const toIssue = ({ path, message }: OffPlan) => ({ path, message });
