import type { Answer } from './answers.ts';
import {
  type Evidence,
  eventRecord,
  eventsCall,
  fixed,
  hasArrived,
  NOT_READ,
  type Question,
  type Reply,
  timesIn,
  userRecord,
  usersCall,
  wordsOf,
} from './question.ts';

type RequestIds = Question<'idempotency' | 'reusedRequestId'>;

/**
 * Looks in two ways, since an export may hold no events: whether a repeated call doubles its event, and whether a call
 * with the id of another one loses its records.
 */
export const requestIds: RequestIds = {
  asks: 'Do bulk calls honour x-request-id?',
  calls: 6,
  next: fixed((run) => {
    const event = (id: string, name: string, says: string) =>
      eventsCall(run, id, says, eventRecord(run, name));
    return [
      usersCall(run, 'reuse', 'one user', userRecord(run, 'id_first')),
      usersCall(run, 'reuse', 'another attribute under the same x-request-id', userRecord(run, 'id_reused')),
      event('other 1', 'other_ids', 'one event'),
      event('other 2', 'other_ids', 'the same event under another x-request-id'),
      event('same', 'same_id', 'one event'),
      event('same', 'same_id', 'the same event under the same x-request-id'),
    ];
  }),
  judge: (evidence) => {
    const [, reused] = evidence.replies;
    return { idempotency: idempotencyOf(evidence), reusedRequestId: reuseOf(reused) };
  },
};

function reuseOf(reused: Reply | undefined): Answer<'reusedRequestId'> {
  const evidence = wordsOf(reused);
  const isRefused = reused?.verdict === 'refused' || reused?.status === 409;
  if (isRefused) return { value: 'refused', evidence };
  return { value: reused?.verdict === 'taken' ? 'accepted' : 'unknown', evidence };
}

function idempotencyOf(evidence: Evidence): Answer<'idempotency'> {
  const { replies, reading, run } = evidence;
  const [first, reused, ...events] = replies;
  if (reading === undefined) return { value: 'unknown', evidence: NOT_READ };

  const times = (name: string) => timesIn(reading.user, run.mark(name));
  const areTaken = events.length === 4 && events.every(({ verdict }) => verdict === 'taken');
  // How often an export names one event is its own affair. Two of them under two ids say so.
  const perEvent = times('other_ids') / 2;
  if (areTaken && perEvent >= 1) {
    if (times('same_id') === perEvent)
      return { value: 'honoured', evidence: 'a repeated event is there once' };
    if (times('same_id') === 2 * perEvent)
      return { value: 'ignored', evidence: 'a repeated event is there twice' };
  }
  if (first?.verdict !== 'taken' || reused?.verdict !== 'taken' || !hasArrived(evidence, 'id_first'))
    return { value: 'unknown', evidence: `a reused id: ${wordsOf(reused)}; events ${NOT_READ}` };
  return hasArrived(evidence, 'id_reused')
    ? { value: 'ignored', evidence: 'a record under a reused id arrived' }
    : { value: 'honoured', evidence: 'a record under a reused id did not arrive' };
}
