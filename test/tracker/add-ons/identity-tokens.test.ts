import { describe, expect, test } from 'vitest';
import { identityTokens } from '../../../src/tracker/add-ons/identity-tokens.ts';
import type { FetchToken } from '../../../src/tracker/add-ons/user-tokens.ts';
import type { TrackerOptions } from '../../../src/tracker/options.ts';
import type { TrackerEvents } from '../../../src/tracker/page/events.ts';
import { fakeBrowser, nameOf, names, quiet } from '../../fakes/browser/browser.ts';
import { claimsOf, jwt, LIFE_MS, strictRelay, tokenEndpoint } from '../../fakes/browser/identity.ts';
import { fakeTime } from '../../fakes/platform.ts';

type Script = Parameters<typeof tokenEndpoint>[1][];

const DAY_MS = 24 * 60 * 60 * 1000;

/** A browser, the site's token endpoint and a relay that requires tokens. */
function signedInBrowser(...script: Script) {
  const time = fakeTime();
  const endpoint = tokenEndpoint(time.now, ...script);
  const relay = strictRelay(time.now);
  const browser = fakeBrowser({ relay, time });
  const events: (TrackerEvents['retrying'] | TrackerEvents['dropped'])[] = [];
  /** `fetchToken`: in place of the site's endpoint; null for a page without identity tokens. */
  const open = (
    options: Partial<TrackerOptions> = {},
    fetchToken: FetchToken | null = endpoint.identityToken,
  ) => {
    const page = browser.open({ plugins: fetchToken ? [identityTokens(fetchToken)] : [], ...options });
    page.tracker.on('retrying', (what) => events.push(what));
    page.tracker.on('dropped', (what) => events.push(what));
    return page;
  };
  return {
    ...browser,
    ...endpoint,
    relay,
    open,
    events,
    arrived: () => [...relay.arrived.values()].map(nameOf),
    /** The visitor sets the clock. */
    turnClock: time.shift,
  };
}

const neverAnswers = () => new Promise<string>(() => {});
const throws = () => {
  throw new Error('the site’s own');
};

describe('a token', () => {
  test('is requested once there is a record of the user, and goes with it', async () => {
    const { open, asked, relay, arrived } = signedInBrowser();
    const { tracker } = open();
    await tracker.identify('johndoe');
    await tracker.track('e1');
    await tracker.flush();

    expect(asked).toEqual(['johndoe']);
    expect(arrived()).toEqual(['identify johndoe', 'e1']);
    expect(relay.requests.map(({ token }) => claimsOf(token ?? '').cuid)).toEqual(['johndoe']);
  });

  test('is never requested if nobody is signed in, and goes with no anonymous record', async () => {
    const { open, asked, relay } = signedInBrowser();
    const { tracker } = open();
    await tracker.track('e1');
    await tracker.flush();

    expect(asked).toEqual([]);
    expect(relay.requests.map(({ init }) => JSON.parse(String(init.body)).token)).toEqual([undefined]);
  });

  test('is ready by the time of an unload, which can’t wait for one', async () => {
    const { open, arrived } = signedInBrowser();
    const page = open({ maxWaitMs: 3_600_000 });
    await page.tracker.identify('johndoe');
    await quiet();

    page.hide();
    await quiet();

    expect(arrived()).toEqual(['identify johndoe']);
  });

  test('may be returned without a promise, and have a payload that is not ASCII', async () => {
    const { open, arrived } = signedInBrowser();
    const { tracker } = open({}, (userId) => jwt({ cuid: userId, exp: 1e10, name: 'Zoë 漢 ~~~' }));
    await tracker.identify('jörg~漢');
    await tracker.flush();

    expect(arrived()).toEqual(['identify jörg~漢']);
  });

  test('is in no storage and no event', async () => {
    const { open, map, disk, relay, events } = signedInBrowser();
    const { tracker } = open();
    relay.refuses = true;
    await tracker.identify('johndoe');
    await tracker.flush();

    const token = relay.requests[0]?.token ?? 'none';
    const state = await Promise.all(['visitor', 'rate', 'counts'].map((name) => disk.state.get(name)));
    expect(JSON.stringify([...map])).not.toContain(token);
    expect(JSON.stringify([state, await disk.buffered()])).not.toContain(token);
    expect(JSON.stringify(events)).not.toContain(token);
  });

  test('is renewed before it expires, and the old one is used until then', async () => {
    const { open, asked, relay, script, time } = signedInBrowser();
    const { tracker } = open();
    await tracker.identify('johndoe');
    await tracker.flush();
    script.push(neverAnswers);
    await time.pass(LIFE_MS * 0.95);
    await tracker.track('e1');
    await tracker.flush();

    expect(asked).toEqual(['johndoe', 'johndoe']);
    expect(relay.requests.map(({ status }) => status)).toEqual([202, 202]);
  });

  test.each([
    ['a year ahead', 365 * DAY_MS],
    ['a year behind', -365 * DAY_MS],
  ])('is valid for the time between its own two times: the clock is %s', async (_, ms) => {
    const { open, asked, relay, turnClock, time } = signedInBrowser();
    turnClock(ms);
    const { tracker } = open();
    await tracker.identify('johndoe');
    for (let n = 0; n < 20; n++) {
      await tracker.track('e');
      await tracker.flush();
      await time.pass(60_000);
    }

    expect(asked).toHaveLength(2);
    expect(relay.requests.every(({ status }) => status === 202)).toBe(true);
  });

  test('without an issue time is valid until the relay refuses it, if the clock is of no help', async () => {
    const { open, asked, arrived, turnClock, time, made } = signedInBrowser();
    turnClock(365 * DAY_MS);
    const { tracker } = open({}, (userId) => {
      asked.push(userId);
      const { cuid, exp } = claimsOf(made(userId));
      return jwt({ cuid, exp });
    });
    await tracker.identify('johndoe');
    await tracker.flush();
    await time.pass(LIFE_MS + 1_000);
    await tracker.track('e1');
    await tracker.flush();

    expect(asked).toHaveLength(2);
    expect(arrived()).toEqual(['identify johndoe', 'e1']);
  });

  test('lives no longer after a clock was set back', async () => {
    const { open, asked, relay, turnClock, time } = signedInBrowser();
    const { tracker } = open();
    await tracker.identify('johndoe');
    await tracker.flush();
    turnClock(-365 * DAY_MS);
    await time.pass(LIFE_MS + 1_000);
    await tracker.track('e1');
    await tracker.flush();

    expect(asked).toHaveLength(2);
    expect(relay.requests.every(({ status }) => status === 202)).toBe(true);
  });
});

describe('a token that the relay refuses', () => {
  test('is discarded: a new one is requested at once, and the same batch is sent again', async () => {
    const expired = (userId: string) => jwt({ cuid: userId, iat: 1, exp: 901 });
    const { open, asked, relay, events } = signedInBrowser(expired);
    const { tracker } = open();
    await tracker.identify('johndoe');
    const end = await tracker.flush();

    expect(end).toEqual({ settled: true });
    expect(asked).toHaveLength(2);
    expect(relay.requests.map(({ status }) => status)).toEqual([401, 202]);
    expect(relay.requests[0]?.records.map(nameOf)).toEqual(relay.requests[1]?.records.map(nameOf));
    expect(events).toEqual([]);
  });

  test('and whose successor is refused too makes its user wait, longer each time, and nobody else', async () => {
    const { open, relay, arrived, disk, events, time } = signedInBrowser();
    relay.refuses = true;
    const { tracker } = open();
    await tracker.identify('johndoe');
    const end = await tracker.flush();
    expect(await disk.state.get('rate')).toMatchObject({ failures: 0 });
    tracker.reset();
    await tracker.track('e1');
    await tracker.flush();
    await tracker.identify('johndoe');

    expect(end).toEqual({ settled: false, reason: 'token_required', retryInMs: 45_000 });
    expect(arrived()).toEqual(['e1']);
    await time.pass(45_000);
    expect(relay.requests.map(({ status }) => status)).toEqual([401, 401, 202, 401]);
    await time.pass(89_000);
    expect(relay.requests).toHaveLength(4);
    relay.refuses = false;
    await time.pass(2_000);
    expect(arrived()).toEqual(['e1', 'identify johndoe', 'identify johndoe']);
    expect(events).toEqual([
      { reason: 'token_required', inMs: 45_000 },
      { reason: 'token_required', inMs: 90_000 },
    ]);
  });

  test('on unload is not replaced by another user’s token', async () => {
    const { open, relay, asked, arrived, events } = signedInBrowser();
    const page = open({ maxWaitMs: 3_600_000 });
    relay.refuses = true;
    await page.tracker.identify('johndoe');
    await quiet();
    page.hide();
    await quiet();
    relay.refuses = false;
    page.show();
    await quiet();

    expect(asked).toHaveLength(2);
    expect(arrived()).toEqual(['identify johndoe']);
    expect(events).toEqual([]);
  });
});

describe('without a token', () => {
  test.each<[string, Script[number]]>([
    ['throws', throws],
    ['rejects', () => Promise.reject(new Error('403'))],
    ['returns another user’s token', () => jwt({ cuid: 'somebody', exp: 9e9 })],
    ['returns text that is not a JWT', () => 'null'],
    ['returns nothing', () => undefined as unknown as string],
    ['does not answer within 10 s', neverAnswers],
  ])('because the function %s, the user’s records wait and anonymous ones don’t', async (_, answer) => {
    const { open, asked, sent, arrived, time, events, reported } = {
      reported: [] as unknown[],
      ...signedInBrowser(answer),
    };
    const { tracker } = open();
    await tracker.track('e1');
    await tracker.identify('johndoe');
    const flushed = tracker.flush();
    await time.pass(0);

    expect(arrived()).toEqual(['e1']);
    await time.pass(10_000);
    expect(await flushed).toMatchObject({ settled: false, reason: 'token_required' });
    tracker.reset();
    await tracker.track('e2');
    await tracker.flush();
    expect(arrived()).toEqual(['e1', 'e2']);

    await tracker.identify('johndoe');
    expect(asked).toHaveLength(1);
    await time.pass(45_000);
    expect(asked).toHaveLength(2);
    expect(sent().flat()).toEqual(['e1', 'e2', 'identify johndoe', 'identify johndoe']);
    expect(events).toEqual([{ reason: 'token_required', inMs: 45_000 }]);
    expect(reported).toEqual([]);
  });

  test('the relay’s own pause is still respected', async () => {
    const { open, relay, sent } = signedInBrowser(throws);
    const page = open();
    const { fetch } = relay;
    relay.fetch = async () => new Response('', { status: 429, headers: { 'Retry-After': '600' } });
    await page.tracker.track('e1');
    await page.tracker.flush();
    relay.fetch = fetch;
    await page.tracker.identify('johndoe');
    await quiet();

    page.hide();

    expect(sent()).toEqual([]);
  });

  test('the site is asked again at once when the network is back', async () => {
    const { open, arrived } = signedInBrowser(throws);
    const page = open();
    await page.tracker.identify('johndoe');
    await page.tracker.flush();

    page.online();
    await quiet();

    expect(arrived()).toEqual(['identify johndoe']);
  });

  test('a user who signs in after a failure is asked for at once, and never two at once', async () => {
    const { open, asked, arrived, most, time } = signedInBrowser(neverAnswers);
    const { tracker } = open();
    await tracker.identify('ann');
    await tracker.identify('bob');
    void tracker.flush();
    await time.pass(9_000);
    expect(asked).toEqual(['ann']);
    await time.pass(2_000);

    expect(asked).toEqual(['ann', 'bob']);
    expect(arrived()).toEqual(['identify bob']);
    expect(most()).toBe(2); // The one that never answers is still open, and given up.
  });
});

describe('records of several users', () => {
  test('never share a batch, and keep their order', async () => {
    const { open, relay, arrived, time } = signedInBrowser();
    const { tracker } = open();
    void tracker.track('e1');
    void tracker.identify('ann');
    void tracker.track('e2');
    await quiet();
    void tracker.reset();
    void tracker.track('e3');
    void tracker.identify('bob');
    void tracker.track('e4');
    await time.pass(6_000);

    expect(relay.requests.map(({ status }) => status)).toEqual([202, 202]);
    expect(arrived()).toEqual(['e1', 'identify ann', 'e2', 'e3', 'identify bob', 'e4']);
  });

  test('go with the current token of a user who has just signed out, on that page and the next', async () => {
    const { open, arrived } = signedInBrowser();
    const page = open({ maxWaitMs: 3_600_000 });
    await page.tracker.identify('ann');
    await quiet();
    void page.tracker.track('e1');
    page.tracker.reset();
    await page.tracker.track('e2');
    page.hide();
    await quiet();

    expect(arrived()).toEqual(['identify ann', 'e1', 'e2']);
  });

  test('wait for a signed-out user without delaying others, and go when that user signs in again', async () => {
    const { open, relay, arrived, buffered, time, script, asked } = signedInBrowser(throws);
    const first = open();
    await first.tracker.identify('ann');
    await first.tracker.track('e1');
    first.tracker.reset();
    await quiet();
    await first.crash();
    script.length = 0;

    const next = open();
    await next.tracker.track('e2');
    await next.tracker.identify('bob');
    const end = await next.tracker.flush();
    expect(arrived()).toEqual(['e2', 'identify bob']);
    expect(await buffered()).toEqual(['identify ann', 'e1']);
    expect(end).toEqual({ settled: false, reason: 'token_required', retryInMs: Number.POSITIVE_INFINITY });
    expect(asked).toEqual(['ann', 'bob']);
    await next.crash();

    await time.pass(DAY_MS);
    const later = open();
    await later.tracker.identify('ann');
    expect(await later.tracker.flush()).toEqual({ settled: true });
    expect(arrived()).toEqual(['e2', 'identify bob', 'identify ann', 'e1', 'identify ann']);
    expect(relay.requests.every(({ status }) => status === 202)).toBe(true);
  });

  test('made offline go a day later with a new token, because only the user id binds them', async () => {
    const { open, relay, arrived, time, script, asked } = signedInBrowser();
    const first = open();
    await first.tracker.identify('ann');
    await first.tracker.flush();
    const { fetch } = relay;
    relay.fetch = async () => Promise.reject(new TypeError('Failed to fetch'));
    script.push(...Array(999).fill(throws));
    await time.pass(LIFE_MS);
    await first.tracker.track('e1');
    await first.tracker.flush();
    await first.crash();
    await time.pass(DAY_MS);

    relay.fetch = fetch;
    script.length = 0;
    const next = open();
    void next.tracker.identify('ann');
    await next.tracker.flush();
    expect(arrived()).toEqual(['identify ann', 'e1']);
    expect(new Set(asked)).toEqual(new Set(['ann']));
    expect(relay.requests.every(({ status }) => status === 202)).toBe(true);
    expect(relay.requests[1]?.token).not.toBe(relay.requests[0]?.token);
  });

  test('expire after 7 days like any others', async () => {
    const { open, arrived, buffered, events, time } = signedInBrowser(...Array(99).fill(throws));
    const first = open();
    await first.tracker.identify('ann');
    await time.pass(DAY_MS);
    await first.tracker.track('ann’s');
    first.tracker.reset();
    await quiet();
    await first.crash();

    const next = open();
    await next.tracker.track('e1');
    await next.tracker.flush();
    await time.pass(6 * DAY_MS + 120_000);
    await next.tracker.track('e2');
    await next.tracker.flush();

    expect(arrived()).toEqual(['e1', 'e2']);
    expect(await buffered()).toEqual(['ann’s']);
    expect(events.at(-1)).toMatchObject({ reason: 'expired' });
    expect((await next.tracker.stats()).dropped.expired).toBe(1);
  });

  test('are not overtaken by later ones of the same user if the page is left just as the token arrives', async () => {
    const { open, relay, arrived, script } = signedInBrowser(throws);
    const first = open();
    await first.tracker.identify('ann', { attributes: { visit: 1 } });
    first.tracker.reset();
    await quiet();
    await first.crash();

    const page = open({ maxWaitMs: 3_600_000 });
    await page.tracker.track('e1');
    await page.tracker.flush();
    let give = (_: string) => {};
    script.push(() => new Promise((resolve) => (give = resolve)));
    await page.tracker.identify('ann', { attributes: { visit: 2 } });
    await page.tracker.track('e2');
    await quiet();
    give(jwt({ cuid: 'ann', exp: 9e9 }));
    for (let turn = 0; turn < 30; turn++) {
      page.hide();
      await Promise.resolve();
    }
    await quiet();

    expect(arrived()).toEqual(['e1', 'identify ann', 'identify ann', 'e2']);
    expect([...relay.arrived.values()]).toMatchObject([
      {},
      { attributes: { visit: 1 } },
      { attributes: { visit: 2 } },
      {},
    ]);
  });

  test('number ten thousand, are not read with each flush, and the others still fill their batches', async () => {
    const { open, disk, sent, time } = signedInBrowser();
    await disk.state.append((visitor) => ({
      visitor,
      clears: false,
      entries: Array.from({ length: 9_900 }, (_, n) => ({
        kind: 'event',
        id: `AAAAAAAAAAAAAAAAAAAAAA.${n + 1}`,
        wall: time.now(),
        mono: 0,
        at: time.now(),
        json: '"eventName":"old"',
        userId: 'ann',
      })),
    }));
    const { tracker } = open();
    await tracker.track('e0');
    await tracker.flush();
    const before = disk.recordsRead();
    for (const name of names(1, 24)) await tracker.track(name);
    await quiet();
    expect(sent()).toEqual([['e0']]);
    await time.pass(5_000);

    expect(sent()).toEqual([['e0'], names(1, 24)]);
    expect(disk.recordsRead() - before).toBeLessThan(100);
  });
});

describe('a deferred request', () => {
  test('carries the current token, and records without one wait for the next visit', async () => {
    const { open, script, time } = signedInBrowser();
    const page = open({ maxWaitMs: 3_600_000 });
    script.push(throws);
    await page.tracker.track('e1');
    await page.tracker.identify('ann');
    await time.pass(1_000);
    expect(page.net.armed().map((batch) => batch.map(nameOf))).toEqual([['e1']]);

    page.online();
    await time.pass(1_000);
    void page.tracker.track('e2');
    await time.pass(1_000);
    expect(page.net.armed().map((batch) => batch.map(nameOf))).toEqual([['e2']]);
    expect(page.net.tokens().map((token) => claimsOf(token).cuid)).toEqual(['ann']);
  });

  test('is renewed when the token has arrived', async () => {
    const { open, time } = signedInBrowser();
    const page = open({ maxWaitMs: 3_600_000 });
    await page.tracker.identify('ann');
    await time.pass(1_000);

    expect(page.net.armed().map((batch) => batch.map(nameOf))).toEqual([['identify ann']]);
    expect(page.net.tokens().map((token) => claimsOf(token).cuid)).toEqual(['ann']);
  });
});

describe('a page without the option', () => {
  test('sends as always, several users in one batch, and waits with everything if the relay wants tokens', async () => {
    const { open, relay, events, sent } = signedInBrowser();
    const page = open({}, null);
    await page.tracker.identify('ann');
    await page.tracker.identify('bob');
    const end = await page.tracker.flush();
    await page.tracker.track('e1');
    page.hide();

    expect(sent()).toEqual([['identify ann', 'identify bob']]);
    expect(end).toEqual({ settled: false, reason: 'token_required', retryInMs: 45_000 });
    expect(events).toContainEqual({ reason: 'token_required', inMs: 45_000 });
    expect(relay.requests).toHaveLength(1);
  });

  test('does not delay a page that has tokens', async () => {
    const { open, arrived } = signedInBrowser();
    const without = open({}, null);
    await without.tracker.identify('ann');
    await without.tracker.flush();

    const page = open();
    await page.tracker.track('e1');
    await page.tracker.flush();
    expect(arrived()).toEqual(['identify ann', 'e1']);
    await page.tracker.track('e2');
    page.hide();
    await quiet();
    expect(arrived()).toEqual(['identify ann', 'e1', 'e2']);
  });
});
