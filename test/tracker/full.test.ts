import { afterEach, describe, expect, test } from 'vitest';
import { type FullOptions, fullAddOns } from '../../src/tracker/full.ts';
import { resolveOptions } from '../../src/tracker/options.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { claimsOf, jwt } from '../fakes/browser/identity.ts';
import { fakePlatform } from '../fakes/platform.ts';

function fullTracker(options: FullOptions, sendsGpc = false) {
  const { platform, relay } = fakePlatform({ sendsGpc });
  const tracker = startTracker(
    resolveOptions({ endpoint: 'https://t.example.com' }),
    platform,
    fullAddOns(options),
  );
  const bodies = () => relay.requests.map(({ init }) => JSON.parse(String(init.body)));
  return { tracker, relay, bodies };
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'siteToken');
});

describe('the settings of the full script', () => {
  test('are those of the core by default', async () => {
    const { tracker, relay } = fullTracker({}, true);
    await tracker.track('Clicked');
    await tracker.flush();

    expect(relay.requests).toHaveLength(1);
  });

  test('make the visitor’s consent required', async () => {
    const { tracker, relay } = fullTracker({ consent: 'pending' });
    void tracker.track('Clicked');
    expect(await tracker.flush()).toMatchObject({ reason: 'no_consent' });

    await tracker.optIn();
    await tracker.flush();
    expect(relay.requests).toHaveLength(1);
  });

  test('respect Global Privacy Control', async () => {
    const { tracker, relay } = fullTracker({ respectGpc: true }, true);
    await tracker.track('Clicked');
    await tracker.flush();

    expect(relay.requests).toEqual([]);
  });

  test('are rejected if they are invalid', async () => {
    await expect(fullTracker({ strict: true }).tracker.track('we_1')).rejects.toThrow(
      'must not start with we_',
    );
  });

  test('may take identity tokens from a function', async () => {
    const { tracker, bodies } = fullTracker({ identityToken: (userId: string) => jwt({ cuid: userId }) });
    await tracker.identify('ada');
    await tracker.flush();

    expect(claimsOf(bodies()[0].token).cuid).toBe('ada');
  });

  test('may take identity tokens from a global function, which is looked up at each call', async () => {
    const { tracker, bodies } = fullTracker({ identityToken: 'siteToken' });
    await tracker.identify('ada');
    expect(await tracker.flush()).toMatchObject({ reason: 'token_required' });
    expect(bodies()).toEqual([]);

    Object.assign(globalThis, { siteToken: (userId: string) => jwt({ cuid: userId }) });
    tracker.reset();
    await tracker.identify('bob');
    await tracker.flush();
    expect(claimsOf(bodies()[0].token).cuid).toBe('bob');
  });

  test('do not use an inherited name as a global function', async () => {
    const { tracker } = fullTracker({ identityToken: 'toString' });
    await tracker.identify('ada');

    expect(await tracker.flush()).toMatchObject({ reason: 'token_required' });
  });
});

test('the full script takes the anonymous id from a cookie, or from a function', async () => {
  Object.defineProperty(document, 'cookie', { get: () => 'we_luid=luid-1', configurable: true });
  const fromCookie = fullTracker({ anonymousIdCookie: 'we_luid' });
  const fromFunction = fullTracker({ anonymousIdCookie: 'we_luid', anonymousId: () => 'luid-2' });

  for (const { tracker } of [fromCookie, fromFunction]) {
    await tracker.track('Clicked');
    await tracker.flush();
  }
  Reflect.deleteProperty(document, 'cookie');

  expect(fromCookie.bodies()[0].records).toMatchObject([{ anonymousId: 'luid-1' }]);
  expect(fromFunction.bodies()[0].records).toMatchObject([{ anonymousId: 'luid-2' }]);
});

test.each<[string, FullOptions]>([
  ['consent', { consent: 'pendng' }],
  ['consent', { consent: true }],
  ['consent', { consent: null }],
  ['respectGpc', { respectGpc: 1 }],
  ['identityToken', { identityToken: true }],
  ['identityToken', { identityToken: '' }],
  ['strict', { strict: 'very' }],
  ['anonymousId', { anonymousId: 'luid' }],
])('an invalid %s throws: %j', (name, options) => {
  expect(() => fullAddOns(options)).toThrow(new RegExp(`^${name} must be`));
});
