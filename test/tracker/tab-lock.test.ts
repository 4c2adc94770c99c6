import { expect, test } from 'vitest';
import { tabLock } from '../../src/tracker/tab-lock.ts';

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test.each([
  ['without Web Locks', () => undefined],
  [
    'where Web Locks are denied',
    () =>
      ({
        request: () => Promise.reject(new DOMException('denied', 'SecurityError')),
      }) as unknown as LockManager,
  ],
])('%s one task runs at a time, and a failed one stops nobody', async (_, locks) => {
  const exclusive = tabLock('flush', locks());
  const { open, opened } = gate();
  const order: string[] = [];

  const first = exclusive(async () => {
    order.push('first begins');
    await opened;
    order.push('first ends');
    throw new Error('failed');
  });
  const second = exclusive(async () => void order.push('second'));
  open();

  await expect(first).rejects.toThrow('failed');
  await second;
  expect(order).toEqual(['first begins', 'first ends', 'second']);
});

test('a task that fails under a Web Lock fails once, and is not run again', async () => {
  let runs = 0;
  const locks = { request: (_: string, task: () => Promise<unknown>) => task() } as unknown as LockManager;

  const failed = tabLock(
    'flush',
    locks,
  )(async () => {
    runs += 1;
    throw new Error('failed');
  });

  await expect(failed).rejects.toThrow('failed');
  expect(runs).toBe(1);
});
