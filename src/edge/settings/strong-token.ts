const MIN_TOKEN_LENGTH = 32;

// 32 random digits, decimal or hexadecimal, practically always include this many distinct ones. `xxxxxxxx…`
// and `12341234…` are not random.
const MIN_DIFFERENT = 8;

/** True for a token that can't be guessed: long enough, and not made of a few repeated characters. */
export function isStrongToken(token: string): boolean {
  return token.length >= MIN_TOKEN_LENGTH && new Set(token).size >= MIN_DIFFERENT;
}
