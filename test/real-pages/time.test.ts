import { describe, expect, test } from 'vitest';
import { instantOf, secondsFrom } from './harness/instants.ts';
import { CLOCK, clockOff } from './harness/page-troubles.ts';
import { realPages } from './harness/real-pages.ts';
import { realRelay } from './harness/real-relay.ts';
import type { WireBatch } from './harness/wire.ts';

// When something happened, by a true clock, whatever the visitor's clock says and however long the way takes.

const pages = realPages();
const relay = realRelay();

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

// What a busy machine, and whole seconds, may add.
const WITHIN_S = 10;

async function eventTimeOf(eventName: string): Promise<unknown> {
  const those = async () => (await relay.events()).filter((event) => event.eventName === eventName);
  await expect.poll(async () => (await those()).length, { timeout: 10_000 }).toBe(1);
  return (await those())[0]?.eventTime;
}

const JUMPS = [
  ['2 hours ahead', 2 * HOUR_MS],
  ['2 hours behind', -2 * HOUR_MS],
  ['90 seconds ahead', 90_000],
  ['8 days ahead', 8 * DAY_MS],
  ['a year behind', -YEAR_MS],
] as const;

describe('the clock is corrected between call and request', () => {
  test.each(JUMPS)('it was %s: the event has its true time, and does not expire', async (title, off) => {
    const visitor = await pages.visitor({ through: relay.url(), timezoneId: 'America/New_York' });
    const tab = await visitor.open({ before: clockOff(off) });
    visitor.relay.behave(() => ({ what: 'drop' }));
    const name = `Put right, ${title}`;

    await tab.run(`await webengageRelay.track('${name}')`);
    const at = Date.now();
    await tab.run('setClockOff(0)');
    visitor.relay.behave(() => undefined);
    await visitor.relay.have([name], 12_000);

    expect(secondsFrom(await eventTimeOf(name), at)).toBeLessThan(WITHIN_S);
    expect(await eventTimeOf(name)).toMatch(/-0[45]00$/);
    expect(await tab.reported('dropped')).toEqual([]);
  });
});

describe('the clock goes wrong between call and request', () => {
  test.each(JUMPS)(
    'it is %s by then: the event has its true time, and does not expire',
    async (title, off) => {
      const visitor = await pages.visitor({ through: relay.url() });
      const tab = await visitor.open({ before: CLOCK });
      await tab.run(`await webengageRelay.track('First, ${title}')`);
      await tab.flush();
      visitor.relay.behave(() => ({ what: 'drop' }));
      const name = `Gone wrong, ${title}`;

      await tab.run(`await webengageRelay.track('${name}')`);
      const at = Date.now();
      await tab.run(`setClockOff(${off})`);
      visitor.relay.behave(() => undefined);
      await visitor.relay.have([name], 12_000);

      expect(secondsFrom(await eventTimeOf(name), at)).toBeLessThan(WITHIN_S);
      expect(await tab.reported('dropped')).toEqual([]);
    },
  );
});

describe('the clock changes between two pages', () => {
  test.each(JUMPS)(
    '%s on the first, right on the next: a waiting event has its true time',
    async (title, off) => {
      const visitor = await pages.visitor({ through: relay.url() });
      const tab = await visitor.open({ before: clockOff(off) });
      // One answer, from which the page learns how far its clock is off.
      await tab.run(`await webengageRelay.track('Learns, ${title}')`);
      await tab.flush();
      visitor.relay.behave(() => ({ what: 'drop' }));
      const name = `Waited, ${title}`;
      await tab.run(`await webengageRelay.track('${name}')`);
      const at = Date.now();
      await tab.quit('');

      visitor.relay.behave(() => undefined);
      await tab.go();
      await visitor.relay.have([name], 12_000);

      expect(secondsFrom(await eventTimeOf(name), at)).toBeLessThan(WITHIN_S);
      expect(await tab.reported('dropped')).toEqual([]);
    },
  );

  test('10 days ahead on the next page, in a browser without any answer: nothing expires', async () => {
    const visitor = await pages.visitor({ through: relay.url() });
    visitor.relay.behave(() => ({ what: 'drop' }));
    const tab = await visitor.open();
    await tab.run(`await webengageRelay.track('Before the jump')`);
    await tab.quit('');

    visitor.relay.behave(() => undefined);
    await tab.go({ before: clockOff(10 * DAY_MS) });
    await visitor.relay.have(['Before the jump'], 12_000);

    expect(await tab.reported('dropped')).toEqual([]);
    expect(await tab.reported('rejected')).toEqual([]);
    expect((await relay.events()).map(({ eventName }) => eventName)).toContain('Before the jump');
  });
});

describe('a clock that is always wrong', () => {
  test.each(JUMPS)('%s: each event has its true time, the first as well', async (title, off) => {
    const visitor = await pages.visitor({ through: relay.url() });
    const tab = await visitor.open({ before: clockOff(off) });
    const at = Date.now();

    for (const n of [1, 2]) {
      await tab.run(`await webengageRelay.track('Always ${n}, ${title}')`);
      await tab.flush();
    }

    for (const n of [1, 2])
      expect(secondsFrom(await eventTimeOf(`Always ${n}, ${title}`), at)).toBeLessThan(WITHIN_S);
  });
});

describe('a body that arrives late', () => {
  /** The same body, as if it had been made and sent so long ago. */
  function sentEarlier(batch: WireBatch, byMs: number): string {
    const earlier = (text: string) => {
      const at = new Date(instantOf(text) - byMs).toISOString().slice(0, 19);
      return `${at}+0000`;
    };
    return JSON.stringify({
      ...batch,
      ...(batch.sentAt && { sentAt: new Date(Date.parse(batch.sentAt) - byMs).toISOString() }),
      records: batch.records.map((record) => ({
        ...record,
        ...(record.eventTime && { eventTime: earlier(record.eventTime) }),
      })),
    });
  }

  test.each([
    ['80 seconds', 80_000],
    ['an hour, replayed by a service worker', HOUR_MS],
    ['3 days, replayed by a service worker', 3 * DAY_MS],
  ])('%s: its events keep their times, if the browser has had an answer before', async (title, lateMs) => {
    const visitor = await pages.visitor({ through: relay.url(), timezoneId: 'UTC' });
    const tab = await visitor.open();
    await tab.run(`await webengageRelay.track('Early, ${title}')`);
    await tab.flush();
    visitor.relay.behave(({ batch }) => (batch ? { body: sentEarlier(batch, lateMs) } : undefined));
    const name = `Late, ${title}`;

    await tab.run(`await webengageRelay.track('${name}')`);
    const at = Date.now() - lateMs;
    await tab.flush();

    expect(secondsFrom(await eventTimeOf(name), at)).toBeLessThan(WITHIN_S);
  });

  test('an answer that comes 4 seconds after its request teaches the browser nothing wrong', async () => {
    const visitor = await pages.visitor({ through: relay.url() });
    const tab = await visitor.open();
    visitor.relay.behave(() => ({ afterMs: 4_000 }));
    await tab.run(`await webengageRelay.track('Slow answer')`);
    await tab.flush();

    visitor.relay.behave(() => undefined);
    await tab.run(`await webengageRelay.track('Quick answer')`);
    await tab.flush();

    const offset = visitor.relay.requests().at(-1)?.batch?.clockOffset;
    expect(Math.abs(offset ?? Number.NaN)).toBeLessThan(4_500);
    expect(secondsFrom(await eventTimeOf('Quick answer'), Date.now())).toBeLessThan(WITHIN_S);
  });
});

describe('on the wire', () => {
  const record = (n: number, more: object) => ({
    kind: 'event',
    id: `${'w'.repeat(20)}${String(n).padStart(2, '0')}.1`,
    userId: 'ada',
    eventName: `Wire ${n}`,
    ...more,
  });
  const envelope = {
    v: 1,
    device: '0b9d8f6e-93a4-4b6f-9d3b-5a1c7e2f4d60',
    sentAt: new Date().toISOString(),
  };
  const written = (at: number) => `${new Date(at).toISOString().slice(0, 19)}+0000`;

  test('clockOffset decides, and sentAt does not', async () => {
    const at = Date.now() - 60_000;
    const { status } = await relay.post({
      ...envelope,
      sentAt: new Date(at - 300_000).toISOString(),
      clockOffset: 2 * HOUR_MS,
      records: [record(1, { eventTime: written(at + 2 * HOUR_MS), age: 60_000 })],
    });

    expect(status).toBe(202);
    expect(secondsFrom(await eventTimeOf('Wire 1'), at)).toBeLessThan(2);
  });

  test('without it sentAt decides, for a browser without any answer', async () => {
    const at = Date.now() - 60_000;
    await relay.post({
      ...envelope,
      sentAt: new Date(Date.now() + 2 * HOUR_MS).toISOString(),
      records: [record(2, { eventTime: written(at + 2 * HOUR_MS), age: 60_000 })],
    });

    expect(secondsFrom(await eventTimeOf('Wire 2'), at)).toBeLessThan(2);
  });

  test('age counts in milliseconds: 6 days of them are accepted, 8 are refused as expired', async () => {
    const { body } = await relay.post({
      ...envelope,
      records: [record(3, { age: 6 * DAY_MS }), record(4, { age: 8 * DAY_MS })],
    });

    expect(body).toMatchObject({
      accepted: 1,
      rejected: [{ id: record(4, {}).id, issues: [{ path: 'age' }] }],
    });
  });

  test('every answer tells the relay’s time, even a refusal', async () => {
    const answers = await Promise.all([
      relay.post({ ...envelope, records: [record(5, {})] }),
      relay.post('no JSON'),
      relay.post({ ...envelope, v: 2, records: [record(6, {})] }),
      relay.post({ ...envelope, records: [] }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([202, 400, 400, 400]);
    for (const { body } of answers) expect(Math.abs((body.now ?? 0) - Date.now())).toBeLessThan(10_000);
    expect(answers[2]?.body.error?.code).toBe('unsupported_version');
  });

  test('the tracker sends ages in whole milliseconds, and its clock offset once it knows it', async () => {
    const visitor = await pages.visitor();
    const tab = await visitor.open({ before: clockOff(HOUR_MS) });
    await tab.run(`await webengageRelay.track('One'); await new Promise((done) => setTimeout(done, 40))`);
    await tab.flush();
    await tab.run(`await webengageRelay.track('Two')`);
    await tab.flush();

    const [first, last] = [visitor.relay.requests()[0]?.batch, visitor.relay.requests().at(-1)?.batch];
    expect(first?.clockOffset).toBeUndefined();
    expect(first?.lenient).toBe(true);
    const age = first?.records[0]?.age ?? 0;
    expect(Number.isInteger(age)).toBe(true);
    expect(age).toBeGreaterThanOrEqual(20);
    expect(age).toBeLessThan(10_000);
    expect(last?.clockOffset).toBeGreaterThan(HOUR_MS - 5_000);
    expect(last?.clockOffset).toBeLessThan(HOUR_MS + 5_000);
  });
});

test.each([
  ['America/Los_Angeles', /-0[78]00$/],
  ['Asia/Kathmandu', /\+0545$/],
  ['Pacific/Kiritimati', /\+1400$/],
])('a time has the visitor’s own offset: %s', async (timezoneId, offset) => {
  const visitor = await pages.visitor({ timezoneId });
  const tab = await visitor.open();

  await tab.run(`await webengageRelay.track('Here')`);
  await tab.flush();

  const [event] = visitor.relay.events();
  expect(event?.eventTime).toMatch(offset);
  expect(secondsFrom(event?.eventTime, Date.now())).toBeLessThan(WITHIN_S);
});

test('a call queued before the script arrived has the time of the call', async () => {
  const visitor = await pages.visitor();
  const before = `var at = Date.now(); var end = at + 2500;`;
  const tab = await visitor.open({
    before,
    // The page stands still in the task behind the call.
    calls: `webengageRelay.track('Queued'); while (Date.now() < end) {}`,
  });

  await tab.flush();

  const at = await tab.run<number>('return at');
  expect(secondsFrom(visitor.relay.events()[0]?.eventTime, at)).toBeLessThan(2);
});
