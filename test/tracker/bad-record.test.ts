import { describe, expect, test } from 'vitest';
import type { TrackerRecord } from '../../src/contract/record.ts';
import { fakeBrowser, nameOf, names, quiet } from '../fakes/browser/browser.ts';
import { dedupingRelay } from '../fakes/deduping-relay.ts';
import { fakeTime } from '../fakes/platform.ts';

const HOUR_MS = 3_600_000;
const BAD = '<script';

const page403 = () => new Response('<html>Blocked</html>', { status: 403 });
const page503 = () => new Response('<html>Down for maintenance</html>', { status: 503 });
const refusal = (code: string, status: number) =>
  Response.json({ error: { code, message: 'the batch is wrong' } }, { status });

function browser() {
  const time = fakeTime();
  const { relay, arrived, onTheWay, judge, requests } = dedupingRelay(time);
  const fake = fakeBrowser({ relay, time });
  const rejected: { name: string; id: string }[] = [];

  /** A page that tracks so many events, of which these hold what somebody objects to. */
  function openWith(count: number, ...bad: readonly string[]) {
    const page = fake.open();
    page.tracker.on('rejected', ({ id, issues }) => rejected.push({ id, name: issues[0]?.message ?? '' }));
    for (const name of names(1, count))
      void page.tracker.track(name, bad.includes(name) ? { search: BAD } : {});
    return page;
  }
  const arrivedNames = () => [...arrived.values()].map(({ record }) => nameOf(record));
  return { ...fake, openWith, arrivedNames, onTheWay, judge, requests, rejected };
}

const holds = (records: readonly TrackerRecord[]) => JSON.stringify(records).includes(BAD);

const WAYS = [
  ['a firewall’s 403', 'onTheWay', () => page403()],
  ['a firewall’s 200 with a page', 'onTheWay', () => new Response('<html>Blocked</html>')],
  ['a proxy’s 400', 'onTheWay', () => new Response('Bad Request', { status: 400 })],
  ['a proxy’s 413', 'onTheWay', () => new Response('', { status: 413 })],
  ['the relay’s invalid_batch', 'judge', () => refusal('invalid_batch', 400)],
  ['the relay’s too_large', 'judge', () => refusal('too_large', 413)],
] as const;

describe.each(WAYS)('one record that gets %s', (_, who, answer) => {
  const objectTo = ({ onTheWay, judge }: ReturnType<typeof browser>) => {
    if (who === 'onTheWay') onTheWay.answer = (body) => (body.includes(BAD) ? answer() : undefined);
    else judge.answer = ({ records }) => (holds(records) ? answer() : undefined);
  };

  test.each(['e1', 'e13', 'e25', 'e40'])(
    'costs no other, as %s, and is rejected and reported',
    async (bad) => {
      const fake = browser();
      objectTo(fake);
      const page = fake.openWith(40, bad);

      await fake.time.pass(HOUR_MS);
      // Of the last of all it is known once another was taken.
      await page.tracker.track('e41');
      await fake.time.pass(HOUR_MS);

      expect(fake.arrivedNames().sort()).toEqual(
        names(1, 41)
          .filter((name) => name !== bad)
          .sort(),
      );
      expect(fake.rejected).toHaveLength(1);
      expect(await page.tracker.stats()).toMatchObject({
        tracked: 41,
        delivered: 40,
        rejected: 1,
        buffered: 0,
      });
    },
  );

  test('costs no other in the last request of a page, and the next page delivers them', async () => {
    const fake = browser();
    objectTo(fake);
    const page = fake.openWith(22, 'e7');
    page.hide();
    await quiet();
    await page.crash();

    const next = fake.open();
    await fake.time.pass(2 * HOUR_MS);

    expect(fake.arrivedNames().sort()).toEqual(
      names(1, 22)
        .filter((name) => name !== 'e7')
        .sort(),
    );
    expect(await next.tracker.stats()).toMatchObject({ delivered: 21, rejected: 1, buffered: 0 });
  });

  test('costs no other in a page that is hidden and comes back', async () => {
    const fake = browser();
    objectTo(fake);
    const page = fake.openWith(22, 'e7');
    page.hide();
    await quiet();
    page.show();
    await fake.time.pass(2 * HOUR_MS);

    expect(await page.tracker.stats()).toMatchObject({ delivered: 21, rejected: 1, buffered: 0 });
  });

  test('is kept while there is no other record to prove it at fault', async () => {
    const fake = browser();
    objectTo(fake);
    const page = fake.openWith(1, 'e1');

    await fake.time.pass(2 * HOUR_MS);
    const alone = [await page.tracker.stats(), fake.rejected.length];
    await page.tracker.track('e2');
    await fake.time.pass(2 * HOUR_MS);

    expect(alone).toMatchObject([{ buffered: 1, rejected: 0 }, 0]);
    expect(await page.tracker.stats()).toMatchObject({ buffered: 0, rejected: 1, delivered: 1 });
  });
});

test('three records that a firewall blocks cost no other', async () => {
  const fake = browser();
  fake.onTheWay.answer = (body) => (body.includes(BAD) ? page403() : undefined);
  const page = fake.openWith(40, 'e2', 'e20', 'e39');

  await fake.time.pass(4 * HOUR_MS);

  expect(await page.tracker.stats()).toMatchObject({ delivered: 37, rejected: 3, buffered: 0 });
  expect(fake.rejected).toHaveLength(3);
});

describe('everything is kept, nothing is rejected, and it is reported', () => {
  test.each([
    ['a relay that is completely down', 'onTheWay', page503],
    ['a firewall that refuses everything', 'onTheWay', page403],
    ['a page that spoils every body', 'judge', () => refusal('invalid_batch', 400)],
    ['a protocol version that the relay does not know', 'judge', () => refusal('unsupported_version', 400)],
    ['an origin that is not allowed', 'judge', () => refusal('origin_not_allowed', 403)],
  ] as const)('with %s, for hours, and arrives afterwards', { timeout: 60_000 }, async (_, who, answer) => {
    const fake = browser();
    fake[who].answer = answer;
    const page = fake.openWith(40);
    const retrying: string[] = [];
    page.tracker.on('retrying', ({ reason }) => retrying.push(reason));

    await fake.time.pass(6 * HOUR_MS);
    const meanwhile = await page.tracker.stats();
    const asked = fake.requests.length;
    delete fake[who].answer;
    await fake.time.pass(3 * HOUR_MS);

    expect(meanwhile).toMatchObject({ tracked: 40, buffered: 40, rejected: 0 });
    expect(retrying.length).toBeGreaterThan(0);
    // A fifth of the allowance at most: it looks for a record at fault again and again.
    expect(asked).toBeLessThan((6 * 60 * 60) / 5);
    expect(fake.arrivedNames().sort()).toEqual(names(1, 40).sort());
    expect(fake.rejected).toEqual([]);
  });
});
