import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addEvent, EMPTY_JOURNAL, type Journal, type TrackerEvent } from '../../src/inspector/journal.ts';
import type { TrackerEvents } from '../../src/tracker/index.ts';
import { EVENTS } from '../fakes/browser/inspected.ts';

const NAMES = new Map([['a', 'Bought']]);

/** The journal of these events, one a second. */
function journalOf(...all: readonly TrackerEvent[]): Journal {
  return all.reduce(
    (journal, event, index) => addEvent(journal, { event, at: index * 1_000 }, (id) => NAMES.get(id)),
    EMPTY_JOURNAL,
  );
}

const event = <Name extends keyof TrackerEvents>(
  name: Name,
  changed: Partial<TrackerEvents[Name]> = {},
): TrackerEvent => ({ name, payload: { ...EVENTS[name], ...changed } }) as TrackerEvent;

describe('batches', () => {
  test('each delivered one has a line, with the number of records and duplicates', () => {
    const { batches } = journalOf(event('delivered', { duplicates: 0 }), event('delivered'));

    expect(batches.map(({ at, end, detail }) => [at, end, detail])).toEqual([
      [1_000, 'delivered', '3 records, 1 of them duplicates'],
      [0, 'delivered', '3 records'],
    ]);
  });

  test('an outage is one line with the latest state and a count', () => {
    const { batches } = journalOf(
      event('retrying', { inMs: 1_000 }),
      event('delivered'),
      event('retrying', { inMs: 8_000 }),
    );

    expect(batches).toMatchObject([
      { end: 'retrying', detail: 'network, again in 8 s', times: 2, at: 2_000 },
      { end: 'delivered' },
    ]);
  });
});

describe('errors', () => {
  test('are all counted, though few have a line, and successes are not errors', () => {
    const alike = Array.from({ length: 400 }, () => event('repaired'));
    const others = Array.from({ length: 30 }, (_, n) => event('rejected', { id: `z${n}` }));

    const journal = journalOf(event('delivered'), ...alike, ...others, event('repaired', { done: 'kept' }));

    expect(journal.errors).toBe(431);
    expect(journal.troubles).toHaveLength(20);
  });

  test('a rejected record has its name and id, field and rule', () => {
    expect(journalOf(event('rejected')).troubles).toMatchObject([
      { kind: 'rejected', about: 'Bought a', issues: EVENTS.rejected.issues },
    ]);
  });

  test('an error of a record with an unknown name shows its id', () => {
    expect(journalOf(event('rejected', { id: 'z' })).troubles[0]?.about).toBe('z');
  });

  test('a repair shows path, rule and action', () => {
    expect(journalOf(event('repaired')).troubles).toMatchObject([
      {
        kind: 'repaired',
        about: 'Bought',
        issues: [{ path: 'eventData.Note', message: 'must be short: cut' }],
      },
    ]);
  });

  test('a repair by the relay shows the name of the record with that id', () => {
    const { record: _, ...repaired } = EVENTS.repaired;
    const repair = { name: 'repaired', payload: { ...repaired, id: 'a', done: 'left_out' } } as const;

    expect(journalOf(repair).troubles).toMatchObject([
      { about: 'Bought', issues: [{ path: 'eventData.Note', message: 'must be short: left out' }] },
    ]);
    expect(journalOf({ ...repair, payload: { ...repair.payload, id: 'z' } }).troubles).toMatchObject([
      { about: 'z' },
    ]);
  });

  test('an unknown reason is shown by its name', () => {
    const strange = event('retrying', { reason: 'constructor' as never });

    expect(journalOf(strange).troubles[0]?.issues[0]?.message).toBe('constructor: see the documentation');
  });

  test('dropped, waiting and degraded records show the reason', () => {
    const { troubles, degraded } = journalOf(
      event('dropped'),
      event('retrying'),
      event('retrying', { reason: 'token_required', inMs: Number.POSITIVE_INFINITY }),
      event('degraded'),
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
    const { troubles } = journalOf(event('repaired'), event('dropped'), event('repaired'));

    expect(troubles.map(({ kind, times, at }) => [kind, times, at])).toEqual([
      ['repaired', 2, 2_000],
      ['dropped', 1, 1_000],
    ]);
  });

  test('a delivery is no error', () => {
    expect(journalOf(event('delivered')).troubles).toEqual([]);
  });
});

test('a changed attribute type is drift, not an error, counted by event, attribute and rule', () => {
  const kept = event('repaired', { done: 'kept', rule: 'was a number before, and is a string now' });
  const other = event('repaired', { done: 'kept', record: 'identify' });

  const { drifts, troubles } = journalOf(kept, other, kept);

  expect(drifts.map(({ record, path, times }) => [record, path, times])).toEqual([
    ['Bought', 'eventData.Note', 2],
    ['identify', 'eventData.Note', 1],
  ]);
  expect(troubles).toEqual([]);
});

test('the last 20 batches stay', () => {
  const { batches } = journalOf(...Array.from({ length: 25 }, () => event('delivered')));

  expect(batches.map(({ at }) => at / 1_000)).toEqual(Array.from({ length: 20 }, (_, index) => 24 - index));
});

test('no list grows beyond 20 lines, and each line appears once, whatever is reported', () => {
  const anyText = fc.string({ maxLength: 3 });
  const any: fc.Arbitrary<TrackerEvent> = fc.oneof(
    anyText.map((id) => event('delivered', { ids: [id] })),
    anyText.map((id) => event('rejected', { id })),
    fc
      .tuple(anyText, fc.constantFrom('cut', 'kept'))
      .map(([path, done]) => event('repaired', { path, done } as Partial<TrackerEvents['repaired']>)),
    fc.nat().map((inMs) => event('retrying', { inMs })),
    fc.constant(event('dropped')),
    anyText.map((reason) => event('degraded', { reason })),
  );

  fc.assert(
    fc.property(fc.array(any, { maxLength: 120 }), (all) => {
      const { batches, troubles, drifts } = journalOf(...all);
      for (const lines of [batches, troubles, drifts]) {
        expect(lines.length).toBeLessThanOrEqual(20);
        expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
        expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted((a, b) => b - a));
      }
    }),
  );
});
