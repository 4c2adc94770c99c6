import type { Webhook } from './alert-webhook.ts';
import { type SettingsEnv, textOf } from './settings-env.ts';
import { SETTINGS } from './settings-table.ts';

/** How messages are signed. With an invalid ALERT_SECRET they can't be, though somebody counts on that. */
export type Signing =
  | { readonly kind: 'signed'; readonly secret: string }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'invalid' };

/** Where alerts go. */
export type AlertSettings = {
  readonly webhooks: readonly Webhook[];
  readonly signing: Signing;
  readonly lateMs: number;
};

/**
 * The settings of alerts alone. They are read even if another setting is invalid, because then the relay must
 * report that. An invalid address or limit counts as not set here.
 */
export function readAlertSettings(env: SettingsEnv): AlertSettings {
  const { ALERT_WEBHOOK, ALERT_LATE_MS } = SETTINGS;
  return {
    webhooks: ALERT_WEBHOOK.parse(textOf(env, 'ALERT_WEBHOOK') ?? '') ?? [],
    signing: signingOf(env),
    lateMs: ALERT_LATE_MS.parse(textOf(env, 'ALERT_LATE_MS') ?? '') ?? Number(ALERT_LATE_MS.otherwise),
  };
}

function signingOf(env: SettingsEnv): Signing {
  const secret = SETTINGS.ALERT_SECRET.parse(textOf(env, 'ALERT_SECRET') ?? '');
  if (secret === undefined) return { kind: 'invalid' };
  return secret === null ? { kind: 'unsigned' } : { kind: 'signed', secret };
}
