import type { Rule } from './rule.ts';

/** Whole milliseconds from the call to this request, by a clock that does not jump. */
export const ageRule: Rule<number> = (age) =>
  typeof age === 'number' && Number.isInteger(age) && age >= 0
    ? undefined
    : 'must be a whole number of milliseconds, 0 or more';
