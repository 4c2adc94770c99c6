/**
 * Returns the broken rule, as `must be …`, or undefined. `Fitting` is the type of a value that breaks
 * nothing. Rules are plain functions that the tracker calls directly, so that a page needs no schema library.
 */
export type Rule<Fitting> = {
  (value: unknown): string | undefined;
  readonly fitting?: Fitting;
};

/** Tells valid text from invalid: a pattern, or anything with its `test` method. */
type Test = { readonly test: (text: string) => boolean };

/** A rule for text that must pass a test, with this message. */
export function textRule(words: string, good: Test): Rule<string> {
  return (value) => (typeof value === 'string' && good.test(value) ? undefined : words);
}

export const flagRule: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false';
