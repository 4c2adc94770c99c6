import { type Rule, textRule } from './rule.ts';

// JSON can carry half a surrogate pair (`"\ud800"`), but UTF-8 can't. It would be replaced on its way.
const LONE_SURROGATES = /\p{Surrogate}/gu;

/** The text without unpaired surrogates. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, '');
}

/** Cuts text to a length in UTF-16 units, and drops unpaired surrogates, including one left by the cut. */
export function cutText(text: string, most: number): string {
  return wellFormed(text.slice(0, most));
}

/** The rule for text with a length in UTF-16 units within these bounds, and without unpaired surrogates. */
export function lengthRule(least: number, most: number): Rule<string> {
  return textRule(`must be well-formed text of ${least} to ${most} characters`, {
    // Not `test`, which keeps a position in a global pattern. Not `replace`, which makes a second string.
    test: (text) => text.length >= least && text.length <= most && text.search(LONE_SURROGATES) < 0,
  });
}

/**
 * The size of well-formed text in UTF-8. Limits on bodies and rows count bytes, but `length` counts UTF-16 units.
 */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  // A loop, because an encoder would make a copy of the text. A page counts each record it makes.
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair (D800 to DFFF) counts two of the pair's four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || unit >> 11 === 27 ? 2 : 3;
  }
  return bytes;
}
