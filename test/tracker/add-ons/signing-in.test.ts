import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identityTokens } from '../../../src/tracker/add-ons/identity-tokens.ts';
import { fakeBrowser, quiet } from '../../fakes/browser/browser.ts';
import { claimsOf, jwt, LIFE_MS, strictRelay, tokenEndpoint } from '../../fakes/browser/identity.ts';
import { fakeTime } from '../../fakes/platform.ts';

/** What the site answers when it is asked for a token. */
type Answer = 'good' | 'throws' | 'hangs' | 'another’s' | 'forged' | 'expired' | 'short';

type Step =
  | { readonly does: 'track' | 'reset' | 'flush' | 'hide' | 'show' | 'online' | 'leave' | 'settle' }
  | { readonly does: 'identify'; readonly user: string }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'site'; readonly answers: Answer }
  | { readonly does: 'relay'; readonly refuses: boolean };

const ANSWERS: readonly Answer[] = ['throws', 'hangs', 'another’s', 'forged', 'expired', 'short'];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>({ does: 'track' }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('identify' as const), user: fc.constantFrom('ann', 'bob') }),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(...(['reset', 'reset', 'flush', 'hide', 'show', 'online', 'leave', 'settle'] as const))
      .map((does): Step => ({ does })),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 900, 6_000, 12_000, 70_000, LIFE_MS * 0.95, LIFE_MS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('site' as const),
      answers: fc.oneof(fc.constant<Answer>('good'), fc.constantFrom(...ANSWERS)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('relay' as const), refuses: fc.boolean() }) },
);

const visits = fc.record({
  tabs: fc.integer({ min: 1, max: 2 }),
  steps: fc.array(fc.record({ tab: fc.nat({ max: 1 }), turns: fc.constantFrom(0, 1, 3, 20, 200), step }), {
    minLength: 1,
    maxLength: 40,
  }),
});

type Visit = typeof visits extends fc.Arbitrary<infer Value> ? Value : never;

async function runVisit({ tabs, steps }: Visit) {
  const time = fakeTime();
  const site = tokenEndpoint(time.now);
  const relay = strictRelay(time.now);
  const browser = fakeBrowser({ relay, time });
  let answers: Answer = 'good';
  const answer: { readonly [answer in Answer]: (userId: string) => string | Promise<string> } = {
    good: site.made,
    throws: () => {
      throw new Error('500');
    },
    hangs: () => new Promise<string>(() => {}),
    'another’s': (userId) => site.made(userId === 'ann' ? 'bob' : 'ann'),
    forged: () => 'forged',
    expired: (userId) => jwt({ cuid: userId, iat: 1, exp: 2 }),
    short: (userId) => jwt({ cuid: userId, iat: time.now() / 1000, exp: time.now() / 1000 + 2 }),
  };
  const identityToken = async (userId: string) => answer[answers](userId);

  const openPage = () => browser.open({ plugins: [identityTokens(identityToken)] });
  /** What the page has left with the browser is sent once it is gone. */
  const close = async (page: ReturnType<typeof openPage>) => {
    await quiet();
    page.hide();
    await quiet();
    const left = page.net.bodies();
    await page.crash();
    for (const body of left) await relay.fetch('later', { body });
  };
  const pages = [openPage()];
  await quiet();
  while (pages.length < tabs) pages.push(openPage());
  let count = 0;

  for (const { tab, turns, step } of steps) {
    const at = tab % tabs;
    const page = pages[at] as ReturnType<typeof openPage>;
    switch (step.does) {
      case 'track':
        void page.tracker.track(`${tab % tabs}-${++count}`);
        break;
      case 'identify':
        void page.tracker.identify(step.user, { attributes: { made: ++count } });
        break;
      case 'reset':
        page.tracker.reset();
        break;
      case 'flush':
        void page.tracker.flush();
        break;
      case 'hide':
        page.hide();
        break;
      case 'show':
        page.show();
        break;
      case 'online':
        page.online();
        break;
      case 'settle':
        await quiet();
        break;
      case 'leave':
        await close(page);
        pages[at] = openPage();
        await quiet();
        break;
      case 'wait':
        await time.pass(step.ms);
        break;
      case 'site':
        answers = step.answers;
        break;
      case 'relay':
        relay.refuses = step.refuses;
        break;
    }
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  }

  // Both sign in once more, one after the other, and nothing fails.
  await quiet();
  answers = 'good';
  relay.refuses = false;
  for (const page of pages) await close(page);
  const last = openPage();
  for (const user of ['ann', 'bob']) {
    void last.tracker.reset();
    await last.tracker.identify(user);
    await time.pass(4_000_000);
    await last.tracker.flush();
  }
  return {
    requests: relay.requests,
    arrived: [...relay.arrived.values()],
    stats: await last.tracker.stats(),
    buffered: await browser.buffered(),
    trackedCount: steps.filter(({ step }) => step.does === 'track').length,
    reported: last.reported,
  };
}

const numRuns = Number(process.env.RUNS ?? 150);

test('all records arrive in order, under their user’s token, once that user is back', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(visits, async (visit) => {
      const { requests, arrived, stats, buffered, trackedCount, reported } = await runVisit(visit);
      const events = arrived.flatMap((record) => (record.kind === 'event' ? [record] : []));

      // Under no other's token, and never without one.
      for (const { token, records } of requests) {
        const users = new Set(records.flatMap(({ userId }) => userId ?? []));
        expect([...users]).toEqual(users.size > 0 ? [claimsOf(token ?? '').cuid] : []);
      }
      expect(buffered).toEqual([]);
      expect(events).toHaveLength(trackedCount);
      expect(stats).toMatchObject({ tracked: arrived.length, delivered: arrived.length, buffered: 0 });
      for (const who of new Set(events.map(({ userId, anonymousId }) => userId ?? anonymousId)))
        for (const tab of ['0', '1']) {
          const numbers = events
            .filter(({ userId, anonymousId }) => (userId ?? anonymousId) === who)
            .filter(({ eventName }) => eventName.startsWith(`${tab}-`))
            .map(({ eventName }) => Number(eventName.slice(2)));
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        }
      expect(reported).toEqual([]);
    }),
    { numRuns },
  );
});
