// @vitest-environment happy-dom
import { beforeEach, expect, test } from 'vitest';
import { fullSettings } from '../../src/tracker/script-tag/full-settings.ts';
import { installTracker } from '../../src/tracker/script-tag/install.ts';
import type { StartedTracker } from '../../src/tracker/tracker.ts';
import { gtmPage } from './sandbox.ts';
import { putStub } from './stub.ts';

const page = globalThis as { [name: string]: unknown };

beforeEach(() => {
  delete page.webengageRelay;
});

/** Has the real script start a tracker that keeps what it is told. */
function loadTracker() {
  const calls: unknown[][] = [];
  const settings: unknown[] = [];
  const keeping = (...names: readonly string[]) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...given: unknown[]) => {
          calls.push([name, ...given]);
          return Promise.resolve();
        },
      ]),
    );
  installTracker((options) => {
    settings.push(options);
    const madeAt = (at?: number) => {
      calls.push(['madeAt', typeof at]);
      return keeping('identify', 'track');
    };
    // All of a tracker that a page calls here.
    return {
      ...keeping('identify', 'track', 'reset', 'optIn', 'optOut'),
      madeAt,
    } as unknown as StartedTracker;
  }, fullSettings);
  return { settings, calls: () => calls.filter(([name]) => name !== 'madeAt') };
}

test.each([
  ['with the page’s stub', true],
  ['without one', false],
])('the tracker accepts the tag’s settings and calls, earlier and later: %s', (_, hasStub) => {
  const gtm = gtmPage({ window: page });
  if (hasStub) putStub(page);
  gtm.setConsent('analytics_storage', false);

  const ending = gtm.fire({
    tagType: 'initialize',
    relayUrl: 'https://t.example.com',
    script: 'tracker.full.js',
    consent: 'mode',
    consentType: 'analytics_storage',
  });
  gtm.fire({ tagType: 'identify', userId: 'ada' });
  gtm.setConsent('analytics_storage', true);
  const { settings, calls } = loadTracker();
  gtm.scripts[0]?.loaded();
  gtm.fire({ tagType: 'track', eventName: 'Seen' });
  gtm.setConsent('analytics_storage', false);
  gtm.fire({ tagType: 'reset' });

  expect(settings).toEqual([{ endpoint: 'https://t.example.com', consent: 'pending' }]);
  expect(ending).toEqual({ succeeded: 1, failed: 0 });
  expect(calls()).toEqual([['identify', 'ada'], ['optIn'], ['track', 'Seen', {}], ['optOut'], ['reset']]);
});
