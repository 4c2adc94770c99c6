import { getDotPath, type InferOutput, literal, safeParse, strictObject, string } from 'valibot';
import { answersSchema } from './answers.ts';

/** The version of the file's format. A reader refuses any other. */
export const PROFILE_VERSION = 1;

const profile = strictObject({
  version: literal(PROFILE_VERSION),
  /** When it was probed, ISO 8601. */
  probedAt: string(),
  answers: answersSchema,
});

/** What an account has answered. It holds neither the key nor the license code. */
export type Profile = InferOutput<typeof profile>;

export type ReadProfile =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly message: string };

/** Reads the text of a profile's file. */
export function parseProfile(text: string): ReadProfile {
  const fail = (message: string): ReadProfile => ({
    ok: false,
    message: `${message}: write it again with webengage-relay probe`,
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail('is not JSON');
  }
  // valibot takes a list for an object.
  if (Array.isArray(json)) return fail('the profile must be an object');
  const { success, output, issues } = safeParse(profile, json);
  if (success) return { ok: true, profile: output };
  const [{ expected, received }] = issues;
  const field = getDotPath(issues[0]) ?? 'the profile';
  // valibot says `never` of a field that should not be there.
  if (expected === 'never') return fail(`${field} is not a field of a profile`);
  if (received === 'undefined') return fail(`${field} is missing`);
  return fail(`${field} must be ${expected}, not ${received}`);
}
