import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';

type ZoneSpec = {
  readonly name: string;
  readonly onHasTask: (...of: [unknown, unknown, unknown, { readonly macroTask: boolean }]) => void;
};
type ZoneClass = { readonly prototype: { fork(spec: ZoneSpec): unknown } };

declare global {
  /** Whether Angular's zone has a macrotask, such as a timer. Until it has none, the app does not count as stable. */
  var isAngularBusy: boolean | undefined;
}

/** Watches the zone that Angular makes in each later page of a context. */
export async function watchZone(
  context: BrowserContext,
): Promise<{ readonly expectStable: (page: Page) => Promise<void> }> {
  await context.addInitScript(() => {
    let Zone: ZoneClass | undefined;
    const watch = ({ prototype }: ZoneClass) => {
      const { fork } = prototype;
      prototype.fork = function (spec) {
        if (spec.name !== 'angular') return fork.call(this, spec);
        const onHasTask: ZoneSpec['onHasTask'] = (delegate, current, target, state) => {
          if (current === target) globalThis.isAngularBusy = state.macroTask;
          spec.onHasTask(delegate, current, target, state);
        };
        return fork.call(this, { ...spec, onHasTask });
      };
    };
    Object.defineProperty(globalThis, 'Zone', {
      get: () => Zone,
      set: (value: ZoneClass) => {
        Zone = value;
        watch(value);
      },
    });
  });
  return {
    expectStable: async (page) => {
      // Well before the tracker's next flush, which is up to five seconds away.
      await expect.poll(() => page.evaluate(() => globalThis.isAngularBusy), { timeout: 2_000 }).toBe(false);
    },
  };
}
