/**
 * Names what a value breaks, as `must be …`, or answers undefined. `Fitting` is the type of a value that breaks nothing.
 * Plain functions, so that the tracker asks them by themselves: a page does not pay for a schema library.
 */
export type Rule<Fitting> = {
  (value: unknown): string | undefined;
  readonly fitting?: Fitting;
};

/** The rule of a string that one function looks into. */
export function textRule(fault: (text: string) => string | undefined): Rule<string> {
  return (value) => (typeof value === 'string' ? fault(value) : 'must be a string');
}

export const flagRule: Rule<boolean> = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false';
