import { runInDurableObject } from 'cloudflare:test';
import { expect, test } from 'vitest';
import { type RewindPorts, rewind, wasRestored } from '../../../src/edge/restore/rewind.ts';
import { newOutbox } from '../../fakes/outbox.ts';

/** Restores a new outbox with these ports. Returns what it came to, and the steps in their order. */
function rewinding(ports: Partial<RewindPorts>, history: Partial<RewindPorts['history']> = {}) {
  const steps: string[] = [];
  const step = (name: string) => void steps.push(name);
  return runInDurableObject(newOutbox(), async (_, { storage }) => {
    const outcome = await rewind({ at: 1 }, 'this', {
      storage,
      history: {
        bookmarkAt: async () => 'then',
        restoreOnStart: async (bookmark) => {
          step(`restore ${bookmark}`);
          return 'now';
        },
        restart: () => {
          step('restart');
          throw new Error('restarts');
        },
        ...history,
      },
      keep: async (found) => step(`keep ${Object.keys(found)}`),
      isIdle: () => true,
      isOnHold: async () => true,
      wait: async () => step('wait'),
      logRestoring: (undo) => step(`log ${undo}`),
      ...ports,
    }).catch((error: Error) => error.message);
    return { outcome, steps, figures: wasRestored(storage, 'this') };
  });
}

test('the gate has the figures before the platform is asked, and the log has the bookmark before the restart', async () => {
  const { outcome, steps, figures } = await rewinding({});

  expect(outcome).toBe('restarts');
  expect(steps).toEqual(['keep before', 'restore then', 'log now', 'keep undo', 'restart']);
  // Its note is still there, because this platform has restored nothing.
  expect(figures).toBeUndefined();
});

test('an outbox with a call in flight is not restored before the answer has come', async () => {
  let looks = 0;
  const isIdle = () => {
    looks += 1;
    return looks > 3;
  };
  expect((await rewinding({ isIdle })).steps.slice(0, 4)).toEqual(['wait', 'wait', 'wait', 'keep before']);

  const { outcome, steps } = await rewinding({ isIdle: () => false });
  expect(outcome).toBe('busy');
  expect(new Set(steps)).toEqual(new Set(['wait']));
});

test('a platform that refuses the bookmark leaves the outbox as it was', async () => {
  const restoreOnStart = async () => Promise.reject(new Error('no'));

  const { outcome, steps, figures } = await rewinding({}, { restoreOnStart });

  expect(outcome).toBe('no_history');
  expect(steps).toEqual(['keep before']);
  expect(figures).toMatchObject({ entered: 0 });
});

test('an outbox whose hold has ended meanwhile stays as it is', async () => {
  const { outcome, steps, figures } = await rewinding({ isOnHold: async () => false });

  expect(outcome).toBe('resumed');
  expect(steps).toEqual(['keep before']);
  expect(figures).toMatchObject({ entered: 0 });
});

test('without the figures at the gate the platform is not asked', async () => {
  const keep = async () => Promise.reject(new Error('the gate is silent'));

  expect((await rewinding({ keep })).steps).toEqual([]);
});

test('the restart follows even if the gate did not take the bookmark', async () => {
  const keep = async (found: object) => {
    if ('undo' in found) throw new Error('the gate is silent');
  };

  expect((await rewinding({ keep })).steps).toEqual(['restore then', 'log now', 'restart']);
});
