import { expect, test, vi } from 'vitest';
import { groupCommit } from '../../../src/edge/durable-objects/group-commit.ts';
import { delivery, newOutbox } from '../../fakes/outbox.ts';
import { eventRecord } from '../../fakes/records.ts';

/** Groups of 5 ms on a clock that the test moves; `continued` lists who continued when, and with which result. */
function turns(prepare: (group: number) => Promise<unknown> = async (group) => group) {
  const wakes: (() => void)[] = [];
  const continued: string[] = [];
  let now = 1_000;
  let prepared = 0;
  const clock = {
    now: () => now,
    sleep: (ms: number) =>
      new Promise<void>((resolve) => {
        const at = now + ms;
        wakes.push(() => {
          now = Math.max(now, at);
          resolve();
        });
      }),
  };
  const turn = groupCommit(5, clock, () => {
    prepared += 1;
    return prepare(prepared);
  });
  const join = (name: string) =>
    turn().then(
      (given) => void continued.push(`${name} at ${now} with ${given}`),
      (error) => void continued.push(`${name}: ${error.message}`),
    );
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return {
    continued,
    join,
    settle,
    pass: (ms: number) => {
      now += ms;
    },
    wake: () => wakes.shift()?.(),
    sleeping: () => wakes.length,
  };
}

test('a caller after a pause continues at once', async () => {
  const { join, settle, continued, pass } = turns();
  void join('one');
  await settle();
  pass(5);
  void join('other');
  await settle();

  expect(continued).toEqual(['one at 1000 with 1', 'other at 1005 with 2']);
});

test('callers within 5 ms of the last group continue together, in order, with one shared result', async () => {
  const { join, settle, continued, pass, wake, sleeping } = turns();
  void join('first');
  await settle();
  pass(1);
  void join('a');
  await settle();
  pass(1);
  void join('b');
  void join('c');
  await settle();
  expect(continued).toEqual(['first at 1000 with 1']);
  expect(sleeping()).toBe(1);

  wake();
  await settle();
  expect(continued.slice(1)).toEqual(['a at 1005 with 2', 'b at 1005 with 2', 'c at 1005 with 2']);
});

test('no caller waits longer than 5 ms after the clock was set back', async () => {
  const { join, settle, continued, pass, wake } = turns();
  void join('first');
  await settle();
  pass(-900);
  void join('a');
  await settle();
  wake();
  await settle();

  expect(continued).toEqual(['first at 1000 with 1', 'a at 105 with 2']);
});

test('a failed preparation fails its own group only', async () => {
  let fails = true;
  const { join, settle, continued, pass } = turns(async () => {
    if (fails) throw new Error('no alarm to be had');
    return 'an alarm';
  });
  void join('a');
  void join('b');
  await settle();
  fails = false;
  pass(5);
  void join('c');
  await settle();

  expect(continued).toEqual(['a: no alarm to be had', 'b: no alarm to be had', 'c at 1005 with an alarm']);
});

test('a timer that fails ends its own group only', async () => {
  const sleep = vi.fn(async () => {}).mockRejectedValueOnce(new Error('no timer'));
  const join = groupCommit(5, { now: () => 1_000, sleep }, async () => 1);
  await join();

  await expect(join()).rejects.toThrow('no timer');
  await expect(join()).resolves.toBe(1);
});

test('an outbox answers each delivery of a group with its own receipt', async () => {
  const stub = newOutbox();
  const devices = Array.from({ length: 20 }, (_, n) => `device ${n % 10}`);
  const receipts = await Promise.all(
    devices.map((device) => stub.ingest('1/0', delivery(device, eventRecord(1), eventRecord(2)))),
  );

  const accepted = receipts.map((receipt) => receipt.stored && receipt.accepted);
  expect(accepted).toEqual(devices.map((_, n) => (n < 10 ? 2 : 0)));
  expect((await stub.status()).records).toBe(20);
});
