import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import { fakeBrowser, quiet } from '../../fakes/browser/browser.ts';
import { accepted, fakeTime } from '../../fakes/platform.ts';

/** How the relay answers one request. `lost`: it has stored the records, and the answer never comes. */
type Reply = 'settled' | 'slow' | 'lost' | 'offline' | 'rate_limited' | 'unavailable';

type Step =
  | { readonly does: Simple }
  | { readonly does: 'identify'; readonly user: string; readonly plan: number }
  /** Hidden, and the page has something to say in a listener that comes after ours. */
  | { readonly does: 'hide and track' }
  | { readonly does: 'hold' | 'release' }
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'answer'; readonly reply: Reply }
  /**
   * The page goes and the next one comes. Of its pending writes the oldest so many are done.
   * `answered`: the database answers the next one before anything happens there.
   */
  | {
      readonly does: 'leave' | 'crash';
      readonly written: number;
      readonly memory: boolean;
      readonly answered: boolean;
    };

type Visit = {
  readonly steps: readonly { readonly tab: number; readonly turns: number; readonly step: Step }[];
  readonly tabs: number;
};

type Simple = 'track' | 'poison' | 'reset' | 'flush' | 'hide' | 'show' | 'online';

const simple = (...names: readonly Simple[]) => fc.constantFrom(...names).map((does): Step => ({ does }));

function steps(replies: readonly Reply[], troubles: boolean): fc.Arbitrary<Step> {
  const page = {
    written: fc.nat({ max: 4 }),
    memory: fc.nat({ max: 9 }).map((n) => troubles && n === 0),
    answered: fc.boolean().map((answered) => answered || !troubles),
  };
  return fc.oneof(
    { weight: 6, arbitrary: simple('track') },
    {
      weight: 2,
      arbitrary: fc.record({
        does: fc.constant('identify' as const),
        user: fc.constantFrom('ann', 'bob'),
        plan: fc.nat({ max: 2 }),
      }),
    },
    {
      weight: 3,
      arbitrary: troubles
        ? simple('reset', 'flush', 'hide', 'show', 'online', 'poison')
        : simple('reset', 'flush', 'hide', 'show', 'online'),
    },
    { weight: 1, arbitrary: fc.constant<Step>({ does: 'hide and track' }) },
    {
      weight: troubles ? 2 : 0,
      arbitrary: fc.constantFrom<Step>({ does: 'hold' }, { does: 'release' }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        does: fc.constant('wait' as const),
        ms: fc.constantFrom(0, 1, 900, 6_000, 70_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ does: fc.constant('answer' as const), reply: fc.constantFrom(...replies) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        does: troubles ? fc.constantFrom('leave' as const, 'crash' as const) : fc.constant('leave' as const),
        ...page,
      }),
    },
  );
}

const visits = (
  replies: readonly Reply[],
  { tabs, troubles }: { readonly tabs: number; readonly troubles: boolean },
) =>
  fc.record({
    tabs: fc.integer({ min: 1, max: tabs }),
    steps: fc.array(
      fc.record({
        tab: fc.nat({ max: tabs - 1 }),
        turns: fc.constantFrom(0, 1, 2, 5, 20, 400),
        step: steps(replies, troubles),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  });

/** A relay as the contract has it: known ids are passed over, and a batch with poison is refused as a whole. */
function fakeRelay(time: ReturnType<typeof fakeTime>) {
  const replies: Reply[] = [];
  /** What each call arrived as, in the order of first arrivals. */
  const arrived = new Map<string, TrackerRecord>();
  const requests: { url: string; init: RequestInit; records: readonly TrackerRecord[] }[] = [];
  const busy = (status: number) => new Response('', { status, headers: { 'Retry-After': '30' } });

  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { device, records } = JSON.parse(String(init.body)) as {
      readonly device: string;
      readonly records: readonly TrackerRecord[];
    };
    requests.push({ url, init, records });
    const reply = replies.shift() ?? 'settled';
    if (reply === 'offline') throw new TypeError('Failed to fetch');
    if (reply === 'rate_limited') return busy(429);
    if (reply === 'unavailable') return busy(503);
    if (records.some((record) => record.kind === 'event' && record.eventName === 'poison'))
      return Response.json({ error: { code: 'invalid_batch', message: 'poison' } }, { status: 400 });
    for (const record of records) {
      const key = `${device} ${record.id}`;
      if (!arrived.has(key)) arrived.set(key, record);
    }
    if (reply === 'slow') await new Promise<void>((resolve) => void time.timer(resolve, 3_000));
    if (reply === 'lost') throw new TypeError('network changed');
    return accepted(records);
  };
  return { relay: { requests, fetch: fetch as typeof globalThis.fetch }, replies, arrived };
}

/** What a call is known by at the relay: its name, or whom it identifies as what. */
function nameOf(record: TrackerRecord): string {
  return record.kind === 'event'
    ? record.eventName
    : `${record.userId} is on plan ${record.attributes?.plan}`;
}

/** Plays a visit to its end, with all troubles over; answers with what was called, and what arrived. */
async function runVisit({ steps: all, tabs }: Visit) {
  const time = fakeTime();
  const { relay, replies, arrived } = fakeRelay(time);
  const browser = fakeBrowser({ relay, time });
  type Page = ReturnType<typeof browser.open> & { readonly memory: boolean; calls: string[] };
  const openPage = (memory = false): Page => ({ ...browser.open({ memory }), memory, calls: [] });
  const pages = [openPage()];
  // Who the visitor is, is made once: of two that are made at once, by tabs that are left at once, only one can stay.
  await quiet();
  while (pages.length < tabs) pages.push(openPage());
  /** Those that have to arrive: durable by their promise, or made by a page that was hidden after them. */
  const promised = new Set<string>();
  const called: string[] = [];
  const reported: unknown[] = [];

  const call = (page: Page, name: string, made: Promise<void>) => {
    called.push(name);
    page.calls.push(name);
    void made.then(() => page.memory || promised.add(name));
  };
  const track = (page: Page) => {
    const name = `e${called.length}`;
    call(page, name, page.tracker.track(name));
  };
  const hide = (page: Page) => {
    page.hide();
    for (const name of page.calls) promised.add(name);
  };

  for (const { tab, turns, step } of all) {
    const at = tab % tabs;
    const page = pages[at] as Page;
    switch (step.does) {
      case 'track':
        track(page);
        break;
      case 'poison':
        void page.tracker.track('poison');
        break;
      case 'identify': {
        const { user, plan } = step;
        call(page, `${user} is on plan ${plan}`, page.tracker.identify(user, { attributes: { plan } }));
        break;
      }
      case 'reset':
        page.tracker.reset();
        break;
      case 'flush':
        void page.tracker.flush();
        break;
      case 'hide':
        hide(page);
        break;
      case 'hide and track':
        page.hide();
        track(page);
        await quiet();
        for (const name of page.calls) promised.add(name);
        break;
      case 'show':
        page.show();
        break;
      case 'online':
        page.online();
        break;
      case 'hold':
        browser.disk.hold();
        break;
      case 'release':
        browser.disk.release();
        break;
      case 'wait':
        await time.pass(step.ms);
        break;
      case 'answer':
        replies.push(step.reply);
        break;
      case 'leave':
      case 'crash':
        if (step.does === 'leave') hide(page);
        await page.crash(step.written);
        reported.push(...page.reported);
        pages[at] = openPage(step.memory);
        if (step.answered) await quiet();
        break;
    }
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  }

  replies.length = 0;
  browser.disk.release();
  for (const page of pages) {
    hide(page);
    await page.crash();
  }
  const last = openPage();
  await quiet();
  // A pause that is still on ends in time, and so do the lock and the allowance.
  for (let minute = 0; minute < 20; minute++) {
    await time.pass(60_000);
    await quiet();
  }
  // What the relay refuses by itself is given up once another record was taken.
  await last.tracker.track('last');
  for (let minute = 0; minute < 20; minute++) {
    await time.pass(60_000);
    await quiet();
  }
  const buffered = await browser.buffered();
  return {
    called,
    promised: [...promised],
    arrived: [...arrived].map(([key, record]) => ({ key, name: nameOf(record) })),
    stats: await last.tracker.stats(),
    buffered,
    reported: [...reported, ...last.reported],
    spillKeys: browser.spillKeys(),
  };
}

const ALL: readonly Reply[] = ['settled', 'slow', 'lost', 'offline', 'rate_limited', 'unavailable'];

// More of them by hand: RUNS=5000 npx vitest run --project page test/tracker/visitor/visits.test.ts
const numRuns = Number(process.env.RUNS ?? 150);

test('under any faults every resolved call arrives, none twice, and every record is accounted for', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(visits(ALL, { tabs: 2, troubles: true }), async (visit) => {
      const { promised, arrived, stats, buffered, reported, spillKeys } = await runVisit(visit);
      const names = arrived.map(({ name }) => name);
      const events = names.filter((name) => /^e\d+$/.test(name));
      const { tracked, delivered, rejected, dropped } = stats;

      expect(promised.filter((name) => !names.includes(name))).toEqual([]);
      expect(events.filter((name, index) => events.indexOf(name) !== index)).toEqual([]);
      expect(buffered).toEqual([]);
      expect(stats.buffered).toBe(0);
      expect(delivered + rejected + dropped.expired + dropped.over_max_records).toBe(tracked);
      expect(spillKeys).toEqual([]);
      expect(reported).toEqual([]);
    }),
    { numRuns },
  );
});

test('without faults the records of one tab arrive in order', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(visits(['settled', 'slow'], { tabs: 1, troubles: false }), async (visit) => {
      const { called, arrived } = await runVisit(visit);
      const events = arrived.map(({ name }) => name).filter((name) => /^e\d+$/.test(name));

      expect(events).toEqual(called.filter((name) => events.includes(name)));
    }),
    { numRuns },
  );
});
