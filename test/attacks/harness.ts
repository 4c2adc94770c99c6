import { runInDurableObject } from 'cloudflare:test';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Env } from '../../src/edge/worker.ts';
import { everythingIn, loggedLines } from '../edge/logs-and-storage.ts';
import { testRelay } from '../edge/requests.ts';
import { relayEnv } from '../fakes/outbox.ts';

/** A value for every secret, so that any piece of one is recognized wherever it appears. */
export const SECRETS = {
  WEBENGAGE_API_KEY: 'canary-primary-key-0123456789abcdefghij',
  WEBENGAGE_API_KEY_SECONDARY: 'canary-secondary-key-0123456789abcdefg',
  ADMIN_TOKEN: 'canary-operator-token-0123456789abcdef',
  SERVER_TOKEN: 'canary-server-token-0123456789abcdef-x',
  IDENTITY_KEY: 'canary-identity-secret-0123456789abcdef',
};

const OF_SECRETS = /canary|0123456789|test-key-that-must-not-leak|an-operator-token-of-enough/;

/** A request that means harm. What is left out is as a page of the shop would have it. */
export type Attack = {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ReadableStream;
  readonly env?: Partial<Env>;
};

export type Answered = { readonly status: number; readonly headers: Headers; readonly text: string };

/** The one outbox that a relay with default settings has. */
export const outbox = relayEnv.OUTBOX.getByName('1/0');

/**
 * Before each test: WebEngage listens, and takes down who calls it; so does whoever reads the log. Answers what they have heard.
 */
export function onGuard() {
  const calls: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
  let logged = () => '';
  beforeEach(() => {
    calls.length = 0;
    logged = loggedLines();
    vi.stubGlobal('fetch', async (call: Request) => {
      calls.push({ url: call.url, headers: call.headers, body: await call.text() });
      return Response.json({ response: { status: 'queued' } });
    });
  });
  afterEach(async () => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
  });
  return { calls, logged: () => logged() };
}

let sources = 0;

/** Makes the request, from an address that nobody had before; sees to it that no secret comes back. */
export async function attack({
  path = '/v1/batch',
  method = 'POST',
  headers,
  body,
  env,
}: Attack): Promise<Answered> {
  sources += 1;
  const from = `10.${(sources >> 16) & 255}.${(sources >> 8) & 255}.${sources & 255}`;
  const init = {
    method,
    headers: { 'Content-Type': 'text/plain;charset=UTF-8', 'CF-Connecting-IP': from, ...headers },
    ...(body !== undefined && { body }),
  };
  const answer = await testRelay(SECRETS).request(path, init, env);
  const text = new TextDecoder().decode(await answer.arrayBuffer());
  expect(`${answer.status} ${answer.statusText} ${JSON.stringify([...answer.headers])} ${text}`).not.toMatch(
    OF_SECRETS,
  );
  return { status: answer.status, headers: answer.headers, text };
}

/** Nothing leaves the relay, nothing new is kept, and the log holds no secret, whatever is done. */
export async function expectNoHarm(
  { calls, logged }: ReturnType<typeof onGuard>,
  act: () => Promise<unknown>,
  kept: () => Promise<string> = () => everythingIn(outbox),
): Promise<void> {
  const before = await kept();

  await act();

  expect(await kept()).toBe(before);
  expect(calls).toEqual([]);
  expect(logged()).not.toMatch(OF_SECRETS);
}

/** All that an outbox holds of records: but for how many it has counted. */
export function recordsKept(): Promise<string> {
  return runInDurableObject(outbox, (_, { storage }) => {
    const names = storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    const tables = [...names].filter(({ name }) =>
      /^(run_front|run_a|run_b|batch|dead|seen_\d+)$/.test(name),
    );
    return JSON.stringify(tables.flatMap(({ name }) => [...storage.sql.exec(`SELECT * FROM "${name}"`)]));
  });
}
