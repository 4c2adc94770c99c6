import {
  eventRecord,
  eventsCall,
  type ProbeCall,
  type Question,
  type Reply,
  type Run,
  userRecord,
  usersCall,
  wordsOf,
} from './question.ts';

type Limits = Question<'limit' | 'requestsPerMinute' | 'rateHeaders'>;

// One counter counts all five. Of two, each counts its own.
const PATTERN = ['users', 'events', 'events', 'events', 'users'] as const;
const TRIES = 2;

function callOf(run: Run, index: number): ProbeCall {
  const id = `limit ${index}`;
  return PATTERN[index % PATTERN.length] === 'users'
    ? usersCall(run, id, 'one user, to read X-RateLimit-Remaining', userRecord(run, 'limit'))
    : eventsCall(run, id, 'one event, to read X-RateLimit-Remaining', eventRecord(run, 'limit'));
}

/**
 * What the remaining calls say after each call of the pattern. Undefined if they fit neither: somebody else calls too, or
 * the minute has ended in between.
 */
export function sharingOf(remaining: readonly number[]): 'shared' | 'separate' | undefined {
  const [user1 = 0, event1 = 0, event2 = 0, event3 = 0, user2 = 0] = remaining;
  if (event2 !== event1 - 1 || event3 !== event2 - 1) return undefined;
  if (event1 === user1 - 1 && user2 === event3 - 1) return 'shared';
  return user2 === user1 - 1 ? 'separate' : undefined;
}

/** The replies of the last whole try. */
function lastTry(replies: readonly Reply[]): readonly Reply[] {
  const tries = Math.floor(replies.length / PATTERN.length);
  return replies.slice(Math.max(0, tries - 1) * PATTERN.length, tries * PATTERN.length);
}

const sharingIn = (replies: readonly Reply[]) => {
  const seen = lastTry(replies).flatMap(({ rateLimit }) => (rateLimit ? [rateLimit.remaining] : []));
  return seen.length === PATTERN.length ? sharingOf(seen) : undefined;
};

export const rateLimit: Limits = {
  asks: 'Do bulk-users and bulk-events count against one limit?',
  calls: PATTERN.length * TRIES,
  next: (run, replies) => {
    const isBetween = replies.length % PATTERN.length !== 0;
    const isDone =
      !isBetween &&
      replies.length > 0 &&
      (sharingIn(replies) !== undefined || replies.some((reply) => reply.rateLimit === undefined));
    return isDone || replies.length >= PATTERN.length * TRIES ? undefined : callOf(run, replies.length);
  },
  judge: ({ replies }) => {
    const whole = lastTry(replies);
    const answered = replies.filter(({ verdict }) => verdict === 'taken');
    const stated = answered.flatMap((reply) => (reply.rateLimit ? [reply.rateLimit] : []));
    const remaining = whole.map((reply) => reply.rateLimit?.remaining ?? '–').join(', ');
    const limits = new Set(stated.map(({ limit }) => limit));
    const [perMinute] = limits;
    const missing = answered.length === 0 ? wordsOf(replies[0]) : 'no X-RateLimit headers';
    const sharing = sharingIn(replies);
    return {
      limit: sharing
        ? { value: sharing, evidence: `users, events ×3, users left ${remaining} calls` }
        : {
            value: 'unknown',
            evidence: stated.length === 0 ? missing : `the calls left fit neither: ${remaining}`,
          },
      requestsPerMinute:
        perMinute !== undefined && limits.size === 1
          ? { value: perMinute, evidence: 'by X-RateLimit-Limit' }
          : {
              value: 'unknown',
              evidence: limits.size === 0 ? missing : `users and events state ${[...limits].join(' and ')}`,
            },
      rateHeaders: headersOf(answered.length, stated.length),
    };
  },
};

function headersOf(answered: number, stated: number) {
  if (answered > 0 && stated === answered) return { value: 'sent', evidence: 'with each answer' } as const;
  if (answered > 0 && stated === 0) return { value: 'absent', evidence: 'with no answer' } as const;
  return { value: 'unknown', evidence: `with ${stated} of ${answered} answers` } as const;
}
