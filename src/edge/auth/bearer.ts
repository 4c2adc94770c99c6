import { isStrongToken } from '../settings/strong-token.ts';

/**
 * True for who shows the token, as `Authorization: Bearer <token>`. Takes as long for a wrong one as for the right one.
 * Nobody shows a token that is not set, or that could be guessed: its door stays shut.
 */
export async function showsToken(authorization: string | null, token: string | undefined): Promise<boolean> {
  // Without the newline that a pipe leaves behind a secret: no header could show it.
  const set = token?.trim() ?? '';
  if (!isStrongToken(set)) return false;
  const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  // Digests have one length: comparing them gives away nothing of the token's.
  return crypto.subtle.timingSafeEqual(await digest(authorization ?? ''), await digest(`Bearer ${set}`));
}
