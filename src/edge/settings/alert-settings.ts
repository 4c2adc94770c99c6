import type { Webhook } from './alert-webhook.ts';
import { type SettingsEnv, textOf } from './settings-env.ts';
import { SETTINGS } from './settings-table.ts';

/** Where alerts go. */
export type AlertSettings = {
  readonly webhooks: readonly Webhook[];
  /** The key of the signature. Without it, messages are not signed. */
  readonly secret: string | undefined;
  readonly lateMs: number;
};

/**
 * The settings of alerts alone. They are read even if another setting is invalid, because then the relay must
 * report that. An invalid one counts as not set here.
 */
export function readAlertSettings(env: SettingsEnv): AlertSettings {
  const { ALERT_WEBHOOK, ALERT_SECRET, ALERT_LATE_MS } = SETTINGS;
  return {
    webhooks: ALERT_WEBHOOK.parse(textOf(env, 'ALERT_WEBHOOK') ?? '') ?? [],
    secret: ALERT_SECRET.parse(textOf(env, 'ALERT_SECRET') ?? '') ?? undefined,
    lateMs: ALERT_LATE_MS.parse(textOf(env, 'ALERT_LATE_MS') ?? '') ?? Number(ALERT_LATE_MS.otherwise),
  };
}
