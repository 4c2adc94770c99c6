import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../../src/edge/alerts/alert.ts';
import type { Attempt } from '../../../src/edge/alerts/queue.ts';
import {
  type AlertState,
  alertReport,
  delivered,
  isQuiet,
  NO_ALERTS,
  runOf,
} from '../../../src/edge/alerts/run.ts';

const NOW = Date.parse('2026-11-30T03:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIMITS = { lateMs: 15 * MINUTE, staleMs: 5 * MINUTE };

/** What the watchdog finds: whether deliveries are suspended, and how many tokens were refused. */
type Found = { readonly suspended?: boolean; readonly tokens?: number };

const ANSWERED: Attempt = { delivered: [], status: 200, retryAfterMs: undefined, failed: false };
const REFUSED: Attempt = { ...ANSWERED, status: 500, failed: true };

function run(state: AlertState, { suspended = false, tokens = 0 }: Found, now: number, destinations = ['a']) {
  const findings = {
    isBroken: false,
    missingBindings: 0,
    outboxes: [],
    suspendedBy: suspended ? 401 : null,
    tokensRefused: tokens,
  };
  return runOf(state, findings, { limits: LIMITS, destinations }, now);
}

const idsOf = (notices: readonly Notice[] = []) => notices.map(({ id }) => id);
const stored = (state: AlertState): AlertState => JSON.parse(JSON.stringify(state));

/** A run of the watchdog in a world with faults. `dies`: after the messages have left, before that is stored. */
type Step = Found & { readonly answers: readonly boolean[]; readonly dies: boolean; readonly twice: boolean };

/** Plays the steps, one a minute. Returns what each of two receivers got, and all messages that were made. */
function play(steps: readonly Step[]) {
  const received: Record<string, Notice[]> = { a: [], b: [] };
  const made: Notice[] = [];
  let state = NO_ALERTS;
  let now = NOW;

  function send(due: ReturnType<typeof run>['due'], { answers, dies }: Pick<Step, 'answers' | 'dies'>): void {
    for (const [index, [destination, notices]] of Object.entries(due).entries()) {
      const arrives = answers[index] === true;
      if (arrives) received[destination]?.push(...notices);
      if (dies) continue;
      const attempt = arrives ? { ...ANSWERED, delivered: idsOf(notices) } : REFUSED;
      state = stored(delivered(state, destination, attempt, now + 10_000));
    }
  }

  for (const step of steps) {
    now += MINUTE;
    const begun = run(state, step, now, ['a', 'b']);
    state = stored(begun.state);
    made.push(...begun.made);
    // A second run that overlaps: the first has not sent yet.
    const again = step.twice ? run(state, step, now + 1_000, ['a', 'b']) : undefined;
    if (again !== undefined) {
      expect(again.made).toEqual([]);
      expect(again.due).toEqual({});
    }
    send(begun.due, step);
  }
  return { received, made };
}

const anyFound = { suspended: fc.boolean(), tokens: fc.constantFrom(0, 0, 19, 20) };
const anyStep = fc.record({
  ...anyFound,
  answers: fc.tuple(fc.boolean(), fc.boolean()),
  dies: fc.boolean(),
  twice: fc.boolean(),
});
const HEALTHY: Step = { answers: [true, true], dies: false, twice: false };

describe('in a world with faults', () => {
  test('every receiver gets each begin and end at least once, in order, and a repeat has the same id', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        // Then the receivers and the watchdog work again for two hours.
        const { received, made } = play([...steps, ...Array<Step>(120).fill(HEALTHY)]);

        for (const notices of Object.values(received)) {
          expect([...new Set(idsOf(notices))]).toEqual(idsOf(made));
          for (const notice of notices) expect(made).toContainEqual(notice);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('without a crash no receiver gets a message twice', () => {
    const careful = anyStep.map((step) => ({ ...step, dies: false }));
    fc.assert(
      fc.property(fc.array(careful, { maxLength: 60 }), (steps) => {
        for (const notices of Object.values(play(steps).received))
          expect(new Set(idsOf(notices)).size).toBe(notices.length);
      }),
    );
  });

  test('nothing is sent before the state that says so can be stored', () => {
    const { state, due } = run(NO_ALERTS, { suspended: true }, NOW);

    expect(idsOf(state.queues.a?.notices)).toEqual(idsOf(due.a));
  });
});

describe('a receiver that fails', () => {
  const begun = run(NO_ALERTS, { suspended: true }, NOW).state;
  const failing = (attempt: Partial<Attempt>, times = 1) => {
    let state = begun;
    for (let n = 0; n < times; n++) state = delivered(state, 'a', { ...REFUSED, ...attempt }, NOW);
    return state;
  };
  const isTried = (state: AlertState, afterMs: number) =>
    run(state, { suspended: true }, NOW + afterMs).due.a !== undefined;

  test('is asked again by the next run, then less and less often, at least every half an hour', () => {
    expect(isTried(failing({}), MINUTE)).toBe(true);
    expect(isTried(failing({}, 2), MINUTE)).toBe(false);
    expect(isTried(failing({}, 2), 2 * MINUTE)).toBe(true);
    expect(isTried(failing({}, 20), 29 * MINUTE)).toBe(false);
    expect(isTried(failing({}, 20), 30 * MINUTE)).toBe(true);
  });

  test('is given the time that it asks for, and no more than an hour', () => {
    expect(isTried(failing({ status: 429, retryAfterMs: 10 * MINUTE }), 9 * MINUTE)).toBe(false);
    expect(isTried(failing({ status: 429, retryAfterMs: 10 * MINUTE }), 10 * MINUTE)).toBe(true);
    expect(isTried(failing({ status: 429, retryAfterMs: 1e12 }), HOUR)).toBe(true);
  });

  test('is asked again although the clock was set back by a year', () => {
    const state = delivered(begun, 'a', REFUSED, NOW + 365 * 24 * HOUR);

    expect(isTried(state, MINUTE)).toBe(true);
  });

  test('does not delay another one', () => {
    const both = run(NO_ALERTS, { suspended: true }, NOW, ['a', 'b']);

    const state = delivered(both.state, 'b', { ...ANSWERED, delivered: idsOf(both.due.b) }, NOW);
    const next = run(delivered(state, 'a', REFUSED, NOW), { tokens: 20 }, NOW + 10_000, ['a', 'b']);

    expect(next.due.a).toBeUndefined();
    expect(idsOf(next.due.b)).toEqual(idsOf(next.made));
  });

  test('for a day does not get the message after that, and this is counted', () => {
    const { state, due, givenUp } = run(failing({}, 20), { suspended: true }, NOW + 24 * HOUR);

    expect(due).toEqual({});
    expect(givenUp).toBe(1);
    expect(state.queues.a?.notices).toEqual([]);
  });

  test('for long keeps a hundred messages, the newest ones, and the others are counted', () => {
    let state = NO_ALERTS;
    let givenUp = 0;
    const made: Notice[] = [];
    // An alert that begins and ends every 12 minutes, for 17 hours.
    for (let n = 0; n < 1_000; n++) {
      const ran = run(state, { tokens: n % 12 === 0 ? 20 : 0 }, NOW + n * MINUTE);
      state = ran.state;
      givenUp += ran.givenUp;
      made.push(...ran.made);
    }

    expect(made.length).toBeGreaterThan(150);
    expect(idsOf(state.queues.a?.notices)).toEqual(idsOf(made.slice(-100)));
    expect(givenUp).toBe(made.length - 100);
  });

  test('in the middle of several messages gets the rest, and none of the first ones', () => {
    const { state, due } = run(NO_ALERTS, { suspended: true, tokens: 20 }, NOW);
    const [first = '', second = ''] = idsOf(due.a);

    const after = delivered(state, 'a', { ...REFUSED, delivered: [first] }, NOW);

    expect(idsOf(run(after, { suspended: true, tokens: 20 }, NOW + MINUTE).due.a)).toEqual([second]);
  });
});

test('a run sends ten messages to a destination, and the next run the others', () => {
  const many = Array.from({ length: 12 }, (_, index) => `n${index}`);
  const { state } = run(NO_ALERTS, { suspended: true }, NOW);
  const [notice] = state.queues.a?.notices ?? [];
  if (notice === undefined) throw new Error('there is a message');
  const queue = {
    notices: many.map((id) => ({ ...notice, id })),
    failures: 0,
    nextAt: 0,
    last: null,
  };
  const full = { ...state, queues: { a: queue } };

  const first = run(full, { suspended: true }, NOW);
  const after = delivered(first.state, 'a', { ...ANSWERED, delivered: idsOf(first.due.a) }, NOW);

  expect(idsOf(first.due.a)).toEqual(many.slice(0, 10));
  expect(idsOf(run(after, { suspended: true }, NOW + MINUTE).due.a)).toEqual(many.slice(10));
});

test('a destination that is removed is forgotten, and one that is added gets the active alerts', () => {
  const { state, due } = run(NO_ALERTS, { suspended: true }, NOW);

  const moved = run(state, { suspended: true }, NOW + 48 * HOUR, ['b']);

  expect(Object.keys(moved.state.queues)).toEqual(['b']);
  expect(idsOf(moved.due.b)).toEqual(idsOf(due.a));
});

test('a relay is quiet once all alerts have ended and their messages have arrived', () => {
  const begun = run(NO_ALERTS, { suspended: true }, NOW);
  const arrived = (state: AlertState, ids: readonly string[]) =>
    delivered(state, 'a', { ...ANSWERED, delivered: ids }, NOW);
  const cleared = run(arrived(begun.state, idsOf(begun.due.a)), {}, NOW + MINUTE);
  const ended = run(cleared.state, {}, NOW + 6 * MINUTE);

  expect([NO_ALERTS, begun.state, cleared.state, ended.state].map(isQuiet)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(isQuiet(arrived(ended.state, idsOf(ended.due.a)))).toBe(true);
});

test('a run that finds nothing new changes nothing, so nothing is written', () => {
  const { state } = run(NO_ALERTS, {}, NOW);

  expect(run(state, {}, NOW + MINUTE).state).toBe(state);
});

test('the operator sees the active alerts, what is left to send, and the last outcome', () => {
  const { state } = run(NO_ALERTS, { suspended: true }, NOW);

  expect(alertReport(delivered(state, 'a', REFUSED, NOW))).toEqual({
    active: [{ alert: 'suspended', since: NOW, figures: { status: 401 } }],
    queues: { a: { waiting: 1, last: { at: NOW, delivered: false, status: 500 } } },
  });
});
