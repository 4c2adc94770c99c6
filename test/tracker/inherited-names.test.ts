import { expect, test } from 'vitest';
import { fakeBrowser, quiet } from '../fakes/browser/browser.ts';
import { scriptedRelay } from '../fakes/platform.ts';

// What the tracker reads in places where it may be absent. A page can have put any of it on every object.
const NAMES = [
  ...[
    'reason',
    'forMs',
    'oldestAt',
    'expired',
    'rate',
    'asksTime',
    'pause',
    'suspects',
    'message',
    'afterMs',
  ],
  ...[
    'rejected',
    'repaired',
    'duplicates',
    'outcome',
    'tokens',
    'begun',
    'gathered',
    'flushing',
    'isAskedAgain',
  ],
  ...[
    'chosen',
    'seen',
    'ids',
    'spilled',
    'isConfirmed',
    'hasHint',
    'isDegraded',
    'at',
    'device',
    'key',
    'userId',
  ],
  ...[
    'choices',
    'reported',
    'clockOffset',
    'tracked',
    'delivered',
    'engine',
    'sendable',
    'check',
    'asksConsent',
  ],
];

function take(names: readonly string[], value: unknown): void {
  // Not enumerable, for the sake of the tests' own tools.
  for (const name of names)
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
}

const offline = () => new TypeError('Failed to fetch');

test.each([
  ['a function', () => 'inherited'],
  ['true', true],
  ['a number', 7],
])('names that a page has put on every object as %s change nothing', async (_, value) => {
  const { open, relay, time, sent, spillKeys } = fakeBrowser({ relay: scriptedRelay(offline) });
  take(NAMES, value);
  try {
    const first = open();
    await first.tracker.identify('ada', { email: 'ada@example.com' });
    await first.tracker.track('e1');
    first.hide();
    await first.crash();
    const page = open();
    await page.tracker.identify('ada', { email: 'ada@example.com' });
    await page.tracker.track('e2');
    await time.pass(60_000);
    void page.tracker.track('e3');
    page.hide();
    await time.pass(60_000);
    await quiet();

    expect(new Set(sent().flat())).toEqual(new Set(['identify ada', 'e1', 'e2', 'e3']));
    expect(relay.requests.flatMap(({ records }) => records).every(({ userId }) => userId === 'ada')).toBe(
      true,
    );
    expect({ ...(await page.tracker.stats()) }).toMatchObject({ tracked: 4, buffered: 0, delivered: 4 });
    expect(spillKeys()).toEqual([]);
    expect(page.reported).toEqual([]);
  } finally {
    for (const name of NAMES) Reflect.deleteProperty(Object.prototype, name);
  }
});
