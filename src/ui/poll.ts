/** Does something again and again, one at a time, until it is stopped. */
export type Poll = {
  readonly start: () => void;
  readonly stop: () => void;
  /** Does it now, or as soon as what is under way has ended. */
  readonly wake: () => void;
};

/**
 * @param run never rejects
 * @param pauseMs from the end of one to the start of the next
 */
export function createPoll(run: () => Promise<void>, pauseMs: () => number): Poll {
  // Each start is a life of its own: an earlier one that was stopped within its `run` ends by itself.
  let life: symbol | undefined;
  let isAsked = false;
  let rest = () => {};

  async function live(own: symbol): Promise<void> {
    while (life === own) {
      isAsked = false;
      await run();
      if (life !== own || isAsked) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs());
        rest = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  const wake = () => {
    isAsked = true;
    rest();
  };
  return {
    start: () => {
      life = Symbol();
      void live(life);
    },
    stop: () => {
      life = undefined;
      rest();
    },
    wake,
  };
}
