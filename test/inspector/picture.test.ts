import { describe, expect, test } from 'vitest';
import { BLANK } from '../../src/inspector/journal.ts';
import { pictureOf, type Seen } from '../../src/inspector/picture.ts';
import { statsOf } from '../../src/tracker/store/stats.ts';
import { eventRecord, userRecord } from '../fakes/records.ts';

const NOW = 1_000_000;

const COUNTS = { made: 12, delivered: 4, rejected: 2, expired: 1, over_max_records: 2, opted_out: 0 };

const FOUND = {
  kind: 'there',
  oldest: [
    { at: NOW - 90_000, record: userRecord(1) },
    { at: NOW - 4_000, record: eventRecord(2) },
  ],
  pace: undefined,
  counts: COUNTS,
} as const;

const SEEN: Seen = {
  at: NOW,
  tracker: { kind: 'there', stats: statsOf(COUNTS) },
  known: { endpoint: 'https://t.example.com', burst: 5, requestsPerMinute: 60 },
  found: FOUND,
  isOut: false,
};

const picture = (changed: Partial<Seen> = {}, journal = BLANK) => pictureOf({ ...SEEN, ...changed }, journal);

describe('the buffer', () => {
  test('shows how many wait, since when, and each by name, kind and age', () => {
    expect(picture()).toMatchObject({
      waiting: '3',
      oldest: '90 s',
      records: [
        { name: 'identify', kind: 'identify', age: '90 s' },
        { name: 'Added to Cart', kind: 'track', age: '4 s' },
      ],
      listed: 'The oldest 2 of 3',
    });
  });

  test('says so where nothing waits, or what waits can’t be listed', () => {
    const none = { kind: 'there', stats: statsOf({ made: 1, delivered: 1 }) } as const;

    expect(picture({ tracker: none, found: { ...FOUND, oldest: [] } })).toMatchObject({
      waiting: '0',
      oldest: '–',
      listed: 'Nothing waits',
    });
    expect(picture({ found: { kind: 'unreadable', why: 'refused' } }).listed).toBe('They can’t be listed');
  });
});

describe('ends by reason', () => {
  test('are what has been made, to the last record', () => {
    const { made, ends } = picture();

    expect(ends.map(({ key, count }) => [key, count])).toEqual([
      ['waiting', 3],
      ['delivered', 4],
      ['rejected', 2],
      ['expired', 1],
      ['over max records', 2],
      ['opted out', 0],
    ]);
    expect(made).toBe(String(ends.reduce((sum, { count }) => sum + count, 0)));
  });

  test('are the database’s where the page has no tracker', () => {
    expect(picture({ tracker: { kind: 'missing' } })).toMatchObject({ made: '12', waiting: '3' });
  });

  test('are the tracker’s own, where the two differ: it may keep them in memory', () => {
    const stats = statsOf({ made: 1 });

    expect(picture({ tracker: { kind: 'there', stats } })).toMatchObject({ made: '1', waiting: '1' });
  });

  test('are unknown where neither is there', () => {
    expect(picture({ tracker: { kind: 'missing' }, found: { kind: 'missing' } })).toMatchObject({
      made: '–',
      waiting: '–',
      ends: [],
    });
  });
});

describe('the bucket', () => {
  const paced = (pace: object) => picture({ found: { ...FOUND, pace } });
  const bucket = { tokens: 0.25, asOf: NOW - 2_000 };

  test('holds what was left when it was written down, and what has come in since', () => {
    expect(paced({ bucket, failures: 0 })).toMatchObject({
      pips: [1, 1, 0.25, 0, 0],
      tokens: '2 of 5',
      rate: ', 60 a minute',
      pause: '',
    });
  });

  test('is full where nothing was ever sent', () => {
    expect(picture()).toMatchObject({ pips: [1, 1, 1, 1, 1], tokens: '5 of 5' });
  });

  test('is unknown where nobody says how large it is, or it can’t be read', () => {
    const unknown = { pips: [], tokens: '–', rate: '' };

    expect(picture({ known: undefined })).toMatchObject(unknown);
    expect(picture({ found: { kind: 'unreadable', why: 'refused' } })).toMatchObject(unknown);
  });

  test('waits after a failure: why, and for how long', () => {
    const pause = { since: NOW - 1_000, forMs: 5_000, reason: 'rate_limited' };

    expect(paced({ bucket, failures: 1, pause }).pause).toBe(
      'Waits, again in 4 s. rate_limited: the relay asks for patience',
    );
  });

  test('waits for a second at the least, as long as it waits', () => {
    const pause = { since: NOW - 4_900, forMs: 5_000, reason: 'network' };

    expect(paced({ bucket, failures: 1, pause }).pause).toMatch(/^Waits, again in 1 s\. network/);
  });

  test('waits no longer once that is over', () => {
    const pause = { since: NOW - 9_000, forMs: 5_000, reason: 'network' };

    expect(paced({ bucket, failures: 1, pause }).pause).toBe('');
  });
});

describe('what is missing is told, with the line that helps', () => {
  const notices = (...of: Parameters<typeof picture>) =>
    picture(...of).notices.map(({ key, code }) => [key, code]);

  test('nothing, where all is there', () => {
    expect(notices()).toEqual([]);
  });

  test('no tracker: the script tag of the relay, and the property', () => {
    const told = notices({ tracker: { kind: 'missing' } });

    expect(told.map(([, code]) => code)).toEqual([
      '<script async src="https://t.example.com/tracker.js"></script>',
      `document.querySelector('relay-inspector').tracker = tracker`,
    ]);
  });

  test.each<[string, Partial<Seen>, RegExp]>([
    ['a script that has not loaded', { tracker: { kind: 'loading', calls: 2 } }, /has not loaded: 2 calls/],
    ['a tracker that can’t start', { tracker: { kind: 'silent', why: 'RangeError: x' } }, /RangeError: x/],
    ['a visitor who has opted out', { isOut: true }, /opted out/],
    ['an impossible option', { known: 'RangeError: burst' }, /RangeError: burst/],
    ['an endpoint that nobody names', { known: undefined }, /say where the tracker sends to/],
    ['a buffer that is refused', { found: { kind: 'unreadable', why: 'SecurityError' } }, /SecurityError/],
  ])('%s', (_, changed, said) => {
    const told = notices(changed);

    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toMatch(said);
  });

  test('a buffer in memory, where what the database holds is not this page’s', () => {
    const degraded = { ...BLANK, degraded: 'no IndexedDB' };

    expect(notices({}, degraded)).toEqual([[expect.stringContaining('no IndexedDB'), '']]);
    expect(picture({}, degraded)).toMatchObject({
      waiting: '3',
      records: [],
      listed: 'They can’t be listed',
      tokens: '–',
    });
  });
});
