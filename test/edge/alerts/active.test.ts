import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ActiveAlerts, advance, beginnings } from '../../../src/edge/alerts/active.ts';
import { ALERT_NAMES, type AlertName, type Notice } from '../../../src/edge/alerts/alert.ts';
import type { Condition, Conditions } from '../../../src/edge/alerts/conditions.ts';

const NOW = Date.parse('2026-11-30T03:00:00Z');
const MINUTE = 60_000;

type Level = Condition['level'];
type Levels = { readonly [Name in AlertName]?: Level };

const CLEAR_MS: Readonly<Record<AlertName, number>> = {
  broken: 5 * MINUTE,
  suspended: 5 * MINUTE,
  stale: 5 * MINUTE,
  full: 5 * MINUTE,
  silent: 5 * MINUTE,
  late: 5 * MINUTE,
  filling: 5 * MINUTE,
  dead_letters: 10 * MINUTE,
  tokens_refused: 10 * MINUTE,
  doubles_possible: 10 * MINUTE,
};

function conditions(levels: Levels, figures = {}): Conditions {
  const pairs = ALERT_NAMES.map((name) => [name, { level: levels[name] ?? 'off', figures }]);
  return Object.fromEntries(pairs) as Conditions;
}

type Step = { readonly afterMs: number; readonly levels: Levels };

/** Plays the steps, as runs of the watchdog that find nothing but what was stored. */
function play(steps: readonly Step[]): readonly Notice[] {
  let now = NOW;
  let active: ActiveAlerts = {};
  let serial = 0;
  const made: Notice[] = [];
  for (const { afterMs, levels } of steps) {
    now += afterMs;
    const advanced = advance(active, serial, conditions(levels), now);
    active = JSON.parse(JSON.stringify(advanced.active));
    serial = advanced.serial;
    made.push(...advanced.made);
  }
  return made;
}

/** The same rule for one alert, as simple as it can be said: from all that was seen so far. */
function expected(alert: AlertName, steps: readonly Step[]): string[] {
  const said: string[] = [];
  let now = NOW;
  let isActive = false;
  let offSince: number | undefined;
  for (const { afterMs, levels } of steps) {
    now += afterMs;
    const level = levels[alert] ?? 'off';
    offSince = level === 'off' ? (offSince ?? now) : undefined;
    if (!isActive && level === 'on') {
      isActive = true;
      said.push(`begins ${now}`);
    } else if (isActive && offSince !== undefined && now - offSince >= CLEAR_MS[alert]) {
      isActive = false;
      said.push(`ends ${now}`);
    }
  }
  return said;
}

const anyLevels = fc.record(
  Object.fromEntries(
    ALERT_NAMES.map((name) => [name, fc.constantFrom<Level>('on', 'off', 'off', 'between')]),
  ),
  { requiredKeys: [] },
);
const anySteps = fc.array(
  fc.record({ afterMs: fc.constantFrom(1_000, MINUTE, MINUTE, 5 * MINUTE), levels: anyLevels }),
  { maxLength: 60 },
);

describe('under all changes of the conditions', () => {
  test('each alert begins and ends as its own conditions say', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const made = play(steps);

        for (const alert of ALERT_NAMES)
          expect(
            made.filter((notice) => notice.alert === alert).map(({ state, at }) => `${state} ${at}`),
          ).toEqual(expected(alert, steps));
      }),
    );
  });

  test('each begin has at most one end, no begin follows a begin, and no two messages share an id', () => {
    const clocks = fc.array(
      fc.record({
        // A clock may be set back.
        afterMs: fc.constantFrom(0, MINUTE, 5 * MINUTE, -3 * MINUTE, -60 * MINUTE),
        levels: anyLevels,
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(clocks, (steps) => {
        const made = play(steps);

        expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
        for (const alert of ALERT_NAMES) {
          const states = made.filter((notice) => notice.alert === alert).map(({ state }) => state);
          expect(states).toEqual(states.map((_, index) => (index % 2 === 0 ? 'begins' : 'ends')));
        }
      }),
    );
  });

  test('nothing is made or changed while nothing happens', () => {
    const active: ActiveAlerts = { late: { since: NOW, serial: 1, figures: {}, clearSince: null } };

    const advanced = advance(active, 1, conditions({ late: 'on' }), NOW + MINUTE);

    expect(advanced.active).toBe(active);
    expect(advanced.made).toEqual([]);
  });
});

test('a condition that comes back within minutes neither ends its alert nor begins another', () => {
  const flapping = Array.from({ length: 50 }, (_, index) => ({
    afterMs: MINUTE,
    levels: { stale: index % 5 === 0 ? ('on' as const) : ('off' as const) },
  }));

  expect(play(flapping).map(({ state }) => state)).toEqual(['begins']);
});

test('an end has the id of its begin, except for the last word, and says since when the alert lasted', () => {
  const [begin, end] = play([
    { afterMs: 0, levels: { suspended: 'on' } },
    { afterMs: MINUTE, levels: {} },
    { afterMs: 5 * MINUTE, levels: {} },
  ]);

  expect(begin?.id).toMatch(/-begins$/);
  expect(end?.id).toBe(begin?.id.replace('begins', 'ends'));
  expect(end).toMatchObject({ since: NOW, at: NOW + 6 * MINUTE });
});

test('a destination that is new gets the begin of an active alert under the id that others got', () => {
  const { active, made } = advance({}, 0, conditions({ full: 'on', late: 'on' }), NOW);

  expect(beginnings(active, NOW + MINUTE).map(({ id }) => id)).toEqual(made.map(({ id }) => id));
});
