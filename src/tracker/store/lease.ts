import type { Time } from '../delivery/flush-schedule.ts';
import type { Exclusive } from '../platform/tab-lock.ts';
import type { StateStore } from './record-store.ts';

type Lease = { readonly holder: string; readonly until: number };

const LEASE = 'lease';

// Longer than any task: a request is given up after 15 s. A tab that is killed keeps the others waiting no longer.
const LEASE_MS = 30_000;
const ASK_AGAIN_MS = 500;

/**
 * One task at a time over all tabs, where there are no Web Locks: by a lease in the database, which runs out.
 *
 * @param holder random, of this page
 */
export function leased(state: StateStore, holder: string, { now, timer }: Time): Exclusive {
  const take = (kept: unknown): Lease => {
    const lease = kept as Lease | undefined;
    const until = now() + LEASE_MS;
    // One that ends later than ours would was taken before the clock was set back.
    const taken = lease && lease.holder !== holder && lease.until > now() && lease.until <= until;
    return taken ? lease : { holder, until };
  };
  const release = (kept: unknown) => ((kept as Lease | undefined)?.holder === holder ? undefined : kept);

  return async (task) => {
    while ((await state.update(LEASE, take)).holder !== holder)
      await new Promise<void>((resolve) => void timer(resolve, ASK_AGAIN_MS));
    try {
      return await task();
    } finally {
      await state.update(LEASE, release);
    }
  };
}
