/** What an access answers; undefined where it throws, which is no news: its caller does without. */
export function attempt<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {
    return undefined;
  }
}
