import { afterEach, describe, expect, test, vi } from 'vitest';
import { senderLimits } from '../../../src/edge/limits/sender-limits.ts';
import type { Limited } from '../../../src/edge/telemetry/log.ts';
import { relayEnv } from '../../fakes/outbox.ts';

const NOW = 1_000_000;

const quiet = () => senderLimits(() => {});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('requests of one network', () => {
  const allowed = async (
    { allowsNetwork }: ReturnType<typeof senderLimits>,
    network: string,
    bound: RateLimit | undefined,
    now = NOW,
  ): Promise<number> => {
    let count = 0;
    for (let n = 0; n < 2_200; n++) if (await allowsNetwork(network, bound, now)) count += 1;
    return count;
  };

  test('are counted by the binding as in wrangler.jsonc: a thousand in ten seconds', async () => {
    const testRelay = quiet();
    const network = `network ${crypto.randomUUID()}`;

    // What is bound counts by real time, in which a window may end meanwhile.
    const count = await allowed(testRelay, network, relayEnv.ADDRESS_LIMIT);

    expect(relayEnv.ADDRESS_LIMIT).toBeDefined();
    expect(count).toBeGreaterThanOrEqual(1_000);
    expect(count).toBeLessThanOrEqual(2_000);
    expect(await testRelay.allowsNetwork(`another ${network}`, relayEnv.ADDRESS_LIMIT, NOW)).toBe(true);
  });

  test('are counted by each isolate without a binding, with the same limit', async () => {
    const testRelay = quiet();

    expect(await allowed(testRelay, 'a', undefined)).toBe(1_000);
    expect(await allowed(testRelay, 'a', undefined, NOW + 5_000)).toBe(500);
    expect(await testRelay.allowsNetwork('b', undefined, NOW)).toBe(true);
  });

  test('are counted by each isolate if the binding fails', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const testRelay = quiet();
    const failing: RateLimit = { limit: () => Promise.reject(new Error('out of reach')) };

    expect(await allowed(testRelay, 'a', failing)).toBe(1_000);
  });
});

describe('a browser', () => {
  test('may send more a minute than any tracker can, up to a limit', () => {
    const { refusesBrowser } = quiet();

    let count = 0;
    for (let n = 0; n < 6_000; n++) if (refusesBrowser('a', NOW + n * 10) === undefined) count += 1;

    // 600 at once, and 600 in the minute.
    expect(count).toBeGreaterThan(1_190);
    expect(count).toBeLessThanOrEqual(1_200);
    expect(refusesBrowser('a', NOW + 59_990)).toMatchObject({ over: 'browser' });
  });

  test('is refused without a call during the cooldown set by its outbox, or slightly less', () => {
    const { refusesBrowser, rest } = quiet();

    rest('a', 2_000, NOW);

    expect(refusesBrowser('a', NOW)).toEqual({ over: 'share', retryInMs: 1_500 });
    expect(refusesBrowser('a', NOW + 1_500)).toBeUndefined();
    expect(refusesBrowser('b', NOW)).toBeUndefined();
  });
});

test('refusals are logged at once, and then at most once a minute with their number', () => {
  const logged: Limited[] = [];
  const { count } = senderLimits((refused) => void logged.push(refused));

  for (let n = 0; n <= 60_000; n += 100) count(n % 200 === 0 ? 'address' : 'share', NOW + n);

  expect(logged).toEqual([
    { address: 1, browser: 0, share: 0 },
    { address: 300, browser: 0, share: 300 },
  ]);
});
