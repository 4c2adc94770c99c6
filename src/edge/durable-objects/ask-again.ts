/** True for an error of the platform of which it says that the same may do better when it is asked again. */
export function isRetryable(error: unknown): boolean {
  // An object that has more to do than it can has the less the less it is asked.
  const { retryable, overloaded } = Object(error) as { retryable?: unknown; overloaded?: unknown };
  return retryable === true && overloaded !== true;
}

/**
 * Asks a Durable Object, and once more, at once, where the platform says that this may do better: after a deploy each object
 * refuses once. What is asked must be the same asked twice. After an error a stub is broken: each time a new one is made.
 *
 * @see https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function askAgain<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return ask();
  }
}
