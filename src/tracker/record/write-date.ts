import { formatDate } from '../../contract/date.ts';

// As they were when the script was loaded: a page may replace them later.
const { apply } = Reflect;
const NativeDate = Date;
const { getTimezoneOffset } = Date.prototype;

/** A moment in WebEngage's format with the visitor's own UTC offset at that moment; undefined where it has no form. */
export function writeDate(at: number): string | undefined {
  return formatDate(at, -apply(getTimezoneOffset, new NativeDate(at), []));
}
