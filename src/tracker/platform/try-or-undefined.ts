/** What an access answers; undefined where it throws, and its caller does without. */
export function tryOrUndefined<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {}
}
