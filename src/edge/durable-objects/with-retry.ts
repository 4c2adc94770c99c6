/** True for an error of the platform that it marks as worth a retry. */
export function isRetryable(error: unknown): boolean {
  // An overloaded object recovers sooner if it is called less.
  const { retryable, overloaded } = Object(error) as { retryable?: unknown; overloaded?: unknown };
  return retryable === true && overloaded !== true;
}

/**
 * Calls a Durable Object, and retries once, immediately, if the platform marks the error as retryable. After
 * a deploy each object fails once. `call` must be safe to repeat. It must get a new stub each time, since an
 * error breaks the old one.
 *
 * @see https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export async function withRetry<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return call();
  }
}
