const SEEN_MS = 2_000;
const HIDDEN_MS = 10_000;

/**
 * Runs a task again and again, never twice at once: every 2 s while the page is looked at, every 10 s
 * while it is hidden, and at once when it is shown again. The task must not fail.
 *
 * @param {() => Promise<void>} task
 * @returns {{ soon(): void, stop(): void }} `soon` does not wait for the next turn.
 */
export function live(task) {
  let stopped = false;
  let goOn = () => {};
  const soon = () => goOn();
  const seen = () => {
    if (!document.hidden) goOn();
  };
  document.addEventListener('visibilitychange', seen);
  void turn();

  return {
    soon,
    stop() {
      stopped = true;
      document.removeEventListener('visibilitychange', seen);
      goOn();
    },
  };

  async function turn() {
    while (!stopped) {
      await task();
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, document.hidden ? HIDDEN_MS : SEEN_MS);
        goOn = () => {
          clearTimeout(timer);
          resolve(undefined);
        };
      });
    }
  }
}
