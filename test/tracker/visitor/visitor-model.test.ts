import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TrackerRecord } from '../../../src/contract/record.ts';
import type { Call } from '../../../src/tracker/record/call.ts';
import { fakeBrowser, NAME, quiet } from '../../fakes/browser/browser.ts';
import type { Failure } from '../../fakes/browser/disk.ts';
import { dedupingRelay, type Reply } from '../../fakes/deduping-relay.ts';
import { fakePageStorage, fakeTime } from '../../fakes/platform.ts';

/** Two tabs and a worker, on one database. */
const CONTEXTS = 3;
const WORKER = 2;

type Step =
  | {
      readonly does:
        | 'track'
        | 'describe'
        | 'reset'
        | 'opt out'
        | 'opt in'
        | 'hide'
        | 'show'
        | 'online'
        | 'flush';
    }
  | { readonly does: 'identify'; readonly user: string }
  /** The page goes and the next one comes. Of its pending writes the oldest so many are still done. */
  | { readonly does: 'leave' | 'crash'; readonly written: number }
  | { readonly does: 'clear storage' | 'fill storage' | 'empty storage' }
  | { readonly does: 'hold database' | 'release database' }
  | { readonly does: 'fail database'; readonly how: readonly Failure[] }
  | { readonly does: 'answer'; readonly reply: Reply }
  | { readonly does: 'wait'; readonly ms: number };

type Life = readonly { readonly at: number; readonly turns: number; readonly step: Step }[];

type Plain = Exclude<
  Step,
  { readonly user: string } | { readonly written: number } | { readonly ms: number }
>;

const named = (...names: readonly Exclude<Plain['does'], 'answer' | 'fail database'>[]) =>
  fc.constantFrom(...names).map((does): Step => ({ does }));

const REPLIES = ['settled', 'slow', 'lost', 'offline', 'rate_limited', 'unavailable'] as const;

const failures = fc.array(fc.constantFrom<Failure>('before', 'after'), { minLength: 1, maxLength: 3 });

const calls = fc.oneof(
  { weight: 6, arbitrary: named('track') },
  { weight: 3, arbitrary: fc.constantFrom('ann', 'bob').map((user): Step => ({ does: 'identify', user })) },
  { weight: 2, arbitrary: named('reset') },
  { weight: 1, arbitrary: named('describe') },
);
const choices = fc.oneof(
  { weight: 2, arbitrary: named('opt out') },
  { weight: 3, arbitrary: named('opt in') },
);
const moments = fc.oneof(
  { weight: 3, arbitrary: named('hide', 'show', 'online', 'flush') },
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constantFrom('leave' as const, 'crash' as const), written: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 900, 2_500, 6_000, 70_000),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom(...REPLIES).map((reply): Step => ({ does: 'answer', reply })) },
);
const troubles = fc.oneof(
  { weight: 2, arbitrary: named('hold database', 'release database') },
  { weight: 1, arbitrary: failures.map((how): Step => ({ does: 'fail database', how })) },
  { weight: 2, arbitrary: named('clear storage', 'fill storage', 'empty storage') },
);

const lives = (step: fc.Arbitrary<Step>): fc.Arbitrary<Life> =>
  fc.array(fc.record({ at: fc.nat(CONTEXTS - 1), turns: fc.constantFrom(0, 0, 1, 5, 400, 4_000), step }), {
    minLength: 1,
    maxLength: 30,
  });

/** What one page or worker is, to the model. */
type Page = ReturnType<ReturnType<typeof fakeBrowser>['open']> & {
  isDegraded: boolean;
  isHidden: boolean;
  isGone: boolean;
  readonly made: Act[];
};

/** Something that was done, and what it makes of the visitor, if anything. */
type Act = {
  readonly name: string;
  /** In the order of all that was done. */
  readonly order: number;
  readonly at: number;
  readonly page: Page;
  readonly start: number;
  /** When it was known to be durable. */
  end: number;
  /** Whether it has to arrive: its promise has resolved, or it was written down as its page was left. */
  isPromised: boolean;
  /** It was made, or not durable yet, while its page was hidden: the page sends it as the visitor's whom it knows. */
  isLeft: boolean;
  isHinted: boolean;
  /** Who the visitor is after it. */
  readonly visitor?: string;
  readonly isRecord: boolean;
};

const OUT = 'out';

/** What a call is known by at the relay. */
function nameOf(record: TrackerRecord): string {
  return record.kind === 'event' ? record.eventName : `${record.attributes?.n}`;
}

/** The same of a call that lies in page storage. */
function callName({ kind, json }: Call): string {
  const { eventName, attributes } = JSON.parse(`{${json}}`);
  return kind === 'event' ? eventName : `${attributes?.n}`;
}

const sessionOf = ({ id }: Call): string => id.split('.')[0] ?? '';

/** Whether one act counts before another, whatever happens. */
function isBefore(a: Act, b: Act): boolean {
  if (a.page === b.page) return a.order < b.order;
  // The next page in the tab goes on from what was kept of the one before it.
  if (a.at === b.at) return a.order < b.order && (a.isPromised || a.isHinted);
  // What a worker changes a page learns with its next look into the database.
  return a.end <= b.start && !a.page.isDegraded && !b.page.isDegraded && !(a.at === WORKER && b.isLeft);
}

/** Whose an act can be, as far as its order among others is certain. */
function ownersOf(act: Act, changes: readonly Act[]): ReadonlySet<string> {
  const possible = changes.filter((change) => change !== act && !isBefore(act, change));
  const last = possible.filter(
    (change) => !possible.some((other) => isBefore(change, other) && isBefore(other, act)),
  );
  const owners = new Set(last.map(({ visitor = '' }) => visitor));
  if (!possible.some((change) => isBefore(change, act))) owners.add('anonymous 0');
  return owners;
}

async function runLife(life: Life) {
  const time = fakeTime();
  const { relay, replies, arrived, requests } = dedupingRelay(time);
  const sentAt: number[] = [];
  const noting: typeof relay.fetch = (...request) => {
    sentAt.push(++tick);
    return relay.fetch(...request);
  };
  const browser = fakeBrowser({ relay: { ...relay, fetch: noting }, time, hasFallback: true });
  let isFull = false;
  let isStorageTroubled = false;
  let tick = 0;
  let order = 0;
  let isOut = false;
  /** The visitor was told that an opt-out could not be kept. */
  let isUnsure = false;
  const acts: Act[] = [];
  const reported: unknown[] = [];

  function open(at: number): Page {
    const pageStorage = fakePageStorage(browser.map, () => isFull);
    const opened = browser.open({ worker: at === WORKER }, at === WORKER ? {} : { pageStorage });
    const page: Page = Object.assign(opened, { isDegraded: false, isHidden: false, isGone: false, made: [] });
    page.tracker.on('degraded', () => {
      page.isDegraded = true;
    });
    return page;
  }
  const pages = Array.from({ length: CONTEXTS }, (_, at) => open(at));
  await quiet();

  function act(at: number, name: string, run: (page: Page) => unknown, visitor?: string): void {
    const page = pages[at] as Page;
    const made: Act = {
      name,
      order: ++order,
      at,
      page,
      start: ++tick,
      end: Number.POSITIVE_INFINITY,
      isPromised: false,
      isHinted: false,
      isLeft: page.isHidden,
      isRecord: /^\d+$/.test(name),
      ...(visitor && { visitor }),
    };
    acts.push(made);
    page.made.push(made);
    void Promise.resolve(run(page)).then(() => {
      // Nothing more is heard in a page that is gone.
      if (page.isGone) return;
      // Without a database the hint in page storage tells the next page of it.
      if (page.isDegraded) made.isHinted = !isStorageTroubled && at !== WORKER;
      if (page.isDegraded) return;
      made.end = ++tick;
      made.isPromised = true;
      // A reset that came before it is as durable.
      for (const earlier of page.made)
        if (earlier.name.startsWith('reset') && earlier.order < made.order && !earlier.isPromised) {
          earlier.end = made.end;
          earlier.isPromised = true;
        }
    });
  }

  /** Those that lie in page storage as the page is left. */
  function spill(at: number, page: Page): void {
    // Nobody tells a worker that it is left.
    if (at === WORKER) return;
    page.hide();
    page.isHidden = true;
    for (const made of page.made) made.isLeft ||= !made.isPromised;
    const spilled = browser.spilledCalls();
    const names = new Set(spilled.map(callName));
    for (const made of page.made) if (names.has(made.name)) made.isPromised = true;
    // The last ones of it: those before them are durable.
    const resets = page.made.filter(({ name }) => name.startsWith('reset'));
    const sessions = new Set(
      spilled.filter((call) => page.made.some(({ name }) => name === callName(call))).map(sessionOf),
    );
    const count = spilled.filter((call) => call.kind === 'reset' && sessions.has(sessionOf(call))).length;
    if (count > 0) for (const made of resets.slice(-count)) made.isPromised = true;
  }

  async function step(context: number, { ...step }: Step): Promise<void> {
    // A worker learns of a choice with its first call after it, which may be dropped as one from before.
    const hasChosen = acts.some(({ visitor, name }) => visitor && /^(in|out)/.test(name));
    const at = context === WORKER && hasChosen && /identify|reset/.test(step.does) ? 0 : context;
    const page = pages[at] as Page;
    const name = `${order + 1}`;
    // Where a worker chooses, pages learn of it with their next look into the database.
    const choosing = at === WORKER ? 0 : at;
    switch (step.does) {
      case 'track':
        return act(at, name, ({ tracker }) => tracker.track(name));
      case 'describe':
        return act(at, name, ({ tracker }) => tracker.identify({ attributes: { n: name } }));
      case 'identify': {
        const { user } = step;
        return act(at, name, ({ tracker }) => tracker.identify(user, { attributes: { n: name } }), user);
      }
      case 'reset':
        // Its end is known by a call after it.
        return act(
          at,
          `reset ${name}`,
          ({ tracker }) => {
            tracker.reset();
            return new Promise(() => {});
          },
          `anonymous ${name}`,
        );
      case 'opt out':
        if (isOut) return;
        isOut = true;
        await quiet();
        return act(
          choosing,
          `out ${name}`,
          ({ tracker }) =>
            tracker.optOut().catch(() => {
              isUnsure = true;
              return new Promise(() => {});
            }),
          OUT,
        );
      case 'opt in':
        if (!isOut) return;
        isOut = false;
        await quiet();
        return act(choosing, `in ${name}`, ({ tracker }) => tracker.optIn(), `anonymous ${name}`);
      case 'hide':
        return spill(at, page);
      case 'show':
        page.isHidden = false;
        return at === WORKER ? undefined : page.show();
      case 'online':
        return page.online();
      case 'flush':
        return void page.tracker.flush();
      case 'leave':
      case 'crash':
        if (step.does === 'leave') spill(at, page);
        page.isGone = true;
        await page.crash(step.written);
        reported.push(...page.reported);
        pages[at] = open(at);
        return;
      case 'clear storage':
        isStorageTroubled = true;
        return browser.map.clear();
      case 'fill storage':
        isStorageTroubled = true;
        isFull = true;
        return;
      case 'empty storage':
        isFull = false;
        return;
      case 'hold database':
        return browser.disk.hold();
      case 'release database':
        return browser.disk.release();
      case 'fail database':
        return browser.disk.fail(...step.how);
      case 'answer':
        replies.push(step.reply);
        return;
      case 'wait':
        return time.pass(step.ms);
    }
  }

  for (const { at, turns, step: next } of life) {
    await step(at, next);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  }
  replies.length = 0;
  isFull = false;
  browser.disk.fail();
  browser.disk.release();
  await quiet();
  for (const [at, page] of pages.entries()) {
    spill(at, page);
    await quiet();
    await page.crash();
    reported.push(...page.reported);
  }
  const last = open(0);
  await quiet();
  // A pause that still holds ends in time.
  await time.pass(1_200_000);
  return {
    acts,
    // Nor can it be, where no database has it and its mark was cleared or had no room.
    isOut:
      isOut &&
      !isUnsure &&
      !(isStorageTroubled && acts.some(({ visitor, isPromised }) => visitor === OUT && !isPromised)),
    isStorageTroubled,
    arrived: [...arrived.values()].map(({ device, record }) => ({ device, record, name: nameOf(record) })),
    requests: requests.map(({ records }, index) => ({ at: sentAt[index] ?? 0, names: records.map(nameOf) })),
    stats: await last.tracker.stats(),
    buffered: await browser.buffered(),
    keys: [...browser.map.keys()],
    spillKeys: browser.spillKeys(),
    reported: [...reported, ...last.reported],
  };
}

/** What is wrong at the end of a life, in words. */
function faultsIn(end: Awaited<ReturnType<typeof runLife>>): readonly string[] {
  const { acts, arrived, requests, isStorageTroubled } = end;
  const faults: string[] = [];
  const changes = acts.filter(({ visitor }) => visitor);
  const optOuts = changes.filter(({ visitor }) => visitor === OUT);
  const choices = changes.filter(({ name }) => /^(in|out)/.test(name));
  const names = arrived.map(({ name }) => name);
  const anonymousIds = new Map<string, string>();

  for (const act of acts.filter(({ isRecord }) => isRecord)) {
    const records = arrived.filter(({ name }) => name === act.name);
    const owners = act.visitor ? new Set([act.visitor]) : ownersOf(act, changes);
    const choicesBefore = ownersOf(act, choices);
    if (records.length > 1) faults.push(`${act.name} has arrived ${records.length} times`);
    // Whoever is out is not heard; nor is a tab that can't know that the visitor is in again.
    const mayBeOut =
      choicesBefore.has(OUT) ||
      optOuts.some((out) => !isBefore(out, act)) ||
      (choices.some((choice) => choice.page !== act.page) && (isStorageTroubled || act.at === WORKER));
    if (records.length === 0 && act.isPromised && !mayBeOut) faults.push(`${act.name} is lost`);
    for (const { record } of records) {
      if (choicesBefore.size === 1 && choicesBefore.has(OUT)) faults.push(`${act.name} was made while out`);
      // Without a database, to a worker and to a page whose storage was cleared, nobody can say who the visitor is.
      if ((act.at === WORKER || isStorageTroubled) && act.page.isDegraded) continue;
      const { userId, anonymousId = '' } = record;
      const whose = [...owners].filter(
        (owner) => owner !== OUT && (userId ? owner === userId : / /.test(owner)),
      );
      if (whose.length === 0)
        faults.push(`${act.name} is ${userId ?? 'anonymous'}’s, not ${[...owners].join(' or ')}’s`);
      const [only = ''] = whose;
      if (userId || whose.length > 1) continue;
      const known = anonymousIds.get(only);
      if (known && known !== anonymousId)
        faults.push(`${act.name} is of another anonymous visitor than ${only}`);
      anonymousIds.set(only, anonymousId);
    }
  }
  if (new Set(anonymousIds.values()).size < anonymousIds.size)
    faults.push('two visitors have one anonymous id');

  for (const { at, names: sent } of requests)
    for (const out of optOuts)
      for (const act of acts)
        if (
          sent.includes(act.name) &&
          act.start < out.start &&
          out.end <= at &&
          // Another page that is left, and has seen the record in the buffer, has no other way to know than page storage.
          !isStorageTroubled &&
          // Nor has a worker without a database any way to know.
          !(act.at === WORKER && act.page.isDegraded)
        )
          faults.push(`${act.name} was sent after ${out.name}`);

  const devices = new Map<string, string>();
  for (const { device, record } of arrived) {
    if ((devices.get(record.id) ?? device) !== device) faults.push(`${record.id} was given to two devices`);
    devices.set(record.id, device);
  }
  if (!isStorageTroubled)
    for (const page of new Set(acts.map(({ page }) => page))) {
      const own = names.filter((name) => page.made.some((made) => made.name === name)).map(Number);
      if (!page.isDegraded && own.some((n, index) => n < (own[index - 1] ?? 0)))
        faults.push(`out of order: ${own.join()}`);
    }
  if (end.buffered.length > 0 || end.stats.buffered !== 0) faults.push(`left: ${end.buffered.join()}`);
  if (end.spillKeys.length > 0) faults.push('a spill is left');
  if (end.isOut && end.keys.some((key) => key !== `${NAME}?choices`))
    faults.push(`kept though out: ${end.keys.join()}`);
  for (const error of end.reported) faults.push(`threw ${error}`);
  return faults;
}

// More of them by hand: RUNS=5000 npx vitest run --project page test/tracker/visitor/visitor-model.test.ts
const numRuns = Number(process.env.RUNS ?? 100);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_007);

async function holdsFor(step: fc.Arbitrary<Step>): Promise<void> {
  console.log(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(lives(step), async (life) => {
      expect(faultsIn(await runLife(life))).toEqual([]);
    }),
    { numRuns, seed, ...(process.env.REPLAY && { path: process.env.REPLAY, endOnFailure: true }) },
  );
}

test(
  'each record arrives once, with its own visitor, for any sign-ins and sign-outs on any page',
  {
    timeout: 600_000,
  },
  () => holdsFor(fc.oneof({ weight: 3, arbitrary: calls }, { weight: 2, arbitrary: moments })),
);

test(
  'a visitor who is out is not tracked, and nothing of theirs is sent or kept',
  {
    timeout: 600_000,
  },
  () =>
    holdsFor(
      fc.oneof(
        { weight: 4, arbitrary: calls },
        { weight: 2, arbitrary: moments },
        { weight: 2, arbitrary: choices },
      ),
    ),
);

test(
  'no fault of storage or database doubles a record or gives it to another visitor',
  {
    timeout: 600_000,
  },
  () =>
    holdsFor(
      fc.oneof(
        { weight: 5, arbitrary: calls },
        { weight: 4, arbitrary: moments },
        { weight: 3, arbitrary: troubles },
        { weight: 1, arbitrary: choices },
      ),
    ),
);
