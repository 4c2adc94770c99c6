import type { SettingName } from './settings-table.ts';

/** What the operator sets, as secrets and variables. docs/reference/settings.md explains each of them. */
export type SettingsEnv = { readonly [Name in SettingName]?: string };

/**
 * The text of a setting, without the newline that a pipe leaves at the end of a secret; undefined where it is not set.
 * An empty text counts as not set, except for IDENTITY, where it is an error: nobody should have to guess what was meant.
 */
export function textOf(env: SettingsEnv, name: SettingName): string | undefined {
  const set = env[name];
  if (set === undefined) return undefined;
  // The host takes the region's place.
  if (name === 'WEBENGAGE_REGION' && textOf(env, 'WEBENGAGE_HOST') !== undefined) return undefined;
  // White space may be part of a shared secret. A variable that is written as a number arrives as one.
  const text = name === 'IDENTITY_KEY' ? set : `${set}`.trim();
  return text === '' && name !== 'IDENTITY' ? undefined : text;
}
