/** Returns what an access returns, or undefined if it throws: its caller does without. */
export function tryOrUndefined<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {}
}
