import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDate } from '../../../../src/contract/rules/date.ts';
import { timeZone } from '../../../../src/import/read/values/time-zone.ts';

function written(zone: string, local: string): string | undefined {
  const moment = timeZone(zone)?.(Date.parse(`${local}Z`));
  return moment && formatDate(moment.at, moment.offsetMinutes);
}

describe('a local time is written with the offset of its zone', () => {
  test.each([
    ['UTC', '2026-03-29T02:30:00', '2026-03-29T02:30:00+0000'],
    ['Europe/Berlin', '2026-01-15T12:00:00', '2026-01-15T12:00:00+0100'],
    ['Europe/Berlin', '2026-07-15T12:00:00', '2026-07-15T12:00:00+0200'],
    ['Asia/Kolkata', '2026-07-15T12:00:00', '2026-07-15T12:00:00+0530'],
    ['America/New_York', '2026-07-15T23:59:59', '2026-07-15T23:59:59-0400'],
  ])('%s: %s', (zone, local, expected) => {
    expect(written(zone, local)).toBe(expected);
  });
});

describe('where the clocks change', () => {
  test.each([
    ['the last second before the gap', 'Europe/Berlin', '2026-03-29T01:59:59', '2026-03-29T01:59:59+0100'],
    [
      'a time in the gap moves ahead by the gap',
      'Europe/Berlin',
      '2026-03-29T02:30:00',
      '2026-03-29T03:30:00+0200',
    ],
    ['the first second after the gap', 'Europe/Berlin', '2026-03-29T03:00:00', '2026-03-29T03:00:00+0200'],
    [
      'of a time that occurs twice, the first',
      'Europe/Berlin',
      '2026-10-25T02:30:00',
      '2026-10-25T02:30:00+0200',
    ],
    ['the first second after the repeat', 'Europe/Berlin', '2026-10-25T03:00:00', '2026-10-25T03:00:00+0100'],
    ['a gap of half an hour', 'Australia/Lord_Howe', '2026-10-04T02:15:00', '2026-10-04T02:45:00+1100'],
    ['a gap at midnight', 'America/Santiago', '2026-09-06T00:00:00', '2026-09-06T01:00:00-0300'],
    ['a day that an island left out', 'Pacific/Apia', '2011-12-30T12:00:00', '2011-12-31T12:00:00+1400'],
  ])('%s', (_, zone, local, expected) => {
    expect(written(zone, local)).toBe(expected);
  });
});

test('any moment comes back from its local time, except for the second hour of a repeat', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 0) })
        .map((at) => Math.floor(at / 1000) * 1000),
      fc.constantFrom(
        'Europe/Berlin',
        'America/New_York',
        'Asia/Kolkata',
        'Australia/Lord_Howe',
        'Africa/Casablanca',
      ),
      (at, zone) => {
        const offset = offsetByParts(zone, at);
        const moment = timeZone(zone)?.(at + offset);

        expect(moment?.at).toBeLessThanOrEqual(at);
        // An earlier moment is one with the same local time.
        expect((moment?.at ?? 0) + offsetByParts(zone, moment?.at ?? 0)).toBe(at + offset);
        expect(moment?.offsetMinutes).toBe(offsetByParts(zone, moment?.at ?? 0) / 60_000);
      },
    ),
    { numRuns: 500 },
  );
});

/** The offset in milliseconds, found in another way: by the parts of the local time. */
function offsetByParts(zone: string, at: number): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - at;
}

test.each(['Berlin', 'Europe/Nowhere', '', '+02:00', 'CEST '])('%j is not a zone', (name) => {
  expect(timeZone(name)).toBeUndefined();
});
