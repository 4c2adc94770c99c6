import { describe, expect, test } from 'vitest';
import { gtmPage } from './sandbox.ts';
import { callsIn, putStub, type Relay } from './stub.ts';

const TAG = {
  tagType: 'initialize',
  relayUrl: 'https://t.example.com',
  script: 'tracker.full.js',
  consent: 'granted',
};

const relayOf = ({ window }: { readonly window: object }) =>
  (window as { readonly webengageRelay?: Relay }).webengageRelay;

/** What a script does once it has loaded: a tracker stands where the stub was. */
function startTracker(window: { [name: string]: unknown }): void {
  window.webengageRelay = Object.assign(window.webengageRelay ?? {}, { createTracker: () => {} });
}

describe('the tag', () => {
  test.each([
    ['with the page’s stub', true],
    ['without one', false],
  ])('puts its settings on the stub and loads the tracker: %s', (_, hasStub) => {
    const page = gtmPage();
    if (hasStub) putStub(page.window);

    const ending = page.fire({
      ...TAG,
      relayUrl: ' https://t.example.com/ ',
      options: [
        { name: 'batchSize', value: '10' },
        { name: 'respectGpc', value: 'true' },
        { name: 'debug', value: 'data' },
      ],
    });

    expect(relayOf(page)?.options).toEqual({
      endpoint: 'https://t.example.com',
      consent: 'granted',
      batchSize: 10,
      respectGpc: true,
      debug: 'data',
    });
    expect(page.scripts.map(({ url }) => url)).toEqual(['https://t.example.com/tracker.full.js']);
    expect(ending).toEqual({ succeeded: 0, failed: 0 });

    startTracker(page.window);
    page.scripts[0]?.loaded();
    expect(ending).toEqual({ succeeded: 1, failed: 0 });
  });

  test('fails if the script is blocked', () => {
    const page = gtmPage();
    const ending = page.fire(TAG);

    page.scripts[0]?.blocked();

    expect(ending).toEqual({ succeeded: 0, failed: 1 });
    expect(page.logged).toEqual([expect.stringContaining('could not load')]);
  });

  test('fails if the script has loaded and refused to start', () => {
    const page = gtmPage();
    const ending = page.fire(TAG);

    page.scripts[0]?.loaded();

    expect(ending).toEqual({ succeeded: 0, failed: 1 });
  });

  test.each([
    'http://t.example.com',
    'https://t.example.com/path',
    'https://t.example.com?x',
    'https://user@t.example.com',
    'https://',
    '//t.example.com',
    '{{Relay URL}}',
    'https://{{Relay}}',
    '',
    undefined,
    42,
    {},
  ])('loads nothing from %j', (relayUrl) => {
    const page = gtmPage();

    expect(page.fire({ ...TAG, relayUrl })).toEqual({ succeeded: 0, failed: 1 });
    expect(page.scripts).toEqual([]);
    expect(page.window).toEqual({});
  });

  test.each([
    ['batchSize', 'many'],
    ['batchSize', ''],
    ['strict', '1'],
    ['debug', 'all'],
    ['plugins', 'x'],
    ['consent', 'granted'],
    ['constructor', 'x'],
    [undefined, 'x'],
  ])('loads nothing with the option %s = %j', (name, value) => {
    const page = gtmPage();

    expect(page.fire({ ...TAG, options: [{ name, value }] })).toEqual({ succeeded: 0, failed: 1 });
    expect(page.scripts).toEqual([]);
  });

  test('loads nothing more when it fires again, and ends as the first time', () => {
    const page = gtmPage();
    const first = page.fire(TAG);
    const second = page.fire(TAG);

    startTracker(page.window);
    page.scripts[0]?.loaded();

    expect(page.scripts).toHaveLength(1);
    expect([first, second]).toEqual([
      { succeeded: 1, failed: 0 },
      { succeeded: 1, failed: 0 },
    ]);
  });

  test.each([
    ['another script URL', { createTracker: () => {}, track: () => {}, queue: [] }],
    ['npm', { track: () => {} }],
  ])('fails if the page has its tracker from %s', (_, webengageRelay) => {
    const page = gtmPage({ window: { webengageRelay } });

    expect(page.fire({ ...TAG, consent: 'mode', consentType: 'ad_storage' })).toEqual({
      succeeded: 0,
      failed: 1,
    });
    expect(page.scripts).toEqual([]);
    expect(webengageRelay).not.toHaveProperty('options');
  });
});

describe('the page’s own settings', () => {
  test.each([
    [undefined, 'pending', 'pending'],
    ['granted', 'pending', 'pending'],
    ['denied', 'pending', 'denied'],
    ['pending', 'granted', 'pending'],
    // The tracker refuses to start with it, and so it should.
    ['{{consent}}', 'pending', '{{consent}}'],
  ])('stay, and the stricter of consent %s and the tag’s %s applies: %s', (theirs, ours, joined) => {
    const page = gtmPage();
    const identityToken = () => 'token';
    putStub(page.window).options = { identityToken, ...(theirs && { consent: theirs }) };

    page.fire({ ...TAG, consent: ours });

    expect(relayOf(page)?.options).toEqual({ identityToken, consent: joined });
    expect(relayOf(page)?.options?.identityToken).toBe(identityToken);
    expect(page.scripts).toHaveLength(1);
  });

  test('together with options of the tag are a mistake, so nothing is loaded', () => {
    const page = gtmPage();
    putStub(page.window).options = { consent: 'granted' };

    const ending = page.fire({ ...TAG, options: [{ name: 'respectGpc', value: 'true' }] });

    expect(ending).toEqual({ succeeded: 0, failed: 1 });
    expect(page.scripts).toEqual([]);
  });
});

describe('without the page’s stub', () => {
  test('calls wait, whichever tag fires first', () => {
    const page = gtmPage();

    page.fire({ tagType: 'identify', userId: 'ada' });
    page.fire(TAG);
    page.fire({ tagType: 'track', eventName: 'Seen' });

    expect(callsIn(page.window)).toEqual([
      ['identify', 'ada'],
      ['track', 'Seen', {}],
    ]);
    expect(relayOf(page)?.options).toMatchObject({ consent: 'granted' });
  });

  test('a call keeps its own time', () => {
    const page = gtmPage();
    const before = Date.now();
    page.fire({ tagType: 'track', eventName: 'Seen' });

    expect(relayOf(page)?.queue[0]?.[2]).toBeGreaterThanOrEqual(before);
  });
});
