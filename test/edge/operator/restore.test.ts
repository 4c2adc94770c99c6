import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from 'cloudflare:test';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Env } from '../../../src/edge/durable-objects/env.ts';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';
import { gateOf } from '../../../src/edge/durable-objects/rate-gate.ts';
import { createRelay } from '../../../src/edge/worker.ts';
import { delivery, passAt, relayEnv, scriptedUpstream, sentIds } from '../../fakes/outbox.ts';
import { eventRecord, idOf } from '../../fakes/records.ts';
import { playedHistory } from '../restore/played-history.ts';

const relay = createRelay();
const ASK = { isolating: false, seen: undefined };
let env: Env;
let outbox: string;
let stub: DurableObjectStub<Outbox>;
let made = 0;

/** An outbox of this test alone. The gate is the file's. */
beforeEach(() => {
  outbox = `20/${made}`;
  made += 1;
  const run = crypto.randomUUID();
  env = {
    ...relayEnv,
    OUTBOX_SHARDS: '20',
    OUTBOX: { getByName: (name: string) => relayEnv.OUTBOX.getByName(`${run} ${name}`) } as Env['OUTBOX'],
  };
  stub = env.OUTBOX.getByName(outbox);
});

async function post(path: string, body: unknown, token = relayEnv.ADMIN_TOKEN) {
  const call = new Request(`http://127.0.0.1:8787/admin${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { Authorization: `Bearer ${token}` },
  });
  const response = await relay.fetch(call, env, createExecutionContext());
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const records = (...seqs: number[]) => delivery('a', ...seqs.map((seq) => eventRecord(seq)));

/** Stores records as a flush does. No alarm is left to send them. */
async function store(...seqs: number[]) {
  const receipt = await stub.ingest(outbox, records(...seqs));
  await runInDurableObject(stub, (_, { storage }) => storage.deleteAlarm());
  return receipt;
}

const restore = (at: string, dryRun = false) => post('/restore', { outbox, at, dryRun });

/** Records 1 to 3 are in a batch that got no clear answer, and 4 has just come. Returns this moment. Then all are sent. */
async function sentAfterMoment(history: ReturnType<typeof playedHistory>) {
  await store(1, 2, 3);
  const upstream = scriptedUpstream(503);
  await passAt(stub, upstream, Date.now() + 2_000);
  await store(4);
  const at = await history.keep();
  await passAt(stub, upstream, Date.now() + 120_000);
  await passAt(stub, upstream, Date.now() + 130_000);
  await history.play();
  return { at, upstream };
}

describe('a restore', () => {
  test('says first what it costs at most, and changes nothing', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await store(5, 6);
    const before = await stub.status();

    const { status, body } = await restore(at, true);

    expect(status).toBe(200);
    expect(body).toEqual({ outbox, at, onHold: false, lostAtMost: 2, sentTwiceAtMost: 4 });
    expect((await stub.status()).totals).toEqual(before.totals);
    expect(await store(7)).toMatchObject({ stored: true });
  });

  test('sends sealed batches again under their request id and others under new ones, and heals on retries', async () => {
    const history = playedHistory(stub);
    const { at, upstream } = await sentAfterMoment(history);
    await store(5, 6);

    const { body } = await restore(at);
    expect(body).toMatchObject({
      onHold: true,
      records: 4,
      lostAtMost: 2,
      sentTwiceAtMost: 4,
      underSameIdAtMost: 3,
      forgotten: 2,
      isNew: false,
      undoBookmark: expect.stringContaining('undo'),
    });
    await history.restart();
    expect((await post('/restore/resume', { outbox })).status).toBe(200);

    const again = scriptedUpstream();
    await passAt(stub, again, Date.now() + 300_000);
    expect(sentIds(again)).toEqual([[1, 2, 3].map((seq) => idOf(seq)), [idOf(4)]]);
    const [first] = upstream.calls;
    expect(again.calls[0]?.requestId).toBe(first?.requestId);
    expect(upstream.calls.map(({ requestId }) => requestId)).not.toContain(again.calls[1]?.requestId);
    expect(await store(4, 5)).toMatchObject({ stored: true, accepted: 1, duplicates: 1 });
  });

  test('leaves the outbox on hold: it takes nothing and gets no permit, and others go on', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await restore(at);
    await history.restart();

    expect(await store(9)).toEqual({ stored: false });
    const gate = gateOf(env);
    expect(await gate.take(ASK, outbox)).toMatchObject({ granted: false });
    expect(await gate.take(ASK, '20/19')).toMatchObject({ granted: true });

    expect((await gate.status()).onHold).toContain(outbox);

    // An eviction meanwhile changes nothing.
    await evictDurableObject(stub);
    expect(await store(9)).toEqual({ stored: false });
    expect((await restore(at, true)).body).toMatchObject({ onHold: true, sentTwiceAtMost: 4 });
    expect((await restore(at)).status).toBe(400);

    let calls = 0;
    vi.stubGlobal('fetch', async () => {
      calls += 1;
      return Response.json({ response: { status: 'queued' } });
    });
    const runAlarm = async () => {
      await runInDurableObject(stub, (_, { storage }) => {
        storage.sql.exec('UPDATE batch SET due_at = 0');
        return storage.setAlarm(Date.now() + 60_000);
      });
      await runDurableObjectAlarm(stub);
    };
    await runAlarm();
    expect(calls).toBe(0);

    await post('/restore/resume', { outbox });
    await runAlarm();
    vi.unstubAllGlobals();
    expect(calls).toBeGreaterThan(0);
    expect(await store(9)).toMatchObject({ stored: true });
    expect((await gate.status()).onHold).not.toContain(outbox);
  });

  test('can be undone while it is on hold, and nothing is lost or sent twice', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await store(5, 6);
    const before = await stub.status();
    await restore(at);
    await history.restart();

    expect((await post('/restore/undo', { outbox })).body).toEqual({ outbox, undone: true });
    await evictDurableObject(stub);

    expect((await stub.status()).totals).toEqual(before.totals);
    const upstream = scriptedUpstream();
    await passAt(stub, upstream, Date.now() + 300_000);
    expect(sentIds(upstream)).toEqual([[5, 6].map((seq) => idOf(seq))]);
    expect(await store(4, 5, 6)).toMatchObject({ stored: true, duplicates: 3 });
    expect((await post('/restore/undo', { outbox })).status).toBe(400);
  });

  test('does not trust counts from before an earlier restore', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await store(5, 6);
    await restore(at);
    await history.restart();
    await post('/restore/resume', { outbox });
    await store(7);

    expect((await restore(at, true)).body).toMatchObject({ lostAtMost: 5, sentTwiceAtMost: null });
    expect((await restore(at)).body).toMatchObject({ lostAtMost: 5, sentTwiceAtMost: 4, forgotten: null });
    await post('/restore/resume', { outbox });
  });

  test('waits for a call that has its permit but has not left', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await store(5);
    const steps: string[] = [];
    const permit = Promise.withResolvers<object>();
    const gate = {
      take: () => permit.promise,
      keepHold: async () => void steps.push('restored'),
      restoreOf: async () => ({ hold: { id: 'this' } }),
      endRest: async () => {},
    };

    await runInDurableObject(stub, async (running, { storage }) => {
      storage.sql.exec('UPDATE run_a SET at = 0');
      Object.assign(running, { env: { ...env, RATE_GATE: { getByName: () => gate } } });
      const passing = running.alarm();
      const restoring = running
        .restore(outbox, { at: Date.parse(at) }, { id: 'this', hold: 'this' })
        .catch(() => {});
      await scheduler.wait(600);
      steps.push('refused');
      permit.resolve({ granted: false, retryInMs: 30_000, isolatingOnly: false, importsOnly: false });
      await passing;
      await restoring;
    });
    await history.restart();

    expect(steps.slice(0, 2)).toEqual(['refused', 'restored']);
  });

  test('lists an outbox again that was forgotten as empty', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await gateOf(env).retire(await gateOf(env).outboxes());

    await restore(at);

    expect((await gateOf(env).outboxes()).map(({ name }) => name)).toContain(outbox);
    await post('/restore/resume', { outbox });
  });

  test('is logged with its bookmark, without a record or an id', async () => {
    const lines: string[] = [];
    const spies = (['log', 'warn', 'error'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation((line) => void lines.push(String(line))),
    );
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    await restore(at);
    await gateOf(env).beginWatch();
    await post('/restore/resume', { outbox });
    for (const spy of spies) spy.mockRestore();

    const logged = lines.join('\n');
    expect(logged).toContain('"event":"restoring"');
    expect(logged).toContain('"undoBookmark":"undo-1"');
    expect(logged).toContain(`"step":"restored","to":"${at}"`);
    expect(logged).toContain('"step":"resumed"');
    expect(logged).toContain(`{"event":"on_hold","outbox":"${outbox}"}`);
    for (const seq of [1, 2, 3, 4]) expect(logged).not.toContain(idOf(seq));
  });
});

describe('nothing is restored', () => {
  test('by local workerd, which has no history, and the outbox goes on', async () => {
    await store(1);
    const at = new Date(Date.now() - 60_000).toISOString();

    for (const dryRun of [true, false]) {
      const { status, body } = await restore(at, dryRun);
      expect(status).toBe(503);
      expect(JSON.stringify(body)).toContain('the platform has no history');
    }
    expect(await store(2)).toMatchObject({ stored: true });
    expect(await gateOf(env).restoreOf(outbox)).toEqual({});
  });

  test('if the platform restarts the outbox as it was, which stays on hold until it is resumed', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    const before = await stub.status();
    // The platform's own restart.
    await runInDurableObject(stub, (_, ctx) => void Reflect.deleteProperty(ctx, 'abort'));

    expect((await restore(at)).status).toBe(503);
    // The restart has broken the stub.
    stub = env.OUTBOX.getByName(outbox);
    expect(await store(9)).toEqual({ stored: false });
    await post('/restore/resume', { outbox });

    expect((await stub.status()).totals).toEqual(before.totals);
    expect(await store(9)).toMatchObject({ stored: true });
  });

  test('if the operator ends the hold while a call is in flight', async () => {
    const history = playedHistory(stub);
    const { at } = await sentAfterMoment(history);
    const before = await stub.status();
    const change = (query: string) =>
      runInDurableObject(stub, (_, { storage }) => void storage.sql.exec(query));
    await change(
      "INSERT INTO batch (request_id, kind, members, due_at, launched) VALUES ('aa', 'event', '[]', 0, 1)",
    );

    const restoring = restore(at);
    while ((await gateOf(env).restoreOf(outbox)).hold === undefined) await scheduler.wait(1);
    await post('/restore/resume', { outbox });
    await change('DELETE FROM batch');

    const { status, body } = await restoring;
    expect(status).toBe(503);
    expect(JSON.stringify(body)).toContain('resumed before it could be restored');
    expect((await stub.status()).totals).toEqual(before.totals);
    expect(await store(9)).toMatchObject({ stored: true });
  });

  const ago = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000).toISOString();
  test.each([
    ['a moment in the future', () => ({ outbox, at: ago(-1), dryRun: false }), 'in the past'],
    ['a moment older than 30 days', () => ({ outbox, at: ago(31), dryRun: false }), 'the last 30 days'],
    [
      'a moment without a zone',
      () => ({ outbox, at: '2026-11-23T15:45:00', dryRun: false }),
      'the body must be',
    ],
    [
      'a date that does not exist',
      () => ({ outbox, at: '2026-13-41T15:45:00Z', dryRun: true }),
      'a date that exists',
    ],
    ['an unknown outbox', () => ({ outbox: '7/3', at: ago(1), dryRun: false }), 'outbox must be one of'],
    ['several outboxes', () => ({ outbox: ['20/0', '20/1'], at: ago(1), dryRun: false }), 'the body must be'],
    ['no word on a dry run', () => ({ outbox, at: ago(1) }), 'the body must be'],
  ])('for %s', async (_, body, words) => {
    const answer = await post('/restore', body());

    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(words);
  });

  test.each(['/restore', '/restore/undo', '/restore/resume'])('by %s for anyone else', async (path) => {
    const body = { outbox, at: ago(1), dryRun: false };
    expect((await post(path, body, 'a-token-that-is-not-the-operators-own')).status).toBe(404);
  });
});
