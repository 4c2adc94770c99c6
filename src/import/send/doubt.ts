import type { Ledger, RefusedRow } from './ledger/ledger.ts';

/**
 * Rows that the destination refused by themselves, with no success since. Either they are at fault, or all rows would be
 * refused because a setting is wrong. A success of another row decides: then they are refused. Until then they count as
 * unsettled. A row that an earlier run has seen refused is in no doubt.
 */
export type Doubt = {
  /** Returns false if too many were refused in a row: then none of them is refused. */
  readonly refuse: (row: RefusedRow) => boolean;
  readonly taken: () => void;
  /** Decides at the end of a run, by earlier successes. Returns false if no row has ever arrived. */
  readonly end: () => boolean;
};

// As many as the relay takes for a streak that means a wrong setting.
const STREAK = 20;

export function createDoubt(ledger: Pick<Ledger, 'refuse' | 'refused' | 'report'>): Doubt {
  const doubtful: RefusedRow[] = [];
  const refuseAll = () => {
    for (const row of doubtful.splice(0)) ledger.refuse(row, 'destination');
  };
  return {
    refuse: (row) => {
      if (ledger.refused.has(row.number)) {
        ledger.refuse(row, 'destination');
        return true;
      }
      doubtful.push(row);
      return doubtful.length < STREAK;
    },
    taken: refuseAll,
    end: () => {
      if (doubtful.length === 0) return true;
      if (ledger.report().good === 0) return false;
      refuseAll();
      return true;
    },
  };
}
