import { isStrongToken } from '../settings/strong-token.ts';

/**
 * True if the header is `Bearer <token>`. A wrong token takes as long to check as the right one.
 * Always false if the token is not set or could be guessed.
 */
export async function showsToken(authorization: string | null, token: string | undefined): Promise<boolean> {
  // Piping a secret can leave a newline at its end, which no header can hold.
  const set = token?.trim() ?? '';
  if (!isStrongToken(set)) return false;
  const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  // Digests have the same length, so comparing them reveals nothing about the token.
  return crypto.subtle.timingSafeEqual(await digest(authorization ?? ''), await digest(`Bearer ${set}`));
}
