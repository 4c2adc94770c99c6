import { describe, expect, test } from 'vitest';
import { fullSettings } from '../../src/tracker/script-tag/full-settings.ts';
import { coreSettings } from '../../src/tracker/script-tag/settings.ts';
import { gtmPage } from './sandbox.ts';
import { callsIn, putStub, type Relay } from './stub.ts';

const TAG = {
  tagType: 'initialize',
  relayUrl: 'https://t.example.com',
  script: 'tracker.full.js',
  consent: 'mode',
  consentType: 'analytics_storage',
};

/** A page on which the tag has fired, with this state of the type before. */
function fired(granted: boolean | undefined, data: object = TAG) {
  const page = gtmPage();
  putStub(page.window);
  if (granted !== undefined) page.setConsent('analytics_storage', granted);
  const ending = page.fire(data);
  const options = () => (page.window.webengageRelay as Relay).options ?? {};
  return { page, ending, options, calls: () => callsIn(page.window).map(([method]) => method) };
}

describe('with Consent Mode', () => {
  test('the tracker waits for a call that reports consent, whatever the state', () => {
    for (const granted of [true, false])
      expect(fired(granted).options()).toMatchObject({ consent: 'pending' });
  });

  test('denied from the start is not a choice yet, and makes no call', () => {
    expect(fired(false).calls()).toEqual([]);
  });

  test('granted from the start is an opt-in', () => {
    expect(fired(true).calls()).toEqual(['optIn']);
  });

  test('granted later is an opt-in, and denied after it an opt-out', () => {
    const { page, calls } = fired(false);

    page.setConsent('analytics_storage', true);
    expect(calls()).toEqual(['optIn']);

    page.setConsent('analytics_storage', false);
    expect(calls()).toEqual(['optIn', 'optOut']);
  });

  test('granted from the start and denied later is an opt-out', () => {
    const { page, calls } = fired(true);

    page.setConsent('analytics_storage', false);

    expect(calls()).toEqual(['optIn', 'optOut']);
  });

  test('another consent type has no effect', () => {
    const { page, calls } = fired(false);

    page.setConsent('ad_storage', false);
    page.setConsent('ad_storage', true);

    expect(calls()).toEqual([]);
  });

  // https://developers.google.com/tag-platform/tag-manager/templates/api#isconsentgranted
  test('a type without a default counts as granted, as Google documents', () => {
    expect(fired(undefined).calls()).toEqual(['optIn']);
  });

  test('a tag that fires again keeps the page’s own opt-out, and listens once', () => {
    const { page, calls } = fired(true);
    page.fire({ tagType: 'optOut' });

    page.fire(TAG);
    expect(calls()).toEqual(['optIn', 'optOut']);

    page.setConsent('analytics_storage', false);
    expect(calls()).toEqual(['optIn', 'optOut', 'optOut']);
  });
});

describe('fails closed', () => {
  test.each(['mode', 'pending'])(
    'consent by %s with tracker.js, which lacks the add-on, loads nothing',
    (consent) => {
      const { page, ending } = fired(true, { ...TAG, script: 'tracker.js', consent });

      expect(ending).toEqual({ succeeded: 0, failed: 1 });
      expect(page.scripts).toEqual([]);
      expect(callsIn(page.window)).toEqual([]);
    },
  );

  test('and tracker.js refuses the setting if it is loaded anyway', () => {
    const { options } = fired(false);

    expect(() => coreSettings({}, options())).toThrow('tracker.full.js');
    expect(fullSettings({}, options())).toEqual({ endpoint: 'https://t.example.com', consent: 'pending' });
  });

  test.each([undefined, 'storage', 'constructor', '', {}])(
    'the consent type %j loads nothing',
    (consentType) => {
      const { page, ending } = fired(true, { ...TAG, consentType });

      expect(ending).toEqual({ succeeded: 0, failed: 1 });
      expect(page.scripts).toEqual([]);
    },
  );

  test.each([undefined, '', 'off', true])('a consent of %j waits for an opt-in', (consent) => {
    const { options, calls } = fired(true, { ...TAG, consent });

    expect(options()).toMatchObject({ consent: 'pending' });
    expect(calls()).toEqual([]);
  });
});

test('a tag that does not wait tells the tracker so explicitly', () => {
  const { options, calls } = fired(false, { ...TAG, consent: 'granted' });

  expect(fullSettings({}, options())).toMatchObject({ consent: 'granted' });
  expect(calls()).toEqual([]);
});

test('tracker.js accepts a tag that does not wait', () => {
  const { page, options } = fired(false, { ...TAG, consent: 'granted', script: 'tracker.js' });

  expect(coreSettings({}, options())).toMatchObject({ endpoint: 'https://t.example.com' });
  expect(page.scripts.map(({ url }) => url)).toEqual(['https://t.example.com/tracker.js']);
});
