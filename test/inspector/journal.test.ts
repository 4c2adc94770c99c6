import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_JOURNAL, hear, type Journal, type Told } from '../../src/inspector/journal.ts';
import type { TrackerEvents } from '../../src/tracker/index.ts';
import { TOLD } from '../fakes/inspected.ts';

const NAMES = new Map([['a', 'Bought']]);

/** What a tracker tells, one a second. */
function heard(...all: readonly Told[]): Journal {
  return all.reduce(
    (journal, told, index) => hear(journal, { told, at: index * 1_000 }, (id) => NAMES.get(id)),
    EMPTY_JOURNAL,
  );
}

const told = <Name extends keyof TrackerEvents>(
  name: Name,
  changed: Partial<TrackerEvents[Name]> = {},
): Told => ({ name, told: { ...TOLD[name], ...changed } }) as Told;

describe('batches', () => {
  test('each delivered one has a line, with the number of records and duplicates', () => {
    const { batches } = heard(told('delivered', { duplicates: 0 }), told('delivered'));

    expect(batches.map(({ at, end, detail }) => [at, end, detail])).toEqual([
      [1_000, 'delivered', '3 records, 1 of them duplicates'],
      [0, 'delivered', '3 records'],
    ]);
  });

  test('an outage is one line with the latest state and a count', () => {
    const { batches } = heard(
      told('retrying', { inMs: 1_000 }),
      told('delivered'),
      told('retrying', { inMs: 8_000 }),
    );

    expect(batches).toMatchObject([
      { end: 'retrying', detail: 'network, again in 8 s', times: 2, at: 2_000 },
      { end: 'delivered' },
    ]);
  });
});

describe('errors', () => {
  test('are all counted, though few have a line, and successes are not errors', () => {
    const alike = Array.from({ length: 400 }, () => told('repaired'));
    const others = Array.from({ length: 30 }, (_, n) => told('rejected', { id: `z${n}` }));

    const journal = heard(told('delivered'), ...alike, ...others, told('repaired', { done: 'kept' }));

    expect(journal.errors).toBe(431);
    expect(journal.troubles).toHaveLength(20);
  });

  test('a rejected record has its name and id, field and rule', () => {
    expect(heard(told('rejected')).troubles).toMatchObject([
      { kind: 'rejected', about: 'Bought a', issues: TOLD.rejected.issues },
    ]);
  });

  test('an error of a record with an unknown name shows its id', () => {
    expect(heard(told('rejected', { id: 'z' })).troubles[0]?.about).toBe('z');
  });

  test('a repair shows path, rule and action', () => {
    expect(heard(told('repaired')).troubles).toMatchObject([
      {
        kind: 'repaired',
        about: 'Bought',
        issues: [{ path: 'eventData.Note', message: 'must be short: cut' }],
      },
    ]);
  });

  test('a repair by the relay shows the name of the record with that id', () => {
    const { record: _, ...repaired } = TOLD.repaired;
    const told = { name: 'repaired', told: { ...repaired, id: 'a', done: 'left_out' } } as const;

    expect(heard(told).troubles).toMatchObject([
      { about: 'Bought', issues: [{ path: 'eventData.Note', message: 'must be short: left out' }] },
    ]);
    expect(heard({ ...told, told: { ...told.told, id: 'z' } }).troubles).toMatchObject([{ about: 'z' }]);
  });

  test('an unknown reason is shown by its name', () => {
    const strange = told('retrying', { reason: 'constructor' as never });

    expect(heard(strange).troubles[0]?.issues[0]?.message).toBe('constructor: see the documentation');
  });

  test('dropped, waiting and degraded records show the reason', () => {
    const { troubles, degraded } = heard(
      told('dropped'),
      told('retrying'),
      told('retrying', { reason: 'token_required', inMs: Number.POSITIVE_INFINITY }),
      told('degraded'),
    );

    expect(troubles.map(({ kind, about, issues }) => `${kind} ${about} ${issues[0]?.message}`)).toEqual([
      'degraded IndexedDB records are lost with the page: no IndexedDB',
      'retrying until its user signs in token_required: the page has no identity token that the relay accepts',
      'retrying again in 4 s network: the page got no answer from the relay',
      'dropped 2 records expired: the records were too old to keep',
    ]);
    expect(degraded).toBe('no IndexedDB');
  });

  test('repeated errors stand once, on top, with a count', () => {
    const { troubles } = heard(told('repaired'), told('dropped'), told('repaired'));

    expect(troubles.map(({ kind, times, at }) => [kind, times, at])).toEqual([
      ['repaired', 2, 2_000],
      ['dropped', 1, 1_000],
    ]);
  });

  test('a delivery is no error', () => {
    expect(heard(told('delivered')).troubles).toEqual([]);
  });
});

test('a changed attribute type is drift, not an error, counted by event, attribute and rule', () => {
  const kept = told('repaired', { done: 'kept', rule: 'was a number before, and is a string now' });
  const other = told('repaired', { done: 'kept', record: 'identify' });

  const { drifts, troubles } = heard(kept, other, kept);

  expect(drifts.map(({ record, path, times }) => [record, path, times])).toEqual([
    ['Bought', 'eventData.Note', 2],
    ['identify', 'eventData.Note', 1],
  ]);
  expect(troubles).toEqual([]);
});

test('the last 20 batches stay', () => {
  const { batches } = heard(...Array.from({ length: 25 }, () => told('delivered')));

  expect(batches.map(({ at }) => at / 1_000)).toEqual(Array.from({ length: 20 }, (_, index) => 24 - index));
});

test('no list grows beyond 20 lines, and each line appears once, whatever is reported', () => {
  const anyText = fc.string({ maxLength: 3 });
  const any: fc.Arbitrary<Told> = fc.oneof(
    anyText.map((id) => told('delivered', { ids: [id] })),
    anyText.map((id) => told('rejected', { id })),
    fc
      .tuple(anyText, fc.constantFrom('cut', 'kept'))
      .map(([path, done]) => told('repaired', { path, done } as Partial<TrackerEvents['repaired']>)),
    fc.nat().map((inMs) => told('retrying', { inMs })),
    fc.constant(told('dropped')),
    anyText.map((reason) => told('degraded', { reason })),
  );

  fc.assert(
    fc.property(fc.array(any, { maxLength: 120 }), (all) => {
      const { batches, troubles, drifts } = heard(...all);
      for (const lines of [batches, troubles, drifts]) {
        expect(lines.length).toBeLessThanOrEqual(20);
        expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
        expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted((a, b) => b - a));
      }
    }),
  );
});
