// JSON can carry half a surrogate pair (`"\ud800"`); UTF-8 can't, so it would leave as something else than it came.
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** The text with every half of a surrogate pair replaced by U+FFFD, as `String.prototype.toWellFormed` does. */
export function toWellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, '\ufffd');
}

/** The rule a text breaks that is too long or holds half of a surrogate pair, or undefined. */
export function textFault(text: string, maxLength: number): string | undefined {
  if (text.length > maxLength) return `must be at most ${maxLength} characters, not ${text.length}`;
  return toWellFormed(text) === text ? undefined : 'must be well-formed Unicode';
}

/** Size of well-formed text in UTF-8: what limits on bodies and rows count, where `length` counts UTF-16 units. */
export function utf8Bytes(text: string): number {
  return encodeURIComponent(text).replace(/%../g, '.').length;
}
