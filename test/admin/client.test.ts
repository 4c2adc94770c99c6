import { afterEach, expect, test, vi } from 'vitest';
import { createClient } from '../../src/admin/client.ts';

afterEach(() => vi.unstubAllGlobals());

/** Answers every request alike, and remembers what was asked. */
function answering(answer: () => Response | Promise<Response>) {
  const asked: { readonly path: string; readonly init: RequestInit }[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    asked.push({ path, init });
    return answer();
  });
  return asked;
}

test('every request carries the token, and no cookie', async () => {
  const asked = answering(() => Response.json({ deadLetters: [], next: null }));

  await createClient('secret').deadLetters('4/2:17 &');

  expect(asked[0]?.path).toBe('/admin/dead-letters?limit=50&after=4%2F2%3A17+%26');
  expect(asked[0]?.init).toMatchObject({
    headers: { Authorization: 'Bearer secret' },
    credentials: 'omit',
    cache: 'no-store',
  });
});

test('an action returns the number of dead letters it affected', async () => {
  const asked = answering(() => Response.json({ replayed: 2 }));

  expect(await createClient('secret').settle('replay', { ids: ['a', 'b'] })).toEqual({ kind: 'ok', body: 2 });
  expect(asked[0]?.path).toBe('/admin/dead-letters/replay');
  expect(asked[0]?.init.body).toBe('{"ids":["a","b"]}');
});

test('more ids than the relay accepts at once go in several requests', async () => {
  const asked = answering(() => Response.json({ discarded: 400 }));

  const outcome = await createClient('secret').settle('discard', {
    ids: Array.from({ length: 501 }, (_, index) => `1/0:${index + 1}`),
  });

  expect(outcome).toEqual({ kind: 'ok', body: 800 });
  expect(asked.map(({ init }) => JSON.parse(String(init.body)).ids.length)).toEqual([500, 1]);
});

test('a 404 means that the token is wrong', async () => {
  answering(() => Response.json({ error: { code: 'not_found', message: '' } }, { status: 404 }));

  expect(await createClient('wrong').status()).toEqual({ kind: 'unauthorized' });
});

test.each([
  [() => Response.json({ error: { message: 'set X' } }, { status: 503 }), 'The relay answers 503: set X.'],
  [() => new Response('<h1>Bad gateway</h1>', { status: 502 }), 'The relay answers 502.'],
  [
    () => new Response('<h1>Sign in</h1>'),
    'Something other than the relay answered: the answer is not JSON.',
  ],
  [() => Promise.reject(new TypeError('Failed to fetch')), expect.stringContaining('can’t be reached')],
])('a failure is reported in a sentence: %#', async (answer, reason) => {
  answering(answer);

  expect(await createClient('secret').status()).toEqual({ kind: 'failed', reason });
});
