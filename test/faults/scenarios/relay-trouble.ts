import type { BlockedHow } from '../engines/engine.ts';
import type { Passage } from '../flaky-proxy.ts';
import { flush, hide, readPageEvents, startFlush, trackAll, trackUntilAsked } from '../page/in-page.ts';
import { until } from '../until.ts';
import type { Visit } from '../visit.ts';
import { assertPace, assertSilence } from './pace.ts';
import { assert, type Scenario } from './scenario.ts';

const SOME = 30;
const EACH = 3;
const BACKLOG = 2_000;
const FAST = { requestsPerMinute: 500, burst: 20 };

// The tracker gives a request up after 15 s.
const GIVEN_UP_WITHIN_MS = 40_000;

/** As a sign-in page of a hotel answers to everything, with a good status. */
const SIGN_IN: Passage = {
  kind: 'answered',
  status: 200,
  headers: { 'Content-Type': 'text/html' },
  body: '<!doctype html><title>Sign in</title>Welcome to our network',
};

const busy = (status: number, retryAfter?: string): Passage => ({
  kind: 'answered',
  status,
  headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter },
  body: '{}',
});

/** The proxy is closed for a while, and then open. */
function troubled(passage: Passage): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite();
    visit.proxy.order(passage);
    await tab.evaluate(trackAll, visit.events(SOME));
    await until('sending has failed', async () => (await tab.evaluate(readPageEvents, null)).retrying > 0);
    visit.proxy.order({ kind: 'open' });
    await tab.evaluate(trackAll, visit.events(EACH));
    await visit.allArrive();
  };
}

/** Asked to wait, no tab sends before the time has come, nor does a page that is loaded in the meantime. */
function asked(wait: () => { readonly retryAfter: string; readonly until: number }): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const [one, other] = [await visit.openSite(), await visit.openSite()];
    const { retryAfter, until: notBefore } = wait();
    visit.proxy.order(busy(429, retryAfter));
    await one.evaluate(trackAll, visit.events(EACH));
    await one.evaluate(startFlush, null);
    await until('it is asked to wait', async () => (await one.evaluate(readPageEvents, null)).retrying > 0);
    // Before it was asked it may have sent two at once: a tab behind another is about to go, as far as it knows.
    const sent = visit.proxy.seen().length;
    assert(sent <= 2, `${sent} requests before it was asked to wait`);
    const asked = Date.now();
    visit.proxy.order({ kind: 'open' });
    await other.evaluate(trackAll, visit.events(EACH));
    await other.evaluate(startFlush, null);
    await visit.reload(one, () => one.evaluate(() => location.reload(), null));
    await one.evaluate(startFlush, null);
    await visit.allArrive();
    assertSilence(visit.proxy.seen(), asked, notBefore);
  };
}

/** Nor does the browser of a page that crashes: it was left with a request a moment before. */
async function askedAndCrashed(visit: Visit): Promise<void> {
  await visit.open();
  const tab = await visit.openSite();
  const notBefore = Date.now() + WAIT_SECONDS * 1_000;
  visit.proxy.order(busy(429, String(WAIT_SECONDS)));
  await tab.evaluate(trackUntilAsked, visit.events(EACH));
  const asked = Date.now();
  await tab.crash?.();
  visit.proxy.order({ kind: 'open' });
  await (await visit.openSite()).evaluate(startFlush, null);
  await visit.allArrive();
  assertSilence(visit.proxy.seen(), asked, notBefore);
}

/** Requests fail in the browser itself. */
function blocked(how: BlockedHow): Scenario['run'] {
  return async (visit) => {
    await visit.open();
    const tab = await visit.openSite();
    await tab.block?.(visit.proxy.url, how);
    await tab.evaluate(trackAll, visit.events(SOME));
    await until('sending has failed', async () => (await tab.evaluate(readPageEvents, null)).retrying > 0);
    assert(visit.proxy.seen().length === 0, 'the request was not blocked');
    await tab.block?.(visit.proxy.url, undefined);
    await visit.allArrive();
  };
}

const NO_DEFERRED_REQUEST =
  'nothing is left with a browser without fetchLater (https://developer.mozilla.org/docs/Web/API/Window/fetchLater#browser_compatibility)';

const NO_NETWORK_COMMANDS =
  'no command of WebKitWebDriver touches the network (https://w3c.github.io/webdriver/#endpoints)';

const WAIT_SECONDS = 4;

async function stayAndTrack(visit: Visit): Promise<void> {
  await visit.open();
  const tab = await visit.openSite();
  await tab.evaluate(trackAll, visit.events(60));
  await visit.allArrive();
}

export const relayTrouble: readonly Scenario[] = [
  { title: 'tracking on a page that stays open', run: stayAndTrack },
  {
    title: 'relay down while tracking, page closed, relay back, page reopened',
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await visit.stack.stopRelay();
      try {
        await tab.evaluate(trackAll, visit.events(60));
        await until(
          'sending has failed',
          async () => (await tab.evaluate(readPageEvents, null)).retrying > 0,
        );
        await tab.close();
        await visit.close();
      } finally {
        await visit.stack.startRelay();
      }
    },
  },
  { title: 'connections to the relay break for a while', run: troubled({ kind: 'broken' }) },
  { title: 'the relay answers 503 for a while', run: troubled(busy(503)) },
  { title: 'the relay answers 503 with Retry-After for a while', run: troubled(busy(503, '2')) },
  { title: "a network's sign-in page answers with 200 for a while", run: troubled(SIGN_IN) },
  {
    title: `429 with Retry-After in seconds: no tab sends before then, not even after a reload`,
    withoutOrder: true,
    run: asked(() => ({ retryAfter: String(WAIT_SECONDS), until: Date.now() + WAIT_SECONDS * 1_000 })),
  },
  {
    title: '429 with Retry-After as a date: no tab sends before then, not even after a reload',
    withoutOrder: true,
    run: asked(() => {
      // A date has whole seconds.
      const until = Math.ceil(Date.now() / 1_000) * 1_000 + WAIT_SECONDS * 1_000;
      return { retryAfter: new Date(until).toUTCString(), until };
    }),
  },
  {
    title: '429 with Retry-After: a page that crashes as soon as it is asked sends nothing before then',
    impossible: { firefox: NO_DEFERRED_REQUEST, webkit: NO_DEFERRED_REQUEST },
    run: askedAndCrashed,
  },
  {
    title: 'answers lost after the relay has stored, then recovery',
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      visit.proxy.order({ kind: 'answer lost' });
      await tab.evaluate(trackAll, visit.events(SOME));
      await until('two answers are lost', () => visit.proxy.seen().length >= 2);
      visit.proxy.order({ kind: 'open' });
    },
  },
  {
    title: 'the relay does not answer: the request is aborted and repeated',
    withinMs: 90_000,
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      visit.proxy.order({ kind: 'hang' });
      await tab.evaluate(trackAll, visit.events(SOME));
      await until('a request hangs', () => visit.proxy.seen().length > 0);
      visit.proxy.order({ kind: 'open' });
      await visit.allArrive(GIVEN_UP_WITHIN_MS);
    },
  },
  {
    title: 'requests blocked in the browser, as by an extension, for a while',
    impossible: { webkit: NO_NETWORK_COMMANDS },
    run: blocked('blocked'),
  },
  {
    title: "the relay's name is unknown for a while",
    impossible: {
      firefox:
        'its driver fails a request without saying how (https://w3c.github.io/webdriver-bidi/#command-network-failRequest)',
      webkit: NO_NETWORK_COMMANDS,
    },
    run: blocked('unknown name'),
  },
  {
    title: 'offline for a while in a hidden page',
    impossible: { webkit: NO_NETWORK_COMMANDS },
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite();
      await tab.setOffline?.(true);
      await tab.evaluate(hide, null);
      await tab.evaluate(trackAll, visit.events(SOME));
      await until('sending has failed', async () => (await tab.evaluate(readPageEvents, null)).retrying > 0);
      await tab.setOffline?.(false);
      await visit.allArrive();
    },
  },
  {
    title: `${BACKLOG} records made while the relay is out of reach drain at the allowed pace`,
    withinMs: 120_000,
    run: async (visit) => {
      await visit.open();
      const tab = await visit.openSite(FAST);
      visit.proxy.order({ kind: 'broken' });
      await tab.evaluate(trackAll, visit.events(BACKLOG));
      await until('sending has failed', async () => (await tab.evaluate(readPageEvents, null)).retrying > 0);
      visit.proxy.order({ kind: 'open' });
      await until('the buffer is settled', async () => (await tab.evaluate(flush, null)).settled, 90_000);
      await visit.allArrive();
      assertPace(visit.proxy.seen(), FAST);
    },
  },
];
