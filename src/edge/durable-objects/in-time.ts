/** The time after which an object counts as silent. */
export const ANSWERS_WITHIN_MS = 10_000;

/** Asks an object, and throws if it does not answer in time. */
export async function inTime<T>(ask: () => Promise<T>, withinMs: number = ANSWERS_WITHIN_MS): Promise<T> {
  const answered = new AbortController();
  const tooLate = scheduler.wait(withinMs, { signal: answered.signal }).then(
    (): never => {
      throw new Error('it did not answer in time');
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([ask(), tooLate]);
  } finally {
    answered.abort();
  }
}
