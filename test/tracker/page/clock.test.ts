import { describe, expect, test } from 'vitest';
import { write } from '../../../src/tracker/engine/write-calls.ts';
import { ageOf, clockOffset, eventTime, learnOffset, relayNow } from '../../../src/tracker/page/clock.ts';
import { NO_VISITOR } from '../../../src/tracker/record/visitor.ts';
import { VISITOR } from '../../../src/tracker/store/record-store.ts';
import { fakePage } from '../../fakes/browser/page.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { storedEntry } from '../../fakes/records.ts';

const HOUR_MS = 3_600_000;

/** A page whose visitor's clock is off by so much. */
function clockOff(offMs = 0) {
  const time = fakeTime();
  time.shift(offMs);
  const { page, storage } = fakePage({}, { time });
  const learn = () => learnOffset(page, time.wall() - time.now());
  const call = (more = {}) =>
    storedEntry(1, { id: `${page.session}.1`, wall: time.wall(), mono: time.mono(), ...more });
  return { time, page, storage, learn, call };
}

const instant = (written: string | undefined) =>
  Date.parse((written ?? '').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));

test('before any answer it is the visitor’s own clock, and has no offset', () => {
  const { time, page } = clockOff(2 * HOUR_MS);

  expect(relayNow(page)).toBe(time.wall());
  expect(clockOffset(page)).toBeUndefined();
  expect(page.isClockConfirmed).toBeFalsy();
});

test('an answer corrects it', () => {
  const { time, page } = clockOff(2 * HOUR_MS);
  time.set(time.now() + 2_000);

  learnOffset(page, 2 * HOUR_MS);

  expect(relayNow(page)).toBe(time.now());
  expect(clockOffset(page)).toBe(2 * HOUR_MS);
});

describe('the age of a call of this page', () => {
  test.each([
    ['set forward a year', 365 * 24 * HOUR_MS],
    ['set back a year', -365 * 24 * HOUR_MS],
  ])('is right even if the clock was %s', async (_, ms) => {
    const { time, page, call } = clockOff();
    const made = call();

    await time.pass(42_000);
    time.shift(ms);

    expect(ageOf(page, made)).toBe(42_000);
  });
});

describe('the age of a call of an earlier page', () => {
  const earlier = (fields: object) => storedEntry(1, fields);

  test('follows the relay’s time, whatever the visitor’s clock says now', () => {
    const { time, page, learn } = clockOff(-HOUR_MS);
    learn();
    const made = earlier({ at: time.now() - 90_000, wall: 0 });

    time.shift(24 * HOUR_MS);

    expect(ageOf(page, made)).toBe(90_000);
  });

  test('that is not in the database yet follows the known offset of the visitor’s clock', () => {
    const { time, page, learn } = clockOff(-HOUR_MS);
    learn();
    const made = earlier({ at: undefined, wall: time.wall() - 90_000 });

    expect(ageOf(page, made)).toBe(90_000);
  });
});

describe('the time of an event', () => {
  test('of this page is the reading of the visitor’s clock at the call', () => {
    const { page, call, time } = clockOff(2 * HOUR_MS);
    const made = call();
    time.shift(-2 * HOUR_MS);

    expect(instant(eventTime(page, made))).toBe(made.wall);
  });

  test('of an earlier page is in the visitor’s current clock, so that one offset corrects all', () => {
    const { time, page, learn } = clockOff(2 * HOUR_MS);
    learn();
    const at = time.now() - 60_000;
    const made = storedEntry(1, { at, wall: 0 });

    expect(instant(eventTime(page, made)) - (clockOffset(page) ?? 0)).toBe(at);
  });
});

describe('the offset that an answer has taught', () => {
  test('follows a clock that is set back', () => {
    const { time, page, learn } = clockOff(2 * HOUR_MS);
    learn();

    time.shift(-2 * HOUR_MS);

    expect(clockOffset(page)).toBe(0);
  });

  test('is kept if the machine may have slept, because the relay can tell that from a clock set forward', () => {
    const { time, page, learn } = clockOff();
    learn();

    time.shift(8 * HOUR_MS);

    expect(clockOffset(page)).toBe(0);
    learn();
    expect(clockOffset(page)).toBe(8 * HOUR_MS);
  });

  test('is taken from an earlier page until an answer arrives, and confirms nothing', async () => {
    const { time, page, storage, learn } = clockOff(2 * HOUR_MS);
    const keep = (clockOffset: number) =>
      storage.update(VISITOR, () => ({ ...NO_VISITOR, device: 'd', changes: 1, clockOffset }));

    await keep(2 * HOUR_MS);
    await write(page);
    const restored = [relayNow(page), !!page.isClockConfirmed];
    learn();
    await keep(0);
    await write(page);

    expect(restored).toEqual([time.now(), false]);
    expect(clockOffset(page)).toBe(2 * HOUR_MS);
  });
});
