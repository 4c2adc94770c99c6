import type { ErasureReceipt } from '../../edge/operator/erasure-receipt.ts';

/** A receipt for people. It contains no id of the person. */
export function receiptLines(receipt: ErasureReceipt): readonly string[] {
  const { erased, inFlight, suppressedUntil, outboxes, unanswered, upstream } = receipt;
  const answered = `${counted(outboxes, 'outbox', 'outboxes')} answered`;
  const silent = unanswered.length === 0 ? [] : [`no answer from: ${unanswered.join(', ')}`];
  if (suppressedUntil === null) return [`lifted: records are taken again; ${answered}`, ...silent];
  return [
    `erased: ${counted(erased.waiting, 'waiting record')}, ${counted(erased.deadLetters, 'dead letter')}; ${answered}`,
    ...(inFlight === 0
      ? []
      : [
          `in flight: ${counted(inFlight, 'record')} may have reached WebEngage, and will be erased once that is known`,
        ]),
    ...silent,
    `refused until: ${new Date(suppressedUntil).toISOString()}`,
    ...(upstream === null ? [] : [upstreamLine(upstream)]),
  ];
}

function upstreamLine({ id, filed, status }: NonNullable<ErasureReceipt['upstream']>): string {
  if (filed) return `WebEngage: request ${id} is filed`;
  return `WebEngage: the request was not filed: ${status === 0 ? 'no answer' : `status ${status}`}`;
}

function counted(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
