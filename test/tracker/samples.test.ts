import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { identifyFields } from '../../src/contract/user.ts';
import { trackPageViews } from '../../src/page-views/page-views.ts';
import { segmentLike } from '../../src/segment/segment.ts';
import { resolveOptions } from '../../src/tracker/options.ts';
import { startTracker } from '../../src/tracker/tracker.ts';
import { fakePlatform } from '../fakes/platform.ts';
import type { Sample } from '../samples/markdown.ts';
import { sample } from '../samples/samples.ts';

const moving = await readFile('docs/guides/migrating.md', 'utf8');

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Runs a sample, and answers with the records it has sent, without what differs each time. */
async function records(sample: string): Promise<object[]> {
  const { platform, relay, reported } = fakePlatform();
  const tracker = startTracker(resolveOptions({ endpoint: 'https://t.example.com' }), platform);
  const given = {
    tracker,
    user: { id: 'johndoe', email: 'john@doe.com' },
    webengageRelay: tracker,
    analytics: segmentLike(tracker),
    trackPageViews: (...call: Parameters<typeof trackPageViews>) => ends.push(trackPageViews(...call)),
  };

  await new Function(...Object.keys(given), `return (async () => { ${sample} })()`)(...Object.values(given));
  await tracker.flush();

  expect(reported).toEqual([]);
  return relay.requests
    .flatMap(({ records }) => records)
    .map(({ id: _, ...record }) => ({
      ...record,
      ...(record.kind === 'user' ? { attributes: record.attributes ?? {} } : { eventTime: '' }),
      ...('anonymousId' in record && { anonymousId: '' }),
    }));
}

/** The rows of a document's tables whose first cell is a call of `what`, as code. */
function rowsOf(document: string, what: string): [string, string][] {
  return [...document.matchAll(/^\| `([^`]+)` \| (?:`([^`]+)`|.*) \|$/gm)]
    .map(([, call = '', here = '']): [string, string] => [call, here])
    .filter(([call]) => call.startsWith(what));
}

/** Code without its imports. */
const bare = ({ text }: Sample) => text.replace(/^import .*$/gm, '');

describe('docs/guides/migrating.md', () => {
  const segment = rowsOf(moving, 'analytics.');
  const sdk = rowsOf(moving, 'webengage.').filter(([, here]) => here !== '');

  test('has rows to try', () => {
    expect([segment.length, sdk.length]).toEqual([7, 6]);
  });

  test.each(segment)('%s sends what the guide says', async (call, here) => {
    const sent = await records(`await ${here}; await tracker.track('After')`);

    expect(sent).toEqual(await records(`await ${call}; await tracker.track('After')`));
    expect(sent).toHaveLength(here.includes('reset') ? 1 : 2);
  });

  test.each(sdk)('in place of %s, %s is accepted unchanged', async (_, here) => {
    const sent = await records(`await ${here}; await tracker.track('After')`);

    expect(sent).toHaveLength(here.includes('reset') ? 1 : 2);
  });

  test('names existing fields', () => {
    const named = [...moving.matchAll(/`we_\w+` \| `(\w+)`/g)].map(([, field]) => field);

    expect(named).toHaveLength(12);
    expect(Object.keys(identifyFields)).toEqual(expect.arrayContaining(named));
  });
});

describe('docs/guides', () => {
  test('the middleware adds to a call and refuses one', async () => {
    const sent = await records(`${bare(sample('docs/guides/middleware.md js'))}
      await tracker.track('Bought', { Price: 1 }); await tracker.track('Page Scrolled');`);

    expect(sent).toMatchObject([{ eventName: 'Bought', eventData: { Price: 1, Store: 'Berlin' } }]);
    expect(sent).toHaveLength(1);
  });

  test('page views are tracked', async () => {
    const sent = await records(bare(sample('docs/guides/page-views.md ts')));

    expect(sent).toMatchObject([{ eventName: 'Page Viewed' }]);
  });
});

describe('docs/guides/getting-started.md', () => {
  test('identify, track and reset are called as described', async () => {
    const sent = await records(`${bare(sample('docs/guides/getting-started.md#what-to-call ts'))}
      await tracker.track('After')`);

    expect(sent).toMatchObject([
      { userId: 'johndoe', email: 'john@doe.com', attributes: { plan: 'Premium' } },
      { userId: 'johndoe', eventName: 'Added to Cart' },
      { anonymousId: '', eventName: 'After' },
    ]);
  });

  test('listeners get the outcomes of records', async () => {
    const logged = vi.spyOn(console, 'log').mockImplementation(() => {});

    await records(`${bare(sample('docs/guides/getting-started.md#seeing-it-arrive ts'))}
      await tracker.track('Seen')`);

    expect(logged.mock.calls).toEqual([[1, 'stored by the relay']]);
    logged.mockRestore();
  });
});
