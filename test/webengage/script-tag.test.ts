import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Middleware, TrackerCall } from '../../src/tracker/index.ts';
import type { JoinOptions } from '../../src/webengage/index.ts';

const ORIGIN = 'https://t.example.com';

const page = globalThis as unknown as {
  webengageRelay?: object;
  webengage?: object;
  webEngageEnd?: () => void;
  identityToken?: (userId: string) => string;
};

/** Runs the script as if this tag had loaded it. */
async function load(script: Partial<HTMLScriptElement> | null): Promise<void> {
  Object.defineProperty(document, 'currentScript', { value: script, configurable: true });
  vi.resetModules();
  await import('../../src/webengage/script-tag.ts');
}

function tag(dataset: Record<string, string> = {}, src = `${ORIGIN}/webengage.js`) {
  return { src, dataset };
}

/** Puts a tracker on the page. `sent` has the events that reach the relay. */
function relay(webEngage?: JoinOptions) {
  const sent: string[] = [];
  const middleware: Middleware[] = [];
  const make = (call: TrackerCall) => {
    const isTaken = middleware.every((look) => look(call) !== null);
    if (isTaken && call.kind === 'event') sent.push(call.eventName);
  };
  page.webengageRelay = {
    ...(webEngage && { webEngage }),
    use: (added: Middleware) => void middleware.push(added),
    on: () => {},
    flush: async () => ({ settled: true }),
    stats: async () => ({ tracked: 1 }),
    track: async (eventName: string) => make({ kind: 'event', eventName }),
  };
  return {
    sent,
    joins: middleware,
    track: (eventName: string) => make({ kind: 'event', eventName }),
    identify: (userId: string) => make({ kind: 'user', userId }),
  };
}

/**
 * Puts the SDK on the page. It is ready after so many milliseconds, or never. `log` holds the calls that it gets.
 */
function sdk(readyAfterMs?: number) {
  const log: string[] = [];
  page.webengage = {
    onReady: (ready: () => void) => {
      if (readyAfterMs !== undefined) setTimeout(ready, readyAfterMs);
    },
    track: (eventName: string) => log.push(`track ${eventName}`),
    user: {
      login: (...args: string[]) => log.push(['login', ...args].join(' ')),
      logout: () => log.push('logout'),
    },
  };
  return log;
}

const passed = (ms: number) => vi.advanceTimersByTimeAsync(ms);

let warnings: ReturnType<typeof vi.spyOn>;

beforeEach(() => {
  vi.useFakeTimers();
  warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterEach(() => {
  page.webEngageEnd?.();
  delete page.webEngageEnd;
  delete page.webengageRelay;
  delete page.webengage;
  delete page.identityToken;
  Reflect.deleteProperty(document, 'currentScript');
  localStorage.clear();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('settings', () => {
  test('come from the attributes of the script tag', async () => {
    const { track, identify, sent } = relay();
    const log = sdk(0);
    await load(tag({ forward: 'Cart Opened,Checkout Started', login: 'identityToken', wait: '2000' }));
    // The page may define it later.
    page.identityToken = (userId) => `token-of-${userId}`;

    identify('ada');
    for (const name of ['Cart Opened', 'Checkout Started', 'Added to Cart']) track(name);
    await passed(1_900);
    expect(log).toEqual(['track Cart Opened', 'track Checkout Started']);
    await passed(200);

    expect(log.slice(2)).toEqual(['login ada token-of-ada']);
    expect(sent).toEqual(['Added to Cart']);
  });

  test('have defaults for a tag without attributes', async () => {
    const { track, identify, sent } = relay();
    const log = sdk(0);
    await load(tag({}, `${ORIGIN}/assets/webengage.0a1b2c.js`));

    identify('ada');
    track('Cart Opened');
    await passed(6_000);

    expect(log).toEqual(['login ada']);
    expect(sent).toEqual(['Cart Opened']);
  });

  test.each([
    ['no script tag', null],
    ['another script tag', tag({ forward: 'Other' }, `${ORIGIN}/bundle.js`)],
    ['a tag that has lost its attributes', tag()],
  ])('come from webengageRelay.webEngage with %s', async (_, script) => {
    const { track, identify, sent } = relay({ forward: ['Cart Opened'], login: (userId) => `of-${userId}` });
    const log = sdk(0);
    await load(script);

    identify('ada');
    track('Cart Opened');
    await passed(6_000);

    expect(log).toEqual(['track Cart Opened', 'login ada of-ada']);
    expect(sent).toEqual([]);
  });
});

describe('one clear error, and nothing is joined', () => {
  test.each([
    ['an inline script or a module', null],
    ['an inline script tag', tag({}, '')],
    ['a bundle', tag({}, `${ORIGIN}/bundle.js`)],
  ])('in %s names the remedy', async (_, script) => {
    const { joins } = relay();

    await expect(load(script)).rejects.toThrow(
      'webengage.js needs its own script tag, or webengageRelay.webEngage',
    );

    expect(joins).toEqual([]);
  });

  test.each([undefined, {}, { options: {} }])('appears if the tracker is %j', async (webengageRelay) => {
    if (webengageRelay) page.webengageRelay = webengageRelay;

    await expect(load(tag())).rejects.toThrow('webengage.js must come after the line that queues calls');
  });

  test('appears for a wrong attribute', async () => {
    const { joins } = relay();

    await expect(load(tag({ wait: 'soon' }))).rejects.toThrow(
      'wait must be a number of milliseconds, not NaN',
    );

    expect(joins).toEqual([]);
  });

  test('does not prevent a later script from joining', async () => {
    await expect(load(tag())).rejects.toThrow();
    const { joins } = relay();

    await load(tag());

    expect(joins).toHaveLength(1);
  });
});

test('a page that loads the script twice is joined once', async () => {
  const { joins, track } = relay();
  const log = sdk(0);

  await load(tag({ forward: 'Cart Opened' }));
  await load(tag({ forward: 'Cart Opened' }));
  track('Cart Opened');
  await passed(1_000);

  expect(joins).toHaveLength(1);
  expect(log).toEqual(['track Cart Opened']);
});

test('calls that the stub has queued are made after the script has joined it', async () => {
  const queue: string[] = ['identify', 'track'];
  const queued = (method: string) => async () => void queue.push(method);
  const methods = ['track', 'use', 'on', 'flush', 'stats'].map((method) => [method, queued(method)]);
  page.webengageRelay = { queue, ...Object.fromEntries(methods) };

  await load(tag());

  expect(queue).toEqual(['use', 'on', 'on', 'identify', 'track']);
});

describe('an SDK', () => {
  test('that is late gets the events and the login once it is ready', async () => {
    const { track, identify, sent } = relay();
    const log = sdk(8_000);
    await load(tag({ forward: 'Cart Opened', wait: '10000' }));

    identify('ada');
    track('Cart Opened');
    await passed(7_900);
    expect(log).toEqual([]);
    await passed(6_000);

    expect(log).toEqual(['track Cart Opened', 'login ada']);
    expect(sent).toEqual([]);
    expect(warnings).not.toHaveBeenCalled();
  });

  test.each<[string, () => unknown]>([
    ['whose stub never becomes ready', () => sdk()],
    ['that is missing', () => {}],
    [
      'that is blocked, with another object in its place',
      () => Object.assign(page, { webengage: { isBlocked: true } }),
    ],
  ])('%s leaves the events to the relay after `wait`, and the console says so once', async (_, block) => {
    const { track, identify, sent } = relay();
    block();
    await load(tag({ forward: 'Cart Opened', wait: '2000' }));

    identify('ada');
    track('Cart Opened');
    track('Cart Opened');
    await passed(1_900);
    expect(sent).toEqual([]);
    await passed(60_000);

    expect(sent).toEqual(['Cart Opened', 'Cart Opened']);
    expect(warnings.mock.calls).toEqual([
      ["webengage-relay: WebEngage's SDK was not ready in 2000 ms, so the event goes to the relay"],
    ]);
  });
});
