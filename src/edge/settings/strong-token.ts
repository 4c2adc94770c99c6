const MIN_TOKEN_LENGTH = 32;

// 32 random digits, decimal or hexadecimal, practically always include this many distinct ones. `xxxxxxxx…`
// and `12341234…` are not random.
const MIN_DIFFERENT = 8;

/** True for a token that can't be guessed: long enough, and not made of a few repeated characters. */
export function isStrongToken(token: string): boolean {
  return token.length >= MIN_TOKEN_LENGTH && new Set(token).size >= MIN_DIFFERENT;
}

/**
 * What a header can hold. A key with another character would throw at the first call, hours after the deploy, and
 * no server could send such a token.
 */
export const HEADER_VALUE = /^[\x21-\x7e]+$/;

/** The text as a token of a setting. Undefined if it could be guessed, or a header can't hold it. */
export function strongToken(text: string): string | undefined {
  return isStrongToken(text) && HEADER_VALUE.test(text) ? text : undefined;
}
