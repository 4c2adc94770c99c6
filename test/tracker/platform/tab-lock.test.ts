import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tabLock } from '../../../src/tracker/platform/tab-lock.ts';
import { fakeLocks } from '../../fakes/browser/locks.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { settled } from '../../fakes/settled.ts';

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
])('%s one task runs at a time, and a failed one stops no other', async (_, locks) => {
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

test('a failing task under a Web Lock fails once, and is not run again', async () => {
  let runs = 0;
  const locks = {
    request: (_: string, __: LockOptions, task: () => Promise<unknown>) => task(),
  } as unknown as LockManager;

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

describe('a lock of a tab that does not release it', () => {
  const { timeout } = AbortSignal;
  let time = fakeTime();

  beforeEach(() => {
    time = fakeTime();
    AbortSignal.timeout = (ms) => {
      const controller = new AbortController();
      time.timer(() => controller.abort(new DOMException('timed out', 'TimeoutError')), ms);
      return controller.signal;
    };
  });

  afterEach(() => {
    AbortSignal.timeout = timeout;
  });

  function tabs(count: number) {
    const locks = fakeLocks();
    return Array.from({ length: count }, () => {
      const tab = locks.tab();
      return { ...tab, exclusive: tabLock('flush', tab.locks) };
    });
  }

  test('is awaited for 30 s, and then its task and the next tab’s run side by side, each once', async () => {
    const [frozen, other] = tabs(2);
    const { open, opened } = gate();
    const order: string[] = [];
    const first = frozen?.exclusive(async () => {
      order.push('frozen begins');
      await opened;
      order.push('frozen ends');
    });
    await settled();
    const second = other?.exclusive(async () => void order.push('other'));

    await time.pass(29_999);
    const before = [...order];
    await time.pass(1);
    open();
    await Promise.all([first, second]);
    await time.pass(60_000);

    expect(before).toEqual(['frozen begins']);
    expect(order).toEqual(['frozen begins', 'other', 'frozen ends']);
  });

  test('ends with the tab that dies', async () => {
    const [dead, other] = tabs(2);
    void dead?.exclusive(() => new Promise(() => {}));
    let ran = false;
    void other?.exclusive(async () => {
      ran = true;
    });
    await settled();

    dead?.die();
    await settled();

    expect(ran).toBe(true);
  });

  test('is awaited in turn if that takes less', async () => {
    const [one, other] = tabs(2);
    const { open, opened } = gate();
    const order: string[] = [];
    const first = one?.exclusive(async () => {
      await opened;
      order.push('one');
    });
    const second = other?.exclusive(async () => void order.push('other'));
    await time.pass(20_000);
    open();
    await Promise.all([first, second]);
    await time.pass(60_000);

    expect(order).toEqual(['one', 'other']);
  });
});

test('in a browser without AbortSignal.timeout, one task runs at a time all the same', async () => {
  const { timeout } = AbortSignal;
  Object.assign(AbortSignal, { timeout: undefined });
  const order: string[] = [];
  const exclusive = tabLock('flush', fakeLocks().tab().locks);

  await Promise.all([1, 2].map((n) => exclusive(async () => void order.push(`${n}`))));
  AbortSignal.timeout = timeout;

  expect(order).toEqual(['1', '2']);
});
