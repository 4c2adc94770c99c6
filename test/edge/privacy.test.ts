import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, expect, test, vi } from 'vitest';
import { relayEnv } from '../fakes/outbox.ts';
import { eventRecord, idOf, userRecord } from '../fakes/records.ts';
import { everythingIn, loggedLines } from './logs-and-storage.ts';
import { batchOf, newSession, SHOP, testRelay } from './requests.ts';

const outbox = relayEnv.OUTBOX.getByName('1/0');

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await runInDurableObject(outbox, (_, { storage }) => storage.deleteAlarm());
});

// What tells of a visitor, what a proxy adds, and what would be an order to WebEngage if it were passed on.
const HEADERS = {
  Accept: 'canary/accept',
  'Accept-Language': 'canary-language',
  Authorization: 'Bearer canary-authorization',
  'CF-Connecting-IP': '203.0.113.77',
  'CF-IPCountry': 'canary-country',
  'CF-Ray': 'canary-ray',
  Connection: 'canary-connection',
  Cookie: 'session=canary-cookie',
  DNT: 'canary-dnt',
  Forwarded: 'for=203.0.113.77',
  From: 'canary-from@example.com',
  Host: 'canary-host.example.com',
  'If-None-Match': 'canary-etag',
  Origin: SHOP,
  'Proxy-Authorization': 'Basic canary-proxy',
  Referer: `${SHOP}/canary-page?email=canary@example.com`,
  'Sec-CH-UA': 'canary-ua-hint',
  'Sec-GPC': 'canary-gpc',
  TE: 'canary-te',
  'True-Client-IP': '203.0.113.77',
  traceparent: '00-canary-trace-01',
  Upgrade: 'canary-upgrade',
  'User-Agent': 'canary-agent',
  Via: 'canary-via',
  'X-API-Key': 'canary-api-key',
  'X-Forwarded-For': '203.0.113.77',
  'X-Forwarded-Host': 'canary-forwarded.example.com',
  'X-HTTP-Method-Override': 'canary-method',
  'X-Real-IP': '203.0.113.77',
  'x-request-id': 'canary-request-id',
};

const OF_HEADERS = /canary|203\.0\.113\.77/i;

test('no header of a visitor’s request is stored, logged or forwarded, and WebEngage gets only ours', async () => {
  const logged = loggedLines();
  const calls: { readonly names: readonly string[]; readonly all: string }[] = [];
  vi.stubGlobal('fetch', async (call: Request) => {
    const all = JSON.stringify([call.url, ...call.headers, await call.text()]);
    calls.push({ names: [...call.headers.keys()].sort(), all });
    // One of each kind of answer, so that what is kept for later is looked at too.
    return calls.length % 2
      ? Response.json({ response: { message: 'no' } }, { status: 400 })
      : new Response('', { status: 200 });
  });
  const session = newSession();
  const sent = batchOf(
    userRecord(1, { id: idOf(1, session) }),
    eventRecord(2, { id: idOf(2, session) }),
    eventRecord(3, { id: idOf(3, session), eventName: 'Not to its liking' }),
  );

  expect((await testRelay().post(sent, HEADERS)).status).toBe(202);
  const asStored = await everythingIn(outbox);
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(outbox);
      expect(await outbox.status()).toMatchObject({ records: 0 });
    },
    { timeout: 20_000 },
  );

  expect(asStored).toContain('Not to its liking');
  expect(asStored).toContain(sent.device);
  for (const kept of [
    asStored,
    await everythingIn(outbox),
    await everythingIn(relayEnv.RATE_GATE.getByName('account')),
  ])
    expect(kept).not.toMatch(OF_HEADERS);

  expect(calls.length).toBeGreaterThan(1);
  for (const { names, all } of calls) {
    expect(names).toEqual(['authorization', 'content-type', 'x-request-id']);
    expect(all).not.toMatch(OF_HEADERS);
  }

  // Nor is anything in the log by which a visitor could be known.
  expect(logged()).toContain('relay_pass');
  expect(logged()).not.toMatch(OF_HEADERS);
  for (const own of [sent.device, session, 'johndoe', 'john@doe.com', 'Not to its liking'])
    expect(logged()).not.toContain(own);
}, 60_000);
