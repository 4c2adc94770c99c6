const MIN_TOKEN_LENGTH = 32;

// Of 32 random digits, or letters from a to f and digits, there are more: `xxxxxxxx…` and `12341234…` are not random.
const MIN_DIFFERENT = 8;

/** True for a token that nobody guesses: long enough, and not of a few characters again and again. */
export function isStrongToken(token: string): boolean {
  return token.length >= MIN_TOKEN_LENGTH && new Set(token).size >= MIN_DIFFERENT;
}
