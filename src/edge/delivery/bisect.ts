import { count } from '../queue/counters.ts';
import type { Slice } from '../queue/cut-batch.ts';
import { bury, type RefusedWith } from '../queue/dead-letters.ts';
import { countRecords, type SealedBatch, seal, unseal } from '../queue/sealed-batches.ts';

/**
 * Goes on with a batch that was refused for its records: each half is sealed anew, under an id of its own, down to the one
 * record at fault, which goes to the dead letters. Its neighbours are sent on.
 */
export function isolate(
  storage: DurableObjectStorage,
  batch: SealedBatch,
  refusal: RefusedWith,
  newRequestId: () => string,
  now: number,
): void {
  if (countRecords(batch.members) === 1) {
    bury(storage, batch, refusal, now);
    return;
  }
  storage.transactionSync(() => {
    if (!unseal(storage.sql, batch)) return;
    count(storage.sql, { [refusal.counted]: 1 }, now);
    for (const members of halves(batch.members))
      seal(
        storage.sql,
        {
          kind: batch.kind,
          members,
          isolating: true,
          attempts: batch.attempts + 1,
          // So that a half is known to have been refused before, in the whole.
          status: refusal.status,
          answeredAt: now,
          refusedAt: now,
          suspicions: refusal.suspicions,
        },
        newRequestId(),
        now,
      );
  });
}

/** Two halves, the order kept: the first has the odd record. */
function halves(members: readonly Slice[]): readonly [readonly Slice[], readonly Slice[]] {
  const first: Slice[] = [];
  const second: Slice[] = [];
  let room = Math.ceil(countRecords(members) / 2);
  for (const { from, to, ...run } of members) {
    const middle = Math.min(to, from + room);
    room -= middle - from;
    if (middle > from) first.push({ ...run, from, to: middle });
    if (to > middle) second.push({ ...run, from: middle, to });
  }
  return [first, second];
}
