import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import {
  deadLettersOf,
  delivery,
  ingestAt,
  newOutbox,
  passAt,
  relayEnv,
  rulingUpstream,
  sentIds,
} from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
// Written by the code of commit 068944b, the last before the second edition: records that wait, a batch that was answered 503, a
// dead letter, ids of three browsers, and a gate that has granted a call.
import state from '../fixtures/state-of-068944b.json';

const LATER = Date.parse('2026-11-23T12:10:00Z');

type Row = Readonly<Record<string, string | number | null>>;
type Tables = Readonly<Record<string, { readonly made: string; readonly rows: readonly Row[] }>>;

/** An outbox that an older release has left. */
async function oldOutbox(): Promise<DurableObjectStub<Outbox>> {
  const stub = newOutbox();
  await runInDurableObject(stub, (_, { storage: { sql, kv } }) => {
    const made = sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '[_s]*_*'",
    );
    for (const { name } of made.toArray()) sql.exec(`DROP TABLE ${name}`);
    kv.delete('schemaVersion');
    for (const [name, value] of state.outbox.kv as [string, unknown][]) kv.put(name, value);
    for (const [name, { made: make, rows }] of Object.entries(state.outbox.tables as Tables)) {
      sql.exec(make);
      for (const row of rows)
        sql.exec(
          `INSERT INTO ${name} (${Object.keys(row).join()}) VALUES (${Object.keys(row).map(() => '?')})`,
          ...Object.values(row),
        );
    }
  });
  await evictDurableObject(stub);
  return stub;
}

test('records of an older release are delivered, in order, and their ids are known', async () => {
  const stub = await oldOutbox();
  const upstream = rulingUpstream(() => 200);

  for (let pass = 0; pass < 4; pass++) await passAt(stub, upstream, LATER + pass * 5_000);

  const sent = upstream.calls.flatMap(({ kind, records }) =>
    records.map(({ id }) => `${kind} ${id.split('.')[1]}`),
  );
  // Of one browser two events before its user; of the other an event, its user, and an event.
  expect(sent.toSorted()).toEqual(['event 1', 'event 1', 'event 2', 'event 3', 'user 2', 'user 3']);
  expect(sent.indexOf('user 3')).toBeGreaterThan(sent.indexOf('event 2'));
  expect(sent.indexOf('event 3')).toBeGreaterThan(sent.indexOf('user 2'));
  expect(await stub.status()).toMatchObject({ records: 0, deadLetters: 1 });
  // The batch that was sealed goes under the id that it had.
  expect(upstream.calls.map(({ requestId }) => requestId)).toContain(
    (state.outbox.tables as Tables).batch?.rows[0]?.request_id,
  );
  expect(await ingestAt(stub, delivery('device-c', eventRecord(1)), LATER)).toMatchObject({ duplicates: 1 });
});

test('its dead letters are shown and replayed', async () => {
  const stub = await oldOutbox();
  const [deadLetter] = await deadLettersOf(stub);

  expect(JSON.parse(deadLetter?.record ?? '')).toMatchObject({ id: idOf(2), eventName: 'Poison' });
  expect(await stub.replay({ until: LATER }, 10)).toBe(1);
  const upstream = rulingUpstream(() => 200);
  for (let pass = 0; pass < 4; pass++) await passAt(stub, upstream, LATER + pass * 5_000);

  expect(sentIds(upstream).flat()).toHaveLength(7);
});

test('its tables get what this release needs, and new records of every lane are sent beside its own', async () => {
  const stub = await oldOutbox();
  for (const lane of ['import', 'server'] as const)
    await ingestAt(stub, { ...delivery(lane, eventRecord(1)), lane }, LATER);
  const upstream = rulingUpstream(() => 200);

  const before = await stub.status();
  for (let pass = 0; pass < 4; pass++) await passAt(stub, upstream, LATER + pass * 5_000);

  expect(before.lanes.map(({ records }) => records)).toEqual([before.records - 2, 1, 1]);
  expect(sentIds(upstream).flat()).toHaveLength(8);
  expect(await stub.status()).toMatchObject({ records: 0, deadLetters: 1 });
  await runInDurableObject(stub, (_, { storage: { sql, kv } }) => {
    expect(kv.get('schemaVersion')).toBe(4);
    expect(sql.exec('SELECT lane FROM dead').toArray()).toEqual([{ lane: 'live' }]);
  });
});

test('its gate state is read: the outboxes are known, and calls are granted', async () => {
  const gate = relayEnv.RATE_GATE.getByName(`old ${crypto.randomUUID()}`);
  await runInDurableObject(gate, (_, { storage: { kv } }) => {
    for (const [name, value] of state.gate as [string, unknown][]) kv.put(name, value);
  });
  await evictDurableObject(gate);

  expect(await gate.outboxes()).toEqual([{ name: '1/0', turn: 1 }]);
  expect(await gate.status()).toMatchObject({ suspension: null, maxCallBytes: null });
  expect(await gate.take({ isolating: false, seen: undefined })).toMatchObject({ granted: true });
});

test('its suspension and its last refusal streak are known by their older names', async () => {
  const gate = relayEnv.RATE_GATE.getByName(`old ${crypto.randomUUID()}`);
  const held = { since: LATER, status: 401, probeAt: LATER };
  const streak = { since: LATER - 60_000, until: LATER };
  await runInDurableObject(gate, (_, { storage: { kv } }) => kv.put('state', { held, lastWall: streak }));
  await evictDurableObject(gate);

  expect((await gate.status()).suspension).toEqual(held);
  expect(await gate.lastStreak()).toEqual(streak);
});
