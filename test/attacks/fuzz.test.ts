import { runInDurableObject } from 'cloudflare:test';
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { checkRecord } from '../../src/contract/record.ts';
import { loggedLines } from '../edge/logs-and-storage.ts';
import { testRelay } from '../edge/requests.ts';
import { storedRuns } from '../fakes/outbox.ts';
import { anyHeaders, changedBatch, type RandomRequest, rawBody } from './at-random.ts';
import { outbox, SECRETS } from './harness.ts';
import { faultsOf } from './stored-form.ts';

// FUZZ_RUNS and FUZZ_SEED, of `npm run test:attacks`. A run that fails says with which seed.
const RUNS = Number(import.meta.env.VITE_FUZZ_RUNS || 3_000);
const SEED = Number(import.meta.env.VITE_FUZZ_SEED || Date.now() % 1_000_000_000);

const { request: send } = testRelay(SECRETS);
const answered: Record<number, number> = {};
let accepted = 0;
let logged = () => '';

beforeAll(() => {
  logged = loggedLines();
  // All of this is one request to the runtime, and it takes no more than 10,000 timers for one. None is slow here.
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(new AbortController().signal);
  // WebEngage takes nothing, so that all that is stored can be looked at.
  vi.stubGlobal('fetch', async () => new Response('', { status: 503 }));
});

afterAll(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

/** One request, as it comes; undefined where no browser, server or test could make it. */
function made({ path = '/v1/batch', method = 'POST', headers, body }: RandomRequest, from: number) {
  try {
    const all = new Headers({ 'Content-Type': 'text/plain;charset=UTF-8' });
    for (const [name, value] of Object.entries(headers ?? {})) all.set(name, value);
    all.set('CF-Connecting-IP', `10.${(from >> 16) & 255}.${(from >> 8) & 255}.${from & 255}`);
    new Request(`http://127.0.0.1:8787${path}`, { method, headers: all });
    const text = Object.fromEntries(all);
    return { path, init: { method, headers: text, ...(body !== undefined && { body }) } };
  } catch {
    return undefined; // A header that HTTP has no words for.
  }
}

function recordsIn(body: RandomRequest['body']): number {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
  return JSON.parse(text).records.length;
}

let requests = 0;

async function holds(request: RandomRequest): Promise<void> {
  requests += 1;
  const sent = made(request, requests);
  if (sent === undefined) return;

  const answer = await send(sent.path, sent.init);
  const text = await answer.text();

  answered[answer.status] = (answered[answer.status] ?? 0) + 1;
  if (answer.status >= 500) throw new Error(`${answer.status} ${text}`);
  if (/canary|0123456789abc/.test(text + JSON.stringify([...answer.headers])))
    throw new Error(`a secret: ${text}`);
  if (answer.status !== 202) return;
  const counts = JSON.parse(text);
  accepted += counts.accepted;
  expect(counts.accepted + counts.duplicates + counts.rejected.length).toBe(recordsIn(request.body));
}

describe(`${RUNS} random requests from seed ${SEED}`, () => {
  const SHARES: readonly (readonly [string, Arbitrary<RandomRequest>, number])[] = [
    ['mutated valid batches', changedBatch, 0.4],
    ['bodies of random bytes', rawBody, 0.35],
    ['random headers, methods and paths', anyHeaders, 0.25],
  ];

  test.each(SHARES)(
    '%s: no 5xx, no exception, and every record sent is accounted for',
    async (_, requests, share) => {
      await fc.assert(fc.asyncProperty(requests, holds), { numRuns: Math.ceil(RUNS * share), seed: SEED });
    },
    Math.max(60_000, RUNS * 60),
  );

  test('exactly the accepted records are stored, and they follow WebEngage’s rules', async () => {
    const runs = await runInDurableObject(outbox, (_, { storage }) => storedRuns(storage.sql));

    const stored = runs.flatMap(({ kind, records }) => records.map((record) => ({ kind, record })));
    for (const { kind, record } of stored) {
      expect(faultsOf(kind, record), JSON.stringify(record)).toEqual([]);
      expect(checkRecord({ kind, ...record })).toMatchObject({ ok: true });
    }
    expect(stored).toHaveLength(accepted);
    for (const { device } of runs) expect(device).toMatch(/^[\da-f-]{36}$/);
  });

  test('each kind of answer occurred often enough, and no fault was logged', () => {
    expect(answered[202]).toBeGreaterThan(RUNS / 10);
    expect(answered[400]).toBeGreaterThan(RUNS / 20);
    expect(accepted).toBeGreaterThan(RUNS / 5);
    for (const status of [403, 404, 405, 415]) expect(answered[status]).toBeGreaterThan(RUNS / 1_000);
    expect(logged()).not.toMatch(/request_failed|relay_pass_failed|call_fault|canary/);
  });
});
