import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRelay, type Env } from '../../../src/edge/worker.ts';
import { relayEnv } from '../../fakes/outbox.ts';
import { batchOf, SERVER_TOKEN, SHOP } from '../requests.ts';

const WRONG_TOKEN = 'a-server-token-of-wrong-characters';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A relay with a gate of its own, whose `fetch` gets no `ctx`. */
function relayWithoutContext() {
  const relay = createRelay();
  const gate = relayEnv.RATE_GATE.getByName(crypto.randomUUID());
  const RATE_GATE = { getByName: () => gate } as unknown as Env['RATE_GATE'];
  const env = { ...relayEnv, SERVER_TOKEN, RATE_GATE };
  async function post(headers: Readonly<Record<string, string>>, more: Partial<Env> = {}) {
    const body = JSON.stringify(batchOf());
    const call = new Request('http://127.0.0.1:8787/v1/batch', { method: 'POST', body, headers });
    return (await relay.fetch(call, { ...env, ...more })).status;
  }
  return { post, gate };
}

const asServer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('a wrong token of a server', () => {
  test.each([
    ['SERVER_TOKEN', { SERVER_TOKEN }],
    ['SERVER_TOKENS', { SERVER_TOKEN: '', SERVER_TOKENS: `orders=${SERVER_TOKEN}` }],
  ])('is logged and counted for the alert, where %s is set', async (_, settings) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { post, gate } = relayWithoutContext();

    expect(await post(asServer(WRONG_TOKEN), settings)).toBe(401);

    expect(warned.mock.calls).toEqual([['{"event":"tokens_refused","server_token":1}']]);
    await vi.waitFor(async () =>
      expect(await gate.counts('tokens_refused')).toMatchObject({ lastHour: { server_token: 1 } }),
    );
  });

  test('is not what a page or a right token is counted as', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { post } = relayWithoutContext();

    expect(await post(asServer(SERVER_TOKEN))).toBe(202);
    expect(await post({ Origin: 'https://evil.example', ...asServer(WRONG_TOKEN) })).toBe(403);
    expect(await post({})).toBe(403);

    expect(warned).not.toHaveBeenCalled();
  });
});

describe('a relay whose fetch gets no ctx', () => {
  test('counts a bot', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {});
    const { post, gate } = relayWithoutContext();

    expect(await post({ Origin: SHOP, 'User-Agent': 'Googlebot/2.1' })).toBe(202);

    await vi.waitFor(async () =>
      expect(await gate.counts('bots')).toMatchObject({ total: { user_agent: 1 } }),
    );
  });

  test('observes a refused batch', async () => {
    const { post, gate } = relayWithoutContext();

    expect(await post({ Origin: 'https://evil.example' })).toBe(403);

    await vi.waitFor(async () =>
      expect((await gate.metrics('a scrape')).observed.refused).toEqual({ origin_not_allowed: 1 }),
    );
  });
});
