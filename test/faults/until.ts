const LOOK_EVERY_MS = 50;

/** Resolves once a condition holds. Rejects, and names it, where it does not in time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`not in ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** A promise's own end, or a rejection where it does not settle in time. */
export async function within<T>(what: string, withinMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in ${withinMs / 1000} s: ${what}`)), withinMs);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}
