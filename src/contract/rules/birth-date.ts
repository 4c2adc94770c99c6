import { DATE_RULE, isDate } from './date.ts';
import { type Rule, textRule } from './rule.ts';

// The value of `<input type="date">`, and what most databases keep of a birthday.
const CALENDAR_DAY = /^\d{4}-\d\d-\d\d$/;

// Noon in UTC is still that calendar day in every zone from -12:00 to +11:00, whatever zone WebEngage shows it in.
const NOON = 'T12:00:00+0000';

/** A birthday as WebEngage takes it: a calendar day becomes its noon in UTC, a date stays as it is. */
export function toBirthDate(text: string): string {
  return CALENDAR_DAY.test(text) ? text + NOON : text;
}

export const birthDateRule: Rule<string> = textRule(`${DATE_RULE}, or a day as yyyy-MM-dd`, {
  test: (text) => isDate(toBirthDate(text)),
});
