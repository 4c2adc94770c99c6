import { formatDate } from '../../contract/rules/date.ts';
import { apply, getTimezoneOffset, NativeDate } from './built-ins.ts';

/**
 * A moment in WebEngage's format, with the visitor's own UTC offset at that moment. Undefined if
 * it can't be written.
 */
export function writeDate(at: number): string | undefined {
  return formatDate(at, -apply(getTimezoneOffset, new NativeDate(at), []));
}
