/** @import { Status } from './relay.js' */

/**
 * `sum` rows add up the ones before them since the last `sum`.
 *
 * @typedef {{ readonly name: string, readonly amount: number, readonly means: string, readonly sum?: boolean }} Row
 */

/**
 * Where every record is that was ever let in: both sums are the same, or a row says by how much they differ.
 *
 * @param {Status} status
 * @returns {readonly Row[]}
 */
export function recordLedger({ totals, backlog }) {
  const { requeued = 0 } = totals;
  const cameIn = totals.accepted + totals.replayed + requeued;
  const known = totals.delivered + totals.dead_letter + backlog.records;
  return [
    { name: 'accepted', amount: totals.accepted, means: 'stored, and the browser told so' },
    { name: 'replayed', amount: totals.replayed, means: 'dead letters sent on their way again' },
    ...rare(requeued, 'taken back', 'dead letters that were none: every call was refused'),
    { name: 'came in', amount: cameIn, means: '', sum: true },
    { name: 'delivered', amount: totals.delivered, means: 'taken by WebEngage' },
    { name: 'dead letter', amount: totals.dead_letter, means: 'refused by WebEngage for good' },
    { name: 'waiting', amount: backlog.records, means: 'the backlog' },
    ...rare(cameIn - known, 'between two counts', 'shards are not counted at one instant'),
    { name: 'accounted for', amount: cameIn, means: '', sum: true },
  ];
}

/**
 * What became of dead letters.
 *
 * @param {Status} status
 * @returns {readonly Row[]}
 */
export function deadLetterLedger({ totals, deadLetters }) {
  const { requeued = 0 } = totals;
  const known = deadLetters + requeued + totals.replayed + totals.discarded;
  return [
    { name: 'still here', amount: deadLetters, means: 'listed below' },
    { name: 'replayed', amount: totals.replayed, means: 'by an operator' },
    { name: 'discarded', amount: totals.discarded, means: 'by an operator' },
    ...rare(requeued, 'taken back', 'by the relay: every call was refused'),
    ...rare(totals.dead_letter - known, 'between two counts', 'shards are not counted at one instant'),
    { name: 'dead letters ever', amount: totals.dead_letter, means: '', sum: true },
  ];
}

/**
 * What was told to the browser at the door, and never stored.
 *
 * @param {Status} status
 * @returns {readonly Row[]}
 */
export function doorLedger({ totals }) {
  return [
    { name: 'duplicate', amount: totals.duplicate, means: 'stored before: harmless' },
    { name: 'rejected', amount: totals.rejected, means: 'off WebEngage’s contract, or the tracking plan' },
    { name: 'expired', amount: totals.expired, means: 'older than the relay remembers' },
    {
      name: 'not let in',
      amount: totals.duplicate + totals.rejected + totals.expired,
      means: '',
      sum: true,
    },
  ];
}

/**
 * How WebEngage answered calls.
 *
 * @param {Status} status
 * @returns {readonly Row[]}
 */
export function callLedger({ totals }) {
  const { calls, taken, refused, paused, misconfigured, unknown, too_large } = totals;
  return [
    { name: 'taken', amount: taken, means: '2xx' },
    { name: 'refused', amount: refused, means: 'the batch: 400 and the like; it is halved' },
    { name: 'paused', amount: paused, means: '429' },
    { name: 'misconfigured', amount: misconfigured, means: 'key, license or host' },
    {
      name: 'unknown',
      amount: unknown,
      means: '5xx, no answer, or none of WebEngage’s: sent again under the same id',
    },
    ...rare(too_large, 'too large', '413: halved, and the next ones are smaller'),
    ...rare(
      calls - (taken + refused + paused + misconfigured + unknown + too_large),
      'under way',
      'not answered yet',
    ),
    { name: 'calls', amount: calls, means: '', sum: true },
  ];
}

/**
 * A row for what there mostly is none of.
 *
 * @param {number} amount
 * @param {string} name
 * @param {string} means
 * @returns {readonly Row[]}
 */
const rare = (amount, name, means) => (amount === 0 ? [] : [{ name, amount, means }]);
