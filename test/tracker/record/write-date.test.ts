import { afterEach, expect, test, vi } from 'vitest';
import { writeDate } from '../../../src/tracker/record/write-date.ts';
import { onSpoiltPage, SPOILT_PAGES } from '../../fakes/browser/spoilt-page.ts';

afterEach(() => vi.unstubAllEnvs());

test.each([
  ['America/Los_Angeles', '2018-09-15T18:29:00-0700'],
  ['Asia/Kolkata', '2018-09-16T06:59:00+0530'],
  ['UTC', '2018-09-16T01:29:00+0000'],
])('a time is written in the offset of a visitor in %s', (zone, text) => {
  vi.stubEnv('TZ', zone);

  expect(writeDate(Date.parse('2018-09-16T01:29:00Z'))).toBe(text);
});

test.each([
  ['2026-03-29T00:59:59Z', '2026-03-29T01:59:59+0100'],
  ['2026-03-29T01:00:00Z', '2026-03-29T03:00:00+0200'],
])('the offset is that of the time, across summer time: %s', (moment, text) => {
  vi.stubEnv('TZ', 'Europe/Berlin');

  expect(writeDate(Date.parse(moment))).toBe(text);
});

test.each(Object.keys(SPOILT_PAGES))('a page’s own built-ins change nothing: %s', (name) => {
  const at = Date.parse('2018-09-16T01:29:00Z');

  expect(onSpoiltPage(name, () => writeDate(at))).toBe(writeDate(at));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15, -1e15])('%d can’t be written', (at) => {
  expect(writeDate(at)).toBeUndefined();
});
