import { readdir, readFile } from 'node:fs/promises';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { SHORT_NAMES } from '../short-names.mjs';

const MODULES = 'dist/modules';

/** Where the names are declared that leave the page, outlive it, or are the page's own. */
const KEPT = [
  'tracker/options.d.ts',
  'tracker/index.d.ts',
  'tracker/page/events.d.ts',
  'tracker/engine/middleware.d.ts',
  'tracker/record/call.d.ts',
  'tracker/record/capture.d.ts',
  'tracker/record/outcome.d.ts',
  'tracker/record/profile.d.ts',
  'tracker/record/visitor.d.ts',
  'tracker/delivery/send-rate.d.ts',
  'tracker/store/stats.d.ts',
];

/** The properties and methods that a declaration names. */
async function namesIn(file: string): Promise<readonly string[]> {
  const text = await readFile(`${MODULES}/${file}`, 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*/g, '');
  return [...code.matchAll(/(?:^\s*|readonly )(\w+)\??[:(<]/gm)].map(([, name = '']) => name);
}

// Declared beside them, and in memory alone.
const IN_MEMORY = new Set([
  'afterMs',
  'emit',
  'forMs',
  'seq',
  'session',
  'suspects',
  'oldestAt',
  'baseMs',
  'capMs',
]);

test('no name that leaves the page or outlives it is shortened', async () => {
  const contract = (await readdir(`${MODULES}/contract`, { recursive: true })).filter((name) =>
    name.endsWith('.d.ts'),
  );
  const files = [...KEPT, ...contract.map((name) => `contract/${name}`)];
  const kept = new Set((await Promise.all(files.map(namesIn))).flat());

  expect(kept.size).toBeGreaterThan(100);
  expect(SHORT_NAMES.filter((name) => kept.has(name) && !IN_MEMORY.has(name))).toEqual([]);
});

test('the script stores, sends and reports under the names of its contract', async () => {
  const kept = new Map<string, string>();
  const sent: Record<string, unknown>[] = [];
  class HTMLScriptElement {
    readonly src = 'https://t.example.com/tracker.js';
    readonly dataset = { batchSize: '2' };
  }
  const context = createContext({
    HTMLScriptElement,
    AbortController,
    AbortSignal,
    URL,
    console,
    crypto,
    performance,
    queueMicrotask,
    setTimeout,
    clearTimeout,
    document: {
      URL: 'https://shop.example.com/',
      currentScript: new HTMLScriptElement(),
    },
    localStorage: {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    },
    fetch: async (_: string, { body }: { readonly body: string }) => {
      const batch = JSON.parse(body);
      sent.push(batch);
      const answer = {
        response: { status: 'queued' },
        accepted: 2,
        duplicates: 0,
        rejected: [],
        now: Date.now(),
      };
      return Response.json(answer, { status: 202 });
    },
  });
  runInContext(await readFile('dist/tracker.js', 'utf8'), context);
  const tracker = context.webengageRelay;
  const delivered: unknown[] = [];
  tracker.on('delivered', (payload: unknown) => delivered.push(payload));

  await tracker.identify('ada', { email: 'ada@example.com' });
  await tracker.track('Bought', { Price: 1 });
  expect(await tracker.flush()).toEqual({ settled: true });

  expect(sent).toMatchObject([
    {
      v: 1,
      lenient: true,
      device: expect.any(String),
      sentAt: expect.any(String),
      records: [
        {
          kind: 'user',
          userId: 'ada',
          email: 'ada@example.com',
          id: expect.any(String),
          age: expect.any(Number),
        },
        {
          kind: 'event',
          userId: 'ada',
          eventName: 'Bought',
          eventData: { Price: 1 },
          eventTime: expect.any(String),
        },
      ],
    },
  ]);
  expect(delivered).toEqual([{ ids: [expect.any(String), expect.any(String)], duplicates: 0 }]);
  expect(await tracker.stats()).toMatchObject({ tracked: 2, buffered: 0, delivered: 2, rejected: 0 });
  const [hint = ''] = kept.values();
  expect(Object.keys(JSON.parse(hint)).sort()).toEqual([
    'anonymousId',
    'changes',
    'choices',
    'device',
    'userId',
  ]);
});
