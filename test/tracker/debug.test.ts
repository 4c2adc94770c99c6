import { afterEach, expect, test, vi } from 'vitest';
import { fakeBrowser } from '../fakes/browser/browser.ts';
import { dedupingRelay } from '../fakes/deduping-relay.ts';
import { fakeTime } from '../fakes/platform.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What the console shows of one call that is stored and delivered, as JSON. */
async function logged(debug: boolean | 'data'): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const time = fakeTime();
  const { tracker } = fakeBrowser({ relay: dedupingRelay(time).relay, time }).open({ debug });
  await tracker.identify('johndoe', { email: 'john@doe.com' });
  await tracker.track('Bought', { Coupon: 'SECRET' });
  await time.pass(10_000);
  return JSON.stringify(log.mock.calls);
}

test('without debug the console stays empty', async () => {
  expect(await logged(false)).toBe('[]');
});

test('debug logs that records were delivered, without a value', async () => {
  const text = await logged(true);

  expect(text).toContain('"delivered"');
  expect(text).not.toMatch(/SECRET|john|Bought/);
});

test('debug "data" also logs the values', async () => {
  const text = await logged('data');

  expect(text).toContain('"delivered"');
  expect(text).toMatch(/SECRET/);
  expect(text).toMatch(/john@doe\.com/);
  expect(text).toMatch(/Bought/);
});
