import { describe, expect, test } from 'vitest';
import { webEngageWorld } from '../fakes/webengage.ts';

/** Time for everything that waits: the id, the login, the relay. */
const ALL_MS = 30_000;

/** Two windows of a browser in which Ada is signed in. */
async function twoWindows(sdkAfterMs: number | undefined) {
  const world = webEngageWorld();
  const first = world.open({ sdkAfterMs: 0 });
  void first.tracker.identify('ada');
  await world.time.pass(ALL_MS);
  await first.leave();
  const [one, other] = [world.open({ sdkAfterMs }), world.open({ sdkAfterMs })];
  await world.time.pass(100);
  return { ...world, one: one.tracker, other: other.tracker };
}

describe.each([
  ['in time', 3_000],
  ['too late', 20_000],
  ['never', undefined],
])('with an SDK that comes %s', (_, sdkAfterMs) => {
  test('a sign-out in one window holds for the events of another at once', async () => {
    const { one, other, time, people } = await twoWindows(sdkAfterMs);
    one.reset();
    await time.pass(500);

    void other.track('e1');
    await time.pass(ALL_MS);

    expect(people()).toMatchObject({ ada: [] });
    expect(Object.values(people()).flat()).toEqual(['e1 rest']);
  });

  test('so does the next sign-in, and nothing is doubled', async () => {
    const { one, other, time, people } = await twoWindows(sdkAfterMs);
    one.reset();
    void one.track('e1');
    await time.pass(500);
    void one.identify('bob');
    await time.pass(500);

    void other.track('e2');
    void one.track('e3');
    await time.pass(ALL_MS);

    const { ada, bob, ...anonymous } = people();
    expect(ada).toEqual([]);
    expect([...(bob ?? []), ...Object.values(anonymous).flat()].sort()).toEqual([
      'e1 rest',
      'e2 rest',
      'e3 rest',
    ]);
    expect(bob).toEqual(expect.arrayContaining(['e2 rest', 'e3 rest']));
  });
});
