import { expect, test } from 'vitest';
import { leased } from '../../../src/tracker/store/lease.ts';
import { memoryStorage } from '../../../src/tracker/store/memory-store.ts';
import { fakeTime } from '../../fakes/platform.ts';
import { settled } from '../../fakes/settled.ts';

const DAY_MS = 86_400_000;
const never = () => new Promise<never>(() => {});

function browser() {
  const time = fakeTime();
  const state = memoryStorage();
  const page = (holder: string) => leased(state, holder, time);
  return { time, state, page };
}

test('two pages run one task at a time', async () => {
  const { time, page } = browser();
  const order: string[] = [];
  let end = () => {};
  void page('one')(async () => {
    order.push('one begins');
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    order.push('one ends');
  });
  void page('other')(async () => void order.push('other'));

  await time.pass(5_000);
  const meanwhile = [...order];
  end();
  await time.pass(500);

  expect(meanwhile).toEqual(['one begins']);
  expect(order).toEqual(['one begins', 'one ends', 'other']);
});

test('a lease is answered for with what the task answers', async () => {
  const { page } = browser();

  expect(await page('one')(async () => 42)).toBe(42);
});

test('a page that is killed keeps the others waiting for 30 s, and no longer', async () => {
  const { time, page } = browser();
  let ran = false;
  void page('dead')(never);
  await settled();
  void page('other')(async () => {
    ran = true;
  });

  await time.pass(29_500);
  const before = ran;
  await time.pass(1_000);

  expect([before, ran]).toEqual([false, true]);
});

test('a lease from before the clock was set back is over', async () => {
  const { time, page } = browser();
  void page('dead')(never);
  await settled();
  time.set(time.now() - DAY_MS);
  let ran = false;

  void page('other')(async () => {
    ran = true;
  });
  await settled();

  expect(ran).toBe(true);
});

test('a task that fails lets go at once, and its failure is the caller’s', async () => {
  const { page, state } = browser();

  const failed = page('one')(() => Promise.reject(new Error('failed')));

  await expect(failed).rejects.toThrow('failed');
  expect(await state.get('lease')).toBeUndefined();
  expect(await page('other')(async () => 'ran')).toBe('ran');
});

test('a page whose lease has run out does not end that of the next one', async () => {
  const { time, page } = browser();
  let end = () => {};
  const late = page('late')(
    () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  );
  await settled();
  await time.pass(31_000);
  void page('other')(never);
  await settled();
  let ran = false;
  void page('third')(async () => {
    ran = true;
  });

  end();
  await late;
  await time.pass(5_000);

  expect(ran).toBe(false);
});
