import type { RelayStatus } from '../../edge/operator/relay-status.ts';

export type LedgerRow = {
  readonly name: string;
  readonly amount: number;
  readonly means: string;
  /** It adds up the rows before it, from the last sum on. */
  readonly isSum?: boolean;
};

/** Where every record is that was ever accepted: both sums are the same, or a row says by how much they differ. */
export function recordLedger({ totals, backlog }: RelayStatus): readonly LedgerRow[] {
  const cameIn = totals.accepted + totals.replayed + totals.requeued;
  const known = totals.delivered + totals.dead_letter + totals.erased + backlog.records;
  return [
    { name: 'accepted', amount: totals.accepted, means: 'stored, and acknowledged to the browser' },
    { name: 'replayed', amount: totals.replayed, means: 'dead letters sent again' },
    ...rare(totals.requeued, 'requeued', 'dead letters from a time when every call was refused'),
    { name: 'received', amount: cameIn, means: '', isSum: true },
    { name: 'delivered', amount: totals.delivered, means: 'accepted by WebEngage' },
    { name: 'dead letter', amount: totals.dead_letter, means: 'refused by WebEngage for good' },
    ...rare(totals.erased, 'erased', 'with an erased person, before they were sent'),
    { name: 'waiting', amount: backlog.records, means: 'the backlog' },
    ...rare(cameIn - known, 'between two counts', 'outboxes are not counted at the same instant'),
    { name: 'accounted for', amount: cameIn, means: '', isSum: true },
  ];
}

/** What became of dead letters. */
export function deadLetterLedger({ totals, deadLetters }: RelayStatus): readonly LedgerRow[] {
  const known = deadLetters + totals.requeued + totals.replayed + totals.discarded;
  return [
    { name: 'still here', amount: deadLetters, means: 'listed above' },
    { name: 'replayed', amount: totals.replayed, means: 'by an operator' },
    {
      name: 'discarded',
      amount: totals.discarded,
      means: 'by an operator, with an erased person, or because of their age',
    },
    ...rare(totals.requeued, 'requeued', 'by the relay, after a time when every call was refused'),
    ...rare(totals.dead_letter - known, 'between two counts', 'outboxes are not counted at the same instant'),
    { name: 'all dead letters', amount: totals.dead_letter, means: '', isSum: true },
  ];
}

/** Records that were never stored, and acknowledged to the browser. */
export function intakeLedger({ totals }: RelayStatus): readonly LedgerRow[] {
  return [
    { name: 'duplicate', amount: totals.duplicate, means: 'already stored: harmless' },
    {
      name: 'rejected',
      amount: totals.rejected,
      means: 'violates WebEngage’s contract or the tracking plan, or is of an erased person',
    },
    { name: 'expired', amount: totals.expired, means: 'older than the relay remembers' },
    {
      name: 'not accepted',
      amount: totals.duplicate + totals.rejected + totals.expired,
      means: '',
      isSum: true,
    },
  ];
}

/** How WebEngage answered calls. */
export function callLedger({ totals }: RelayStatus): readonly LedgerRow[] {
  const { calls, taken, refused, paused, misconfigured, unknown, too_large } = totals;
  return [
    { name: 'accepted', amount: taken, means: '2xx' },
    { name: 'refused', amount: refused, means: 'the batch: 400 and the like; it is split in halves' },
    { name: 'paused', amount: paused, means: '429' },
    { name: 'misconfigured', amount: misconfigured, means: 'key, license or host' },
    {
      name: 'unknown',
      amount: unknown,
      means: '5xx, no answer, or one that is not WebEngage’s: sent again under the same id',
    },
    ...rare(too_large, 'too large', '413: split in halves, and the next ones are smaller'),
    { name: 'calls', amount: calls, means: '', isSum: true },
  ];
}

/** A row for something that rarely happens: none where it has not. */
function rare(amount: number, name: string, means: string): readonly LedgerRow[] {
  return amount === 0 ? [] : [{ name, amount, means }];
}
