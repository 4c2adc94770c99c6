import type { Fitting } from './repair.ts';
import { MAX_STRING_LENGTH } from './rules/attributes.ts';
import type { Rule } from './rules/rule.ts';
import { cutText } from './rules/text.ts';

/** Makes a field's value fit its rule. Text is cut if that helps, and anything else is left out. */
export function* fitField(name: string, value: unknown, rule: Rule<unknown> | undefined): Fitting<unknown> {
  const broken = rule?.(value);
  if (rule === undefined || broken === undefined || value === undefined) return value;
  const cut = typeof value === 'string' ? cutText(value, MAX_STRING_LENGTH) : undefined;
  const fits = cut !== undefined && rule(cut) === undefined;
  yield { path: [name], rule: broken, done: fits ? 'cut' : 'left_out' };
  return fits ? cut : undefined;
}
