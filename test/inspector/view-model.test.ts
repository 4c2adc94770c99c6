import { describe, expect, test } from 'vitest';
import { EMPTY_JOURNAL } from '../../src/inspector/journal.ts';
import { type Seen, toViewModel } from '../../src/inspector/view-model.ts';
import type { InspectedBuffer } from '../../src/tracker/inspect.ts';
import { statsOf } from '../../src/tracker/store/stats.ts';
import { inspectedEvent, inspectedUser } from '../fakes/browser/inspected.ts';

const NOW = 1_000_000;

const COUNTS = { tracked: 12, delivered: 4, rejected: 2, expired: 1, over_max_records: 2, opted_out: 0 };

const BUFFER: InspectedBuffer = {
  kind: 'there',
  now: NOW,
  records: [inspectedUser(1, { at: NOW - 90_000 }), inspectedEvent(2, { at: NOW - 4_000 })],
  counts: statsOf(COUNTS),
  fullAt: undefined,
  pause: undefined,
  clockOffset: undefined,
};

const SEEN: Seen = {
  tracker: { kind: 'there', stats: statsOf(COUNTS) },
  settings: { endpoint: 'https://t.example.com', burst: 5, requestsPerMinute: 60 },
  buffer: BUFFER,
  optedOut: false,
};

const model = (changed: Partial<Seen> = {}, journal = EMPTY_JOURNAL) =>
  toViewModel({ ...SEEN, ...changed }, journal);

const withBuffer = (changed: Partial<InspectedBuffer>) => model({ buffer: { ...BUFFER, ...changed } });

describe('the buffer', () => {
  test('shows how many records wait, since when, and each by name, kind and age', () => {
    expect(model()).toMatchObject({
      waiting: '3',
      oldest: '90 s',
      records: [
        { name: 'identify', kind: 'identify', age: '90 s' },
        { name: 'Added to Cart', kind: 'track', age: '4 s' },
      ],
      listed: 'The oldest 2 of 3',
    });
  });

  test('shows that a record has no time and no name', () => {
    const strange = inspectedEvent(3, { at: undefined, eventName: undefined });

    expect(withBuffer({ records: [strange] })).toMatchObject({
      oldest: '–',
      records: [{ name: '(no name)', age: '–' }],
    });
  });

  test('says that no records are waiting, or that they can’t be listed', () => {
    const none = { kind: 'there', stats: statsOf({ tracked: 1, delivered: 1 }) } as const;

    expect(model({ tracker: none, buffer: { ...BUFFER, records: [] } })).toMatchObject({
      waiting: '0',
      oldest: '–',
      listed: 'No records are waiting',
    });
    expect(model({ buffer: { kind: 'unreadable', why: 'refused' } }).listed).toBe('They can’t be listed');
  });
});

describe('outcomes', () => {
  test('are those of all records tracked, down to the last', () => {
    const { tracked, outcomes } = model();

    expect(outcomes.map(({ key, count }) => [key, count])).toEqual([
      ['waiting', 3],
      ['delivered', 4],
      ['rejected', 2],
      ['expired', 1],
      ['over max records', 2],
      ['opted out', 0],
    ]);
    expect(tracked).toBe(String(outcomes.reduce((sum, { count }) => sum + count, 0)));
  });

  test('are the database’s if the page has no tracker', () => {
    expect(model({ tracker: { kind: 'missing' } })).toMatchObject({ tracked: '12', waiting: '3' });
  });

  test('are the tracker’s own if the two differ, because it may keep them in memory', () => {
    const stats = statsOf({ tracked: 1 });

    expect(model({ tracker: { kind: 'there', stats } })).toMatchObject({ tracked: '1', waiting: '1' });
  });

  test('are unknown without either', () => {
    expect(model({ tracker: { kind: 'missing' }, buffer: { kind: 'missing' } })).toMatchObject({
      tracked: '–',
      waiting: '–',
      outcomes: [],
    });
  });
});

describe('the clock', () => {
  test.each([
    ['nothing if unknown', undefined, ''],
    ['nothing if it is right', 1_500, ''],
    ['the time it is ahead', 7_200_000, 'This clock is 2 h ahead of the relay’s.'],
    ['the time it is behind', -300_000, 'This clock is 5 min behind the relay’s.'],
  ])('says %s', (_, clockOffset, said) => {
    expect(withBuffer({ clockOffset }).clock).toBe(said);
  });
});

describe('the bucket', () => {
  const fullAt = NOW + 2_750;

  test('contains what was left when it was stored, plus what was gained since', () => {
    expect(withBuffer({ fullAt })).toMatchObject({
      pips: [1, 1, 0.25, 0, 0],
      tokens: '2 of 5',
      rate: ', 60 a minute',
      pause: '',
    });
  });

  test('is full if nothing was ever sent', () => {
    expect(model()).toMatchObject({ pips: [1, 1, 1, 1, 1], tokens: '5 of 5' });
  });

  test('is unknown if its size is unknown or it can’t be read', () => {
    const unknown = { pips: [], tokens: '–', rate: '' };

    expect(model({ settings: undefined })).toMatchObject(unknown);
    expect(model({ buffer: { kind: 'unreadable', why: 'refused' } })).toMatchObject(unknown);
  });

  test('pauses after a failure, with reason and time', () => {
    const pause = { until: NOW + 4_000, reason: 'rate_limited' };

    expect(withBuffer({ fullAt, pause }).pause).toBe(
      'Waits, again in 4 s. rate_limited: the relay asks the page to wait',
    );
  });

  test('pauses for at least a second', () => {
    const pause = { until: NOW + 100, reason: 'network' };

    expect(withBuffer({ fullAt, pause }).pause).toMatch(/^Waits, again in 1 s\. network/);
  });
});

describe('a missing part is reported with the line that helps', () => {
  const notices = (...of: Parameters<typeof model>) =>
    model(...of).notices.map(({ key, code }) => [key, code]);

  test('nothing is missing', () => {
    expect(notices()).toEqual([]);
  });

  test('no tracker: the script tag of the relay, and the property', () => {
    const shown = notices({ tracker: { kind: 'missing' } });

    expect(shown.map(([, code]) => code)).toEqual([
      '<script async src="https://t.example.com/tracker.js"></script>',
      `document.querySelector('relay-inspector').tracker = tracker`,
    ]);
  });

  test.each<[string, Partial<Seen>, RegExp]>([
    ['a script that has not loaded', { tracker: { kind: 'loading', calls: 2 } }, /has not loaded: 2 calls/],
    ['a tracker that can’t start', { tracker: { kind: 'silent', why: 'RangeError: x' } }, /RangeError: x/],
    ['a visitor who has opted out', { optedOut: true }, /opted out/],
    ['an invalid option', { settings: 'RangeError: burst' }, /RangeError: burst/],
    ['a missing endpoint', { settings: undefined }, /set the relay’s address/],
    [
      'a buffer that can’t be opened',
      { buffer: { kind: 'unreadable', why: 'SecurityError' } },
      /SecurityError/,
    ],
  ])('%s', (_, changed, said) => {
    const shown = notices(changed);

    expect(shown).toHaveLength(1);
    expect(shown[0]?.[0]).toMatch(said);
  });

  test('a buffer in memory, if the database’s contents are not this page’s', () => {
    const degraded = { ...EMPTY_JOURNAL, degraded: 'no IndexedDB' };

    expect(notices({}, degraded)).toEqual([[expect.stringContaining('no IndexedDB'), '']]);
    expect(model({}, degraded)).toMatchObject({
      waiting: '3',
      records: [],
      listed: 'They can’t be listed',
      tokens: '–',
    });
  });
});
