import { LANES, type Lane } from '../../contract/lane.ts';
import { addSenders } from '../queue/counters/sender-counts.ts';
import type { Totals } from '../queue/counters/totals.ts';
import type { OutboxStatus } from '../queue/status.ts';

/** What became of a sender's records on arrival. */
export type SenderStatus = {
  /** The name of its token. Null for all pages together. */
  readonly name: string | null;
  readonly lane: Lane;
  readonly accepted: number;
  readonly duplicates: number;
  /** Expired ones included. */
  readonly rejected: number;
};

/**
 * Pages first, then each server by name and lane. Pages are not counted by themselves, because each count is
 * billed: they have sent what no server has.
 */
export function sendersOf(
  statuses: readonly Pick<OutboxStatus, 'senders'>[],
  totals: Totals,
): readonly SenderStatus[] {
  const servers = addSenders(statuses.flatMap(({ senders }) => senders));
  const restOf = (all: number, part: 'accepted' | 'duplicates' | 'rejected') =>
    Math.max(
      0,
      servers.reduce((left, counts) => left - counts[part], all),
    );
  return [
    {
      name: null,
      lane: 'live',
      accepted: restOf(totals.entered - totals.replayed, 'accepted'),
      duplicates: restOf(totals.duplicate, 'duplicates'),
      rejected: restOf(totals.rejected + totals.expired, 'rejected'),
    },
    ...servers.toSorted(
      (a, b) => a.name.localeCompare(b.name) || LANES.indexOf(a.lane) - LANES.indexOf(b.lane),
    ),
  ];
}
