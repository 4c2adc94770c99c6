import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../src/tracker/record/visitor.ts';
import { accepted, scriptedRelay } from '../../fakes/platform.ts';
import { NAME, playedBrowser, quiet } from '../../fakes/played-browser.ts';

const DEVICE = '11111111-1111-4111-a111-111111111111';
const KNOWN: Identity = {
  device: DEVICE,
  changes: 0,
  anonymousId: '22222222-2222-4222-a222-222222222222',
  told: {},
};
const JOHN: Identity = { ...KNOWN, userId: 'johndoe' };
const OTHER: Identity = { ...KNOWN, device: '33333333-3333-4333-a333-333333333333', userId: 'somebody' };

function browserThatKnows(kept: { readonly database?: Identity; readonly page?: Identity }) {
  const browser = playedBrowser();
  if (kept.page) browser.map.set(NAME, JSON.stringify(kept.page));
  void browser.disk.state.update('identity', () => kept.database);
  const bodies = () => browser.relay.requests.map(({ init }) => JSON.parse(String(init.body)));
  return { ...browser, bodies, kept: () => browser.disk.state.get('identity') as Promise<Identity> };
}

describe('a page that is left before the database has answered', () => {
  test('goes by the visitor that the last page left in page storage, and leaves its records to the next', async () => {
    const { open, disk, bodies, map, spillKeys } = browserThatKnows({ page: JOHN, database: JOHN });
    disk.hold();
    const page = open();
    void page.tracker.track('e1');

    page.hide();

    // Older ones may lie in the database: these would overtake them.
    expect(bodies()).toEqual([]);
    expect(JSON.parse(map.get(spillKeys()[0] ?? '') ?? '')).toMatchObject([
      { record: { userId: 'johndoe' } },
    ]);
  });

  test('and is the first one here makes a visitor, whom the next page takes over', async () => {
    const { open, disk, bodies, kept } = browserThatKnows({});
    disk.hold();
    const first = open();
    void first.tracker.track('e1');
    first.hide();
    await first.crash();
    disk.release();

    const second = open();
    await second.tracker.track('e2');
    await second.tracker.flush();

    const [sentByFirst, sentBySecond] = bodies();
    expect(sentBySecond.device).toBe(sentByFirst.device);
    expect(sentBySecond.records.map(({ anonymousId }: Identity) => anonymousId)).toEqual(
      Array(2).fill(sentByFirst.records[0].anonymousId),
    );
    expect(await kept()).toMatchObject({ device: sentByFirst.device });
  });

  test('and signs in is signed in on the next one', async () => {
    const { open, disk, bodies } = browserThatKnows({ page: KNOWN, database: KNOWN });
    disk.hold();
    const first = open();
    void first.tracker.identify('johndoe');
    first.hide();
    await first.crash();
    disk.release();

    const second = open();
    await second.tracker.track('e2');
    await second.tracker.flush();

    expect(bodies().at(-1)).toMatchObject({ records: [{ userId: 'johndoe' }, { userId: 'johndoe' }] });
  });

  test('knows nobody where page storage is spoilt, and takes no harm', async () => {
    const { open, disk, bodies, map } = browserThatKnows({});
    map.set(NAME, '{}');
    disk.hold();
    const page = open();
    void page.tracker.track('e1');

    page.hide();

    expect(bodies()).toMatchObject([{ device: expect.stringMatching(/^[\da-f-]{36}$/) }]);
  });
});

describe('once it is read, the word of the database', () => {
  test('goes before that of page storage', async () => {
    const { open, bodies } = browserThatKnows({ page: OTHER, database: JOHN });

    const { tracker } = open();
    await tracker.track('e1');
    await tracker.flush();

    expect(bodies()).toMatchObject([{ device: DEVICE, records: [{ userId: 'johndoe' }] }]);
  });

  test('on the device holds, though somebody signed in before it was read', async () => {
    const { open, disk, kept } = browserThatKnows({ database: KNOWN });
    disk.hold();
    const page = open();
    void page.tracker.identify('johndoe');
    page.hide();

    disk.release();
    await quiet();

    // The relay knows a record that comes twice by it: all that lies in the buffer may have been sent under it.
    expect(await kept()).toMatchObject({ device: DEVICE, userId: 'johndoe' });
  });

  test('is what a page leaves to the next when it is hidden', async () => {
    const { open, map } = browserThatKnows({ page: OTHER, database: JOHN });
    const page = open();
    await page.tracker.track('e1');

    page.hide();

    expect(JSON.parse(map.get(NAME) ?? '')).toEqual(JOHN);
  });
});

describe('what was told about a visitor', () => {
  test('does not count as told where the page died before the record of it was written', async () => {
    const { open, disk, relay } = browserThatKnows({ database: KNOWN });
    const first = open();
    await quiet();
    disk.hold();
    void first.tracker.identify('johndoe', { email: 'john@doe.com' });
    await quiet();
    // One write is done, and then the browser is killed.
    await first.crash(1);
    disk.release();

    const second = open();
    await second.tracker.identify('johndoe', { email: 'john@doe.com' });
    await second.tracker.flush();

    expect(relay.requests.flatMap(({ records }) => records)).toContainEqual(
      expect.objectContaining({ userId: 'johndoe', email: 'john@doe.com' }),
    );
  });

  test('counts as told no longer once a record of it was refused, in any tab', async () => {
    const refuse = scriptedRelay((records) =>
      accepted(records, { rejected: records.map(({ id }) => ({ id, issues: [] })) }),
    );
    const { open, relay } = playedBrowser({ relay: refuse });
    const one = open();
    await one.tracker.identify('johndoe', { email: 'john@doe.com' });
    await one.tracker.flush();

    const other = open();
    await other.tracker.identify('johndoe', { email: 'john@doe.com' });
    await other.tracker.flush();

    expect(relay.requests).toHaveLength(2);
  });
});

test('what was told in a page that was killed before its record was written is told again', async () => {
  const { open, disk, bodies } = browserThatKnows({});
  const page = open();
  await quiet();
  disk.hold();
  void page.tracker.identify('johndoe', { email: 'j@example.com' });
  await quiet();
  await page.crash();
  disk.release();

  const next = open();
  await next.tracker.identify('johndoe', { email: 'j@example.com' });
  await next.tracker.flush();

  expect(bodies().at(-1)?.records).toMatchObject([{ kind: 'user', email: 'j@example.com' }]);
});

describe('two tabs that are open at once', () => {
  test('know of each other’s sign-in and log-out with the next call, and none undoes the other’s', async () => {
    const { open, bodies } = browserThatKnows({});
    const [one, other] = [open(), open()];
    await one.tracker.track('e1');
    await other.tracker.track('e2');

    await one.tracker.identify('johndoe');
    other.tracker.reset();
    await other.tracker.track('e3');
    await one.tracker.track('e4');
    await one.tracker.flush();

    const visitors = bodies().flatMap(({ records }) =>
      records.map(({ eventName, userId }: Record<string, unknown>) => [eventName, userId]),
    );
    expect(visitors).toContainEqual(['e3', undefined]);
    expect(visitors).toContainEqual(['e4', undefined]);
  });
});
