/**
 * Names what a value breaks, as `must be …`, or answers undefined. `Fitting` is the type of a value that breaks nothing.
 * Plain functions, so that the tracker asks them by themselves: a page does not pay for a schema library.
 */
export type Rule<Fitting> = {
  (value: unknown): string | undefined;
  readonly fitting?: Fitting;
};

/** What tells good text from bad: a pattern, or whatever tests as one. */
type Test = { readonly test: (text: string) => boolean };

/** The rule, in these words, of text that passes a test. */
export function textRule(words: string, good: Test): Rule<string> {
  return (value) => (typeof value === 'string' && good.test(value) ? undefined : words);
}

export const flagRule: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false';
