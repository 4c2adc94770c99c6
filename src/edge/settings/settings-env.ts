import type { SettingName } from './settings-table.ts';

/** The operator's settings, as secrets and variables. docs/reference/settings.md explains each of them. */
export type SettingsEnv = { readonly [Name in SettingName]?: string };

/**
 * The text of a setting, without the newline that a pipe leaves at the end of a secret. Undefined if it is not
 * set. An empty text counts as not set, except for IDENTITY, where it is an error: its intent must not be guessed.
 */
export function textOf(env: SettingsEnv, name: SettingName): string | undefined {
  const set = env[name];
  if (set === undefined) return undefined;
  // A host overrides the region.
  if (name === 'WEBENGAGE_REGION' && textOf(env, 'WEBENGAGE_HOST') !== undefined) return undefined;
  // A shared secret may contain white space. A variable written as a number arrives as one.
  const text = name === 'IDENTITY_KEY' ? set : `${set}`.trim();
  return text === '' && name !== 'IDENTITY' ? undefined : text;
}
