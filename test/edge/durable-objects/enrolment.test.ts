import { expect, test } from 'vitest';
import { enrolment } from '../../../src/edge/durable-objects/enrolment.ts';

/** An enrolment whose gate answers when the test says so, and what has happened so far. */
function enrolling() {
  const requests: PromiseWithResolvers<void>[] = [];
  const kv = new Map<string, unknown>();
  const { ensure, end } = enrolment(
    () => {
      const request = Promise.withResolvers<void>();
      requests.push(request);
      return request.promise.then(() => false);
    },
    {
      put: (key: string, value: unknown) => void kv.set(key, value),
      delete: (key: string) => kv.delete(key),
    } as SyncKvStorage,
  );
  const continued: string[] = [];
  const call = (caller: string) =>
    ensure('1/0').then(
      () => void continued.push(caller),
      (error: Error) => void continued.push(`${caller}: ${error.message}`),
    );
  return { requests, kv, end, continued, call };
}

test('callers that wait for the first enrolment share one request, and continue in their order', async () => {
  const { requests, kv, continued, call } = enrolling();
  const calls = ['first', 'second', 'third'].map(call);
  expect(requests).toHaveLength(1);

  requests[0]?.resolve();
  await Promise.all(calls);
  await call('later');

  expect(continued).toEqual(['first', 'second', 'third', 'later']);
  expect(requests).toHaveLength(1);
  expect(kv.get('name')).toBe('1/0');
});

test('a failed enrolment fails the callers that waited for it, and the next one asks again', async () => {
  const { requests, kv, continued, call } = enrolling();
  const calls = ['first', 'second'].map(call);
  requests[0]?.reject(new Error('the gate is overloaded'));
  await Promise.all(calls);
  expect(kv.has('name')).toBe(false);

  const next = call('third');
  requests[1]?.resolve();
  await next;

  expect(continued).toEqual(['first: the gate is overloaded', 'second: the gate is overloaded', 'third']);
});

test('an outbox that was dropped from the list enrols again', async () => {
  const { requests, kv, end, call } = enrolling();
  const first = call('first');
  requests[0]?.resolve();
  await first;

  end();
  expect(kv.has('name')).toBe(false);
  const second = call('second');
  requests[1]?.resolve();
  await second;

  expect(requests).toHaveLength(2);
  expect(kv.get('name')).toBe('1/0');
});
