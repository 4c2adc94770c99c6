// The one documented form: an offset without a colon, no milliseconds, no `Z`.
const DOCUMENTED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/;

// What else writes a moment so that a lenient reader might take it.
const NEAR = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

// No zone was ever further off; Java's ZoneOffset ends there too.
const MAX_OFFSET_HOURS = 18;

/** `near`: a date that is not in the documented form. `none`: no date at all, as a 30th of February. */
export type DateForm = 'documented' | 'near' | 'none';

/** A way in which a date differs from the documented form. */
export type NearForm = 'z' | 'colon' | 'milliseconds' | 'epoch';

/** The ways in which a `near` date differs. Empty if it only lacks its offset. */
export function nearForms(date: unknown): readonly NearForm[] {
  const text = String(date);
  if (typeof date === 'number') return ['epoch'];
  return [
    ...(text.endsWith('Z') ? (['z'] as const) : []),
    ...(/[+-]\d\d:\d\d$/.test(text) ? (['colon'] as const) : []),
    ...(text.includes('.') ? (['milliseconds'] as const) : []),
  ];
}

export function dateForm(value: unknown): DateForm {
  if (typeof value === 'number') return 'near';
  if (typeof value !== 'string' || !NEAR.test(value) || !isReal(value)) return 'none';
  return DOCUMENTED.test(value) ? 'documented' : 'near';
}

/** Of digits where digits belong: whether the calendar, the clock and the offset have such a moment. */
function isReal(date: string): boolean {
  const part = (from: number, to: number) => Number(date.slice(from, to));
  const [year, month, day] = [part(0, 4), part(5, 7), part(8, 10)];
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && isLeap ? 29 : DAYS_IN_MONTH[month - 1];
  const [, hours = 0, minutes = 0] = (/[+-](\d\d):?(\d\d)$/.exec(date.slice(19)) ?? []).map(Number);
  return (
    days !== undefined &&
    day >= 1 &&
    day <= days &&
    part(11, 13) <= 23 &&
    part(14, 16) <= 59 &&
    part(17, 19) <= 59 &&
    minutes <= 59 &&
    hours * 60 + minutes <= MAX_OFFSET_HOURS * 60
  );
}
