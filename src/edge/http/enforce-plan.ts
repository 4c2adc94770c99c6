import type { Rejection } from '../../contract/answer.ts';
import type { Issue } from '../../contract/issue.ts';
import type { TrackerRecord } from '../../contract/record.ts';
import { type Breach, type OffPlan, offPlan, type Violations } from '../../plan/off-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import type { PlanMode, RelaySettings } from '../settings/settings.ts';
import type { Counts } from '../telemetry/throttled-count.ts';
import { issueAllowance } from './issue-allowance.ts';

/** What happens to violations, or a message on what to set. Undefined without a plan. */
export type ReadPlanMode =
  | { readonly ok: true; readonly mode: PlanMode | undefined }
  | { readonly ok: false; readonly message: string };

export function readPlanMode({ trackingPlan }: RelaySettings, hasPlan: boolean): ReadPlanMode {
  if (hasPlan) return { ok: true, mode: trackingPlan ?? 'report' };
  if (trackingPlan === undefined || trackingPlan === 'off') return { ok: true, mode: undefined };
  const message = `TRACKING_PLAN is ${trackingPlan}, but there is no tracking plan: pass one, as createRelay({ plan })`;
  return { ok: false, message };
}

/** The result of checking records against the plan. */
export type EnforcedPlan = {
  readonly kept: readonly TrackerRecord[];
  readonly rejected: readonly Rejection[];
  /** Undefined if there were no violations. */
  readonly violations: Violations | undefined;
  /** The number of violations by type. */
  readonly breaches: Counts<Breach>;
};

// A site's own mistakes are few. Without this limit, one request could fill the space for all violations.
const MAX_KINDS = 50;

/**
 * Checks each record against the plan. In `enforce` mode, only the records that violate it are rejected.
 * Without a plan, all records pass.
 */
export function enforcePlan(
  records: readonly TrackerRecord[],
  plan: Plan | undefined,
  mode: PlanMode | undefined,
): EnforcedPlan {
  if (plan === undefined || mode === undefined || mode === 'off')
    return { kept: records, rejected: [], violations: undefined, breaches: {} };
  const kept: TrackerRecord[] = [];
  const rejected: Rejection[] = [];
  const kinds = new Map<string, Violations['kinds'][number] & { ids: string[] }>();
  const breaches: { [Kind in Breach]?: number } = {};
  const toReport = issueAllowance<Issue>();
  let others = 0;

  for (const record of records) {
    const found = offPlan(record, plan);
    const { id } = record;
    if (found.length > 0 && mode === 'enforce') rejected.push({ id, issues: toReport(found.map(toIssue)) });
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
