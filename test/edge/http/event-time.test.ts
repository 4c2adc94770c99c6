import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDate, parseDate } from '../../../src/contract/rules/date.ts';
import { trueEventTime, type VisitorTime } from '../../../src/edge/http/event-time.ts';

const NOW = Date.parse('2026-11-23T15:45:00Z');
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A moment of the visitor's clock, as it is written there: two hours east of UTC. */
const written = (at: number) => formatDate(at, 120);

/** When the event happened, by how long ago it was. */
function agoOf(time: Partial<VisitorTime> & { readonly madeAt: number }): number {
  const { madeAt, ...known } = time;
  const answer = trueEventTime({
    age: undefined,
    sentAt: undefined,
    clockOffset: undefined,
    now: NOW,
    eventTime: written(madeAt),
    ...known,
  });
  expect(answer).toMatch(/\+0200$/);
  return NOW - (parseDate(answer ?? '')?.at ?? 0);
}

test('an event without a time gets the time of its call', () => {
  const known = { eventTime: undefined, sentAt: NOW, clockOffset: HOUR, now: NOW };

  expect(trueEventTime({ ...known, age: MINUTE })).toBe('2026-11-23T15:44:00+0000');
  expect(trueEventTime({ ...known, age: undefined })).toBe('2026-11-23T15:45:00+0000');
});

describe('for a browser without any answer yet', () => {
  test('a clock that agrees with the relay’s and with the age is trusted', () => {
    expect(agoOf({ madeAt: NOW - 10 * SECOND, age: 10_400, sentAt: NOW - 2 * SECOND })).toBe(10 * SECOND);
  });

  test('a wrong clock is not trusted, and the age decides', () => {
    for (const off of [2 * HOUR, -2 * HOUR])
      expect(agoOf({ madeAt: NOW + off - MINUTE, age: MINUTE, sentAt: NOW + off })).toBe(MINUTE);
  });

  test('a clock that was corrected after the call is not trusted either', () => {
    expect(agoOf({ madeAt: NOW - 2 * HOUR - MINUTE, age: MINUTE, sentAt: NOW })).toBe(MINUTE);
  });

  test('the time is left as it is if the time of sending is unknown', () => {
    expect(agoOf({ madeAt: NOW - 3 * HOUR, age: 5 * MINUTE })).toBe(3 * HOUR);
  });

  test('the clock’s difference corrects the time if the age is unknown', () => {
    expect(agoOf({ madeAt: NOW + HOUR - MINUTE, sentAt: NOW + HOUR })).toBe(MINUTE);
  });
});

describe('for a browser that knows its clock’s offset', () => {
  test.each([2 * HOUR, -3 * HOUR, 90 * SECOND])(
    'a clock that is wrong by %d ms is corrected by the offset',
    (off) => {
      const known = { age: MINUTE, sentAt: NOW + off, clockOffset: off };

      expect(agoOf({ madeAt: NOW + off - MINUTE, ...known })).toBe(MINUTE);
    },
  );

  test.each([80 * SECOND, 12 * HOUR])(
    'a body that arrives %d ms late does not count as a wrong clock',
    (late) => {
      const known = { age: MINUTE, sentAt: NOW - late, clockOffset: 0 };

      expect(agoOf({ madeAt: NOW - late - MINUTE, ...known })).toBe(late + MINUTE);
    },
  );

  test('a clock that jumped forward since is not trusted, and the age decides', () => {
    const known = { age: MINUTE, sentAt: NOW + 2 * HOUR, clockOffset: 0 };

    expect(agoOf({ madeAt: NOW + 2 * HOUR - MINUTE, ...known })).toBe(MINUTE);
  });

  test.each([-HOUR, HOUR])(
    'a clock that changed by %d ms between call and request is not trusted either',
    (by) => {
      const known = { age: MINUTE, sentAt: NOW + by, clockOffset: 0 };

      expect(agoOf({ madeAt: NOW - MINUTE, ...known })).toBe(MINUTE);
    },
  );

  test('the clock of a machine that slept in between is trusted', () => {
    const known = { age: MINUTE, sentAt: NOW + 5 * MINUTE, clockOffset: 5 * MINUTE };

    expect(agoOf({ madeAt: NOW + 5 * MINUTE - 8 * HOUR, ...known })).toBe(8 * HOUR);
  });

  test('a deferred request that the browser sends by itself is corrected too', () => {
    expect(agoOf({ madeAt: NOW + HOUR - 3 * MINUTE, age: MINUTE, clockOffset: HOUR })).toBe(3 * MINUTE);
  });

  test('an offset below a second changes nothing', () => {
    const eventTime = written(NOW - MINUTE);
    for (const clockOffset of [999, -999, 0]) {
      const known = { eventTime, age: MINUTE, sentAt: NOW, clockOffset, now: NOW };

      expect(trueEventTime(known)).toBe(eventTime);
    }
  });
});

test('a time that the form can’t express is left as it came', () => {
  const eventTime = '9999-12-31T23:59:59-1800';
  const sentAt = Date.parse('0001-01-01T00:00:00Z');

  expect(trueEventTime({ eventTime, age: undefined, sentAt, clockOffset: undefined, now: NOW })).toBe(
    eventTime,
  );
});

describe('a simulated visitor gets true times', () => {
  const DAY = 24 * HOUR;
  const offset = fc.integer({ min: -2 * DAY, max: 2 * DAY });
  const span = fc.integer({ min: 0, max: 6 * DAY });
  const ON_THE_WAY = 20 * SECOND;
  const onTheWay = fc.integer({ min: 0, max: ON_THE_WAY });
  const zone = fc.integer({ min: -12 * 60, max: 14 * 60 });
  // How far what a tracker has learnt is off: half of what an answer was on the way.
  const learntWith = fc.integer({ min: -2 * SECOND, max: 2 * SECOND });

  type Visit = {
    /** True moments. */
    readonly madeAt: number;
    readonly sentAt: number;
    readonly now: number;
    /** The visitor's clock minus the true one, at either moment. */
    readonly offsetThen: number;
    readonly offsetAtSend: number;
    readonly slept: number;
    readonly learnt: number | undefined;
    readonly isOfEarlierPage?: boolean;
    readonly zone: number;
  };

  /** By how much what is written is off the truth. */
  function errorOf(visit: Visit): number {
    const { madeAt, sentAt, now, offsetThen, offsetAtSend, slept, learnt: clockOffset } = visit;
    const eventTime = formatDate(madeAt + offsetThen, visit.zone);
    const age = visit.isOfEarlierPage ? undefined : sentAt - madeAt - slept;
    const answer = trueEventTime({ eventTime, age, sentAt: sentAt + offsetAtSend, clockOffset, now });
    return Math.abs((parseDate(answer ?? '')?.at ?? 0) - madeAt);
  }

  /** The property for any visit; the rest is as the kind of trouble has it. */
  function isRightWithin(
    ms: number,
    trouble: (any: {
      readonly offset: number;
      readonly other: number;
      readonly waited: number;
      readonly slept: number;
      readonly late: number;
      readonly learntWith: number;
    }) => Partial<Visit> & { readonly waited?: number; readonly late?: number },
  ): void {
    const any = fc.record({
      offset,
      other: offset,
      waited: span,
      slept: span,
      late: span,
      learntWith,
      onTheWay,
      zone,
    });
    fc.assert(
      fc.property(any, (given) => {
        const changes = trouble(given);
        const { waited = given.waited, late = given.onTheWay } = changes;
        const sentAt = NOW + waited;
        const error = errorOf({
          madeAt: NOW,
          sentAt,
          now: sentAt + late,
          offsetThen: given.offset,
          offsetAtSend: given.offset,
          slept: 0,
          learnt: undefined,
          zone: given.zone,
          ...changes,
        });
        expect(error).toBeLessThanOrEqual(ms);
      }),
      { numRuns: 500 },
    );
  }

  test('if the clock was changed since an earlier page that knew its offset, and no answer has come yet', () => {
    isRightWithin(4 * SECOND, (any) => {
      const learnt = any.offset + any.learntWith;
      return { learnt, offsetThen: learnt, offsetAtSend: any.other, isOfEarlierPage: true };
    });
  });

  test('if the clock is wrong and its offset is known', () => {
    isRightWithin(4 * SECOND, (any) => ({ learnt: any.offset + any.learntWith }));
  });

  test('if the body arrives days late', () => {
    isRightWithin(4 * SECOND, (any) => ({ learnt: any.offset + any.learntWith, late: any.late }));
  });

  test('if the machine slept', () => {
    isRightWithin(4 * SECOND, (any) => {
      const slept = Math.max(31 * SECOND, any.slept);
      return { learnt: any.offset + any.learntWith, slept, waited: slept + 10 * SECOND };
    });
  });

  test('if the clock is wrong with an unknown offset, to within the time the body was on its way', () => {
    isRightWithin(61 * SECOND + ON_THE_WAY, () => ({}));
  });

  test('if the clock was corrected or went wrong between call and request, and no answer ever came', () => {
    isRightWithin(61 * SECOND, (any) => ({ offsetAtSend: any.other }));
  });

  test('if the clock jumped forward between call and request, with an offset known before', () => {
    isRightWithin(40 * SECOND, (any) => ({
      learnt: any.offset + any.learntWith,
      offsetAtSend: any.offset + 90 * SECOND + Math.abs(any.other),
    }));
  });

  test('if the clock jumped forward before the event, with an offset known before that', () => {
    isRightWithin(25 * SECOND, (any) => {
      const now = any.offset + 90 * SECOND + Math.abs(any.other);
      return { learnt: any.offset + any.learntWith, offsetThen: now, offsetAtSend: now };
    });
  });
});
