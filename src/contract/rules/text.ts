import { type Rule, textRule } from './rule.ts';

// JSON can carry half a surrogate pair (`"\ud800"`); UTF-8 can't, so it would leave as something else than it came.
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** The text without what is half of a surrogate pair. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, '');
}

/** The text cut to a length in UTF-16 units, without what is half of a surrogate pair: that of a pair cut in two included. */
export function cutText(text: string, most: number): string {
  return wellFormed(text.slice(0, most));
}

/** The rule of text whose length, in UTF-16 units, is within bounds, and that holds no half of a surrogate pair. */
export function lengthRule(least: number, most: number): Rule<string> {
  return textRule(`must be well-formed text of ${least} to ${most} characters`, {
    // `search`, which keeps no place in the pattern, and makes no second string.
    test: (text) => text.length >= least && text.length <= most && text.search(LONE_SURROGATES) < 0,
  });
}

/** Size of well-formed text in UTF-8: what limits on bodies and rows count, where `length` counts UTF-16 units. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  // A loop makes no second text: a page counts each record that it makes.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Half of a surrogate pair, D800 to DFFF, is half of four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || unit >> 11 === 27 ? 2 : 3;
  }
  return bytes;
}
