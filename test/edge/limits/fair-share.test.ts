import { describe, expect, test } from 'vitest';
import { dueTimes } from '../../../src/edge/limits/fair-queue.ts';
import { shares } from '../../../src/edge/limits/fair-share.ts';

const NOW = 1_000_000;
/** So many records of one page load. */
const of = (records: number) => ({ records, sessions: 1 });
const ACCOUNT = 12_500;
const BEHIND = 1_000;

/** How many records a sender gets in within a minute, who tries a batch ten times a second. */
function enteredInAMinute(
  enter: ReturnType<typeof shares>['enter'],
  senderOf: (n: number) => Parameters<typeof enter>[0],
  waiting: number,
): number {
  let entered = 0;
  for (let n = 0; n < 600; n++) if (enter(senderOf(n), of(25), waiting, NOW + n * 100) === 0) entered += 25;
  return entered;
}

test('without a backlog no sender is refused, however much it sends', () => {
  const { enter } = shares(ACCOUNT, dueTimes());

  expect(enteredInAMinute(enter, () => ({ device: 'a', network: 'n' }), 400)).toBe(15_000);
});

test('the browsers of a network over its share go behind others, even if none is refused', () => {
  const known = dueTimes();
  const { enter } = shares(ACCOUNT, known);

  for (let n = 0; n < 100; n++) enter({ device: `d${n}`, network: 'n' }, of(25), 0, NOW);
  enter({ device: 'other', network: 'home' }, of(25), 0, NOW);

  // 417 at once, and 2,500 a minute.
  expect(known.dueFrom('d0', NOW)).toBe(0);
  expect(known.dueFrom('d99', NOW)).toBe(NOW + 50_000);
  expect(known.dueFrom('other', NOW)).toBe(0);
});

describe('while records wait', () => {
  test('a browser may add a tenth of what leaves, plus its unused share', () => {
    const { enter } = shares(ACCOUNT, dueTimes());

    const entered = enteredInAMinute(enter, () => ({ device: 'a' }), BEHIND);

    expect(entered).toBeGreaterThan(1_000);
    expect(entered).toBeLessThanOrEqual(1_250 + 210);
  });

  test.each([1, 4, 16])('the same holds with requests of 400 records, at one of %i outboxes', (outboxes) => {
    const { enter } = shares(ACCOUNT / outboxes, dueTimes());
    let entered = 0;
    let at = NOW;
    while (at < NOW + 60 * 60_000) {
      const retryInMs = enter({ device: 'server' }, of(400), BEHIND, at);
      if (retryInMs === 0) entered += 400;
      at += Math.max(retryInMs, 1_000);
    }

    const share = (60 * ACCOUNT) / 10 / outboxes;
    expect(entered).toBeGreaterThan(share * 0.8);
    expect(entered).toBeLessThan(share * 1.2);
  });

  test('a network may add a fifth of what leaves, with any number of browsers', () => {
    const { enter } = shares(ACCOUNT, dueTimes());

    const entered = enteredInAMinute(enter, (n) => ({ device: `d${n}`, network: 'n' }), BEHIND);

    expect(entered).toBeGreaterThan(2_000);
    expect(entered).toBeLessThanOrEqual(2_500 + 420);
  });

  test('browsers without a known network are not one sender', () => {
    const { enter } = shares(ACCOUNT, dueTimes());

    expect(enteredInAMinute(enter, (n) => ({ device: `d${n}` }), BEHIND)).toBe(15_000);
  });

  test('earlier records count towards the share too', () => {
    const { enter } = shares(ACCOUNT, dueTimes());

    for (let n = 0; n < 100; n++) enter({ device: 'a' }, of(25), 0, NOW);

    expect(enter({ device: 'a' }, of(1), BEHIND, NOW)).toBeGreaterThan(0);
    expect(enter({ device: 'b' }, of(1), BEHIND, NOW)).toBe(0);
  });

  test('no parallel batch is accepted after one was refused', () => {
    const { enter } = shares(ACCOUNT, dueTimes());
    for (let n = 0; n < 100; n++) enter({ device: 'a' }, of(25), 0, NOW);

    const retryInMs = enter({ device: 'a' }, of(25), BEHIND, NOW);

    // When half of what waits has left.
    expect(retryInMs).toBe(2_400);
    // Smaller, later, and though nothing waits any more.
    expect(enter({ device: 'a' }, of(1), 0, NOW + retryInMs - 1)).toBe(1);
    expect(enter({ device: 'a' }, of(25), 0, NOW + retryInMs)).toBe(0);
  });
});

test('even with a tiny allowance a few batches may wait, and a visitor with five records every five seconds is accepted', () => {
  const { enter } = shares(50, dueTimes());

  for (let n = 0; n < 60; n++)
    expect(enter({ device: 'a', network: 'n' }, of(5), BEHIND, NOW + n * 5_000)).toBe(0);
  expect(enter({ device: 'b' }, of(25), 75, NOW)).toBe(0);
  expect(enter({ device: 'b' }, of(25), 75, NOW)).toBe(0);
  expect(enter({ device: 'b' }, of(25), 76, NOW)).toBeGreaterThan(0);
});

describe('work', () => {
  // As in relay-faults: duplicates of 400 page loads a request, which take no share of what leaves.
  const FLOOD = { records: 400, sessions: 400 };

  test('is charged even without a backlog, so that only a flood of look-ups is refused', () => {
    const { enter } = shares(12_000, dueTimes());

    let entered = 0;
    for (let n = 0; n < 600; n++)
      if (enter({ device: `flood ${n}`, network: 'n' }, FLOOD, 0, NOW + n * 16) === 0) entered += 1;

    // The burst, and what 10 seconds of it allow.
    expect(entered).toBeLessThan(50);
    expect(enter({ device: 'other', network: 'home' }, of(25), 0, NOW + 10_000)).toBe(0);
  });

  test('is refused for a single browser too', () => {
    const { enter } = shares(12_000, dueTimes());

    const waits = Array.from({ length: 12 }, () => enter({ device: 'a' }, FLOOD, 0, NOW));

    expect(waits.map((ms) => ms > 0)).toEqual([...Array(11).fill(false), true]);
  });

  test('of 500 visitors in one office, each with a flush every five seconds, is never refused', () => {
    const { enter } = shares(12_000, dueTimes());

    for (let n = 0; n < 12_000; n++)
      expect(enter({ device: `visitor ${n % 500}`, network: 'office' }, of(5), 0, NOW + n * 10)).toBe(0);
  });
});
