/**
 * The reasons why an identity token is not accepted for its records. The messages reveal nothing of the token or key.
 */
export const TOKEN_FAULTS = {
  missing: 'records with a userId need an identity token, and this batch has none',
  too_long: 'the identity token must be at most 4096 characters long',
  malformed: 'the identity token must be a signed JWT in compact form',
  unknown_key: 'the kid of the identity token must name one of the keys in IDENTITY_KEY',
  bad_signature: 'the identity token must be signed with the key in IDENTITY_KEY, using its algorithm',
  expired: 'the identity token has expired',
  not_yet_valid: 'the identity token is not valid yet',
  bad_claims:
    'the identity token must have the user id as cuid, in 1 to 100 characters, and its expiry as exp, in seconds',
  other_user: 'the identity token is for a different user than the records',
} as const;

export type TokenFault = keyof typeof TOKEN_FAULTS;
