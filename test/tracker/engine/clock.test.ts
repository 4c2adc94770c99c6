import { describe, expect, test } from 'vitest';
import { createClock } from '../../../src/tracker/engine/clock.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { storedEntry } from '../../fakes/records.ts';

const HOUR_MS = 3_600_000;
const OURS = 'A'.repeat(22);

/** A clock of a page whose visitor's clock is off by so much. */
function clockOff(offMs = 0) {
  const time = fakeTime();
  time.shift(offMs);
  const clock = createClock(time, OURS);
  const relayNow = () => time.now();
  const learn = () => clock.learn(relayNow(), time.mono());
  const call = (more = {}) =>
    storedEntry(1, { id: `${OURS}.1`, wall: time.wall(), mono: time.mono(), ...more });
  return { time, clock, learn, call };
}

const instant = (written: string | undefined) =>
  Date.parse((written ?? '').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));

test('before any answer it is the visitor’s own clock, and says that it has learnt nothing', () => {
  const { time, clock } = clockOff(2 * HOUR_MS);

  expect(clock.now()).toBe(time.wall());
  expect(clock.offset()).toBeUndefined();
  expect(clock.isConfirmed()).toBe(false);
});

test('an answer sets it right, by half of the way there and back', () => {
  const { time, clock } = clockOff(2 * HOUR_MS);
  const sentMono = time.mono();
  time.set(time.now() + 2_000);

  clock.learn(time.now() - 1_000, sentMono);

  expect(clock.now()).toBe(time.now());
  expect(clock.offset()).toBe(2 * HOUR_MS);
  expect(clock.isConfirmed()).toBe(true);
});

describe('the age of a call of this page', () => {
  test.each([
    ['set forward a year', 365 * 24 * HOUR_MS],
    ['set back a year', -365 * 24 * HOUR_MS],
  ])('is right though the clock was %s', async (_, ms) => {
    const { time, clock, call } = clockOff();
    const made = call();

    await time.pass(42_000);
    time.shift(ms);

    expect(clock.ageOf(made)).toBe(42_000);
  });
});

describe('the age of a call of an earlier page', () => {
  const earlier = (fields: object) => storedEntry(1, fields);

  test('goes by the relay’s time, whatever the visitor’s clock says now', () => {
    const { time, clock, learn } = clockOff(-HOUR_MS);
    learn();
    const made = earlier({ at: time.now() - 90_000, wall: 0 });

    time.shift(24 * HOUR_MS);

    expect(clock.ageOf(made)).toBe(90_000);
  });

  test('that no page has written into the database yet goes by what is known of the visitor’s clock', () => {
    const { time, clock, learn } = clockOff(-HOUR_MS);
    learn();
    const made = earlier({ at: undefined, wall: time.wall() - 90_000 });

    expect(clock.ageOf(made)).toBe(90_000);
  });
});

describe('the time of an event', () => {
  test('of this page is when the visitor’s clock said it was', () => {
    const { clock, call, time } = clockOff(2 * HOUR_MS);
    const made = call();
    time.shift(-2 * HOUR_MS);

    expect(instant(clock.eventTime(made))).toBe(made.wall);
  });

  test('of an earlier page is told by the visitor’s clock as it is now, so that one offset corrects all', () => {
    const { time, clock, learn } = clockOff(2 * HOUR_MS);
    learn();
    const at = time.now() - 60_000;
    const made = storedEntry(1, { at, wall: 0 });

    expect(instant(clock.eventTime(made)) - (clock.offset() ?? 0)).toBe(at);
  });
});

describe('what an answer has taught of the visitor’s clock', () => {
  test('is followed where the clock is set back', () => {
    const { time, clock, learn } = clockOff(2 * HOUR_MS);
    learn();

    time.shift(-2 * HOUR_MS);

    expect(clock.offset()).toBe(0);
  });

  test('is kept where the machine may have slept: the relay tells that from a clock set forward', () => {
    const { time, clock, learn } = clockOff();
    learn();

    time.shift(8 * HOUR_MS);

    expect(clock.offset()).toBe(0);
    learn();
    expect(clock.offset()).toBe(8 * HOUR_MS);
  });

  test('is taken from an earlier page until an answer comes, and confirms nothing', () => {
    const { time, clock, learn } = clockOff(2 * HOUR_MS);

    clock.restore(2 * HOUR_MS);
    const restored = [clock.now(), clock.isConfirmed()];
    learn();
    clock.restore(0);

    expect(restored).toEqual([time.now(), false]);
    expect(clock.offset()).toBe(2 * HOUR_MS);
  });
});
