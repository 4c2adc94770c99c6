import { DATE_RULE, isDate } from './date.ts';
import { type Rule, textRule } from './rule.ts';

// The value of `<input type="date">`, and the form in which most databases store a birthday.
const CALENDAR_DAY = /^\d{4}-\d\d-\d\d$/;

// Noon in UTC is the same calendar day in every zone from -12:00 to +11:00, whichever zone WebEngage shows.
const NOON = 'T12:00:00+0000';

/** A birthday as WebEngage takes it. A calendar day becomes noon UTC, and a date stays as it is. */
export function toBirthDate(text: string): string {
  return CALENDAR_DAY.test(text) ? text + NOON : text;
}

export const birthDateRule: Rule<string> = textRule(`${DATE_RULE}, or a day as yyyy-MM-dd`, {
  test: (text) => isDate(toBirthDate(text)),
});
