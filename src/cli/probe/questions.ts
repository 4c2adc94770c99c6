import { bodySize } from './body-size.ts';
import {
  endOf,
  eventRecord,
  eventsCall,
  fixed,
  hasArrived,
  NOT_READ,
  type ProbeCall,
  type Question,
  type Run,
  userRecord,
  usersCall,
  wordsOf,
} from './question.ts';
import { rateLimit } from './rate-limit.ts';
import { requestIds } from './request-ids.ts';

const MAX_RECORDS = 25;

/** The answers to a call that is as the documents have it. All other questions need it to be accepted. */
const success: Question<'success'> = {
  asks: 'Is a success 200 or 201?',
  calls: 2,
  next: fixed((run) => [
    usersCall(run, 'first', 'one user, as documented', userRecord(run, 'first')),
    eventsCall(run, 'event', 'one event, as documented', eventRecord(run, 'event')),
  ]),
  judge: ({ replies }) => {
    const statuses = new Set(replies.map(({ verdict, status }) => (verdict === 'taken' ? status : 0)));
    const [status] = statuses;
    return statuses.size === 1 && replies.length === 2 && (status === 200 || status === 201)
      ? { success: { value: status, evidence: 'of both calls' } }
      : { success: { value: 'unknown', evidence: replies.map(wordsOf).join(', ') || wordsOf(undefined) } };
  },
};

const empty: Question<'empty'> = {
  asks: 'Is a call without a record refused?',
  calls: 1,
  next: fixed((run) => [usersCall(run, 'empty', 'no user at all')]),
  judge: ({ replies: [reply] }) => {
    const evidence = wordsOf(reply);
    if (reply?.verdict === 'refused') return { empty: { value: 'refused', evidence } };
    return { empty: { value: reply?.verdict === 'taken' ? 'accepted' : 'unknown', evidence } };
  },
};

const invalid: Question<'invalid'> = {
  asks: 'Does one bad record fail the whole call?',
  calls: 1,
  next: fixed((run) => [
    usersCall(run, 'bad', 'one good user, and one without an id', userRecord(run, 'beside_bad'), {
      firstName: 'Nobody',
    }),
  ]),
  judge: (evidence) => {
    const [reply] = evidence.replies;
    const { value, evidence: saw } = endOf(evidence, reply, 'beside_bad');
    if (value === 'refused') return { invalid: { value: 'fails_call', evidence: saw } };
    if (value !== 'accepted') return { invalid: { value: 'unknown', evidence: saw } };
    // The one without an id can't have.
    const arrived = `${wordsOf(reply)}, and the good record arrived`;
    return { invalid: { value: 'drops_record', evidence: arrived } };
  },
};

const tooMany: Question<'tooMany'> = {
  asks: `May a call have ${MAX_RECORDS + 1} records?`,
  calls: 1,
  next: fixed((run) => [
    usersCall(
      run,
      'too many',
      `${MAX_RECORDS + 1} records of one user`,
      ...Array.from({ length: MAX_RECORDS }, () => userRecord(run, 'within')),
      userRecord(run, 'beyond'),
    ),
  ]),
  judge: (evidence) => {
    const [reply] = evidence.replies;
    const within = endOf(evidence, reply, 'within');
    if (within.value !== 'accepted')
      return { tooMany: { ...within, value: within.value === 'refused' ? 'refused' : 'unknown' } };
    return {
      tooMany: hasArrived(evidence, 'beyond')
        ? { value: 'accepted', evidence: `${wordsOf(reply)}, and the last record arrived` }
        : { value: 'cut', evidence: `${wordsOf(reply)}, and the last record did not arrive` },
    };
  },
};

/** The same moment in four other forms than the documented `1986-08-19T15:45:00-0800`. */
const DATES = {
  dateZ: '1986-08-19T23:45:00Z',
  dateColon: '1986-08-19T15:45:00-08:00',
  dateMilliseconds: '1986-08-19T15:45:00.123-0800',
  dateEpoch: 524_879_100_000,
} as const;

type DateName = keyof typeof DATES;

const DATE_NAMES = Object.keys(DATES) as readonly DateName[];

const dates: Question<DateName> = {
  asks: 'Which other forms of a date are accepted?',
  calls: DATE_NAMES.length,
  next: fixed((run) =>
    DATE_NAMES.map((name) => {
      const birthDate = DATES[name];
      return usersCall(run, name, `birthDate ${birthDate}`, userRecord(run, name, { birthDate }));
    }),
  ),
  judge: (evidence) => {
    const end = (name: DateName) => endOf(evidence, evidence.replies[DATE_NAMES.indexOf(name)], name);
    return {
      dateZ: end('dateZ'),
      dateColon: end('dateColon'),
      dateMilliseconds: end('dateMilliseconds'),
      dateEpoch: end('dateEpoch'),
    };
  },
};

const nulls: Question<'nulls'> = {
  asks: 'Is null accepted as a value?',
  calls: 1,
  next: fixed((run) => [
    usersCall(
      run,
      'null',
      'one user, with firstName null',
      userRecord(run, 'beside_null', { firstName: null }),
    ),
  ]),
  judge: (evidence) => ({ nulls: endOf(evidence, evidence.replies[0], 'beside_null') }),
};

const rcsOptIn: Question<'rcsOptIn'> = {
  asks: 'Does bulk-users know rcsOptIn?',
  calls: 2,
  next: fixed((run) => {
    const fields = (optIn: boolean) => ({ smsOptIn: optIn, rcsOptIn: optIn });
    return [
      usersCall(run, 'rcs', 'rcsOptIn true', userRecord(run, 'rcs', fields(true))),
      usersCall(run, 'rcs 2', 'rcsOptIn false, of a second user', {
        ...userRecord(run, 'rcs_second', fields(false)),
        userId: run.secondUserId,
      }),
    ];
  }),
  judge: (evidence) => {
    const { replies, reading } = evidence;
    const { value, evidence: saw } = endOf(evidence, replies[0], 'rcs');
    if (value === 'refused') return { rcsOptIn: { value, evidence: saw } };
    const unknown = (why: string) => ({ rcsOptIn: { value: 'unknown', evidence: why } }) as const;
    if (value !== 'accepted') return unknown(saw);
    if (reading?.secondUser === undefined) return unknown(`the second user ${NOT_READ}`);

    const set = (channel: 'rcs' | 'sms') =>
      optInsIn(reading.user, channel) + optInsIn(reading.secondUser ?? '', channel);
    // A default would be the same for both users: only what differs as it was sent has been taken.
    if (set('rcs') === 'truefalse')
      return { rcsOptIn: { value: 'accepted', evidence: 'it is there as sent' } };
    return set('sms') === 'truefalse'
      ? { rcsOptIn: { value: 'ignored', evidence: 'smsOptIn is there as sent, rcsOptIn is not' } }
      : unknown('no opt-in is there as sent');
  },
};

/** The values under which an opt-in stands in an export, whatever the fields are called. */
function optInsIn(read: string, channel: 'rcs' | 'sms'): string {
  const field = new RegExp(`"[^"]*${channel}[^"]*"\\s*:\\s*"?(true|false)`, 'gi');
  return [...new Set([...read.matchAll(field)].map(([, value = '']) => value.toLowerCase()))].join('');
}

/** Sent after all others: once it has arrived, they had their time. */
export function lastCall(run: Run): ProbeCall {
  return usersCall(
    run,
    'last',
    'one user, as documented, to know when all have arrived',
    userRecord(run, 'last'),
  );
}

/** In the order in which they are asked: what everything depends on first, the largest bodies last. */
export const QUESTIONS = {
  success,
  rateLimit,
  empty,
  invalid,
  requestIds,
  tooMany,
  dates,
  nulls,
  rcsOptIn,
  bodySize,
} as const;
