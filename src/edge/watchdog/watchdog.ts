import { MINUTE_MS } from '../../pacing/minute.ts';
import type { WatchedOutbox } from '../alerts/conditions.ts';
import type { Due } from '../alerts/run.ts';
import { fingerprintOf, receiverOf, type SendPorts, sendAll } from '../alerts/send.ts';
import { missingBindings } from '../durable-objects/bindings.ts';
import type { Env } from '../durable-objects/env.ts';
import { inTime } from '../durable-objects/in-time.ts';
import type { OutboxWatch } from '../durable-objects/outbox.ts';
import { leadsElsewhere, outboxesOf, outboxNamed } from '../durable-objects/outbox-directory.ts';
import type { InUse } from '../durable-objects/outbox-list.ts';
import { gateOf, type WatchBegin } from '../durable-objects/rate-gate.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { type AlertSettings, readAlertSettings } from '../settings/alert-settings.ts';
import type { Webhook } from '../settings/alert-webhook.ts';
import { type RelaySettings, readSettings } from '../settings/settings.ts';
import { logAlertFailed, logBroken, logFault } from '../telemetry/log.ts';

// A lost alarm is found this late if the relay is quiet, so that outboxes without work stay asleep.
const QUIET_MINUTES = 5;

/** What a run of the watchdog is told. */
export type WatchRun = {
  /** The minute of this run, in milliseconds since 1970. */
  readonly scheduledAt: number;
  /** False if the relay answers 503 to every request, because of any setting. */
  readonly isSetUp: boolean;
};

/**
 * One run of the watchdog. It sets the alarm again in every outbox whose alarm the platform has given up, and
 * sends the alerts. Outboxes of an earlier number of shards, or of another jurisdiction, are included until
 * they are empty. A quiet relay's outboxes are asked in every fifth minute only.
 */
export async function watch(env: Env, { scheduledAt, isSetUp }: WatchRun, ports: SendPorts): Promise<void> {
  const read = readSettings(env);
  // The gate's can't be missing: without it, no alert is known, and the run ends here.
  const missing = missingBindings(env).length;
  const settings = read.ok && missing === 0 ? read.settings : undefined;
  const begin = await withRetry(async () => gateOf(env).beginWatch());
  const isDue = Math.floor(scheduledAt / MINUTE_MS) % QUIET_MINUTES === 0;
  const isUnset = settings === undefined || !isSetUp;
  if (begin.isQuiet && !isUnset && !isDue) return;
  const found = settings === undefined ? [] : await lookAfter(env, settings, begin);
  const noneAnswers = found.length > 0 && found.every((outbox) => outbox.watch === undefined);
  const isMisbound = settings !== undefined && noneAnswers && (await leadsElsewhere(env, settings));
  if (isMisbound) logBroken('OUTBOX must be bound to the class Outbox: correct wrangler.jsonc, and deploy');
  const alerts = readAlertSettings(env);
  const webhooks = new Map<string, Webhook>();
  for (const webhook of alerts.webhooks) webhooks.set(await fingerprintOf(webhook), webhook);
  const due = await gateOf(env).endWatch({
    isBroken: isUnset || isMisbound,
    missingBindings: missing + Number(isMisbound),
    // Objects of another class are no outboxes that fail to answer.
    outboxes: isMisbound ? [] : found,
    // The second one does not matter without settings: stale outboxes are not looked for then.
    limits: { lateMs: alerts.lateMs, staleMs: settings?.healthStaleMs ?? alerts.lateMs },
    destinations: [...webhooks.keys()],
  });
  await sendDue(env, due, { webhooks, signing: alerts.signing }, ports);
}

/** Wakes the outboxes, and retires those that are empty. */
async function lookAfter(
  env: Env,
  settings: RelaySettings,
  { outboxes, streak }: WatchBegin,
): Promise<readonly WatchedOutbox[]> {
  const current = new Set(outboxesOf(settings));
  const found = await Promise.all(
    outboxes.map(async (inUse) => ({ inUse, watch: await askOutbox(env, inUse, streak) })),
  );
  const empty = found.filter(({ watch }) => watch?.isEmpty === true).map(({ inUse }) => inUse);
  if (empty.length > 0) await gateOf(env).retire(empty);
  return found.map(({ inUse: { name }, watch }) => ({
    name,
    isCurrent: current.has(name),
    watch: watch?.figures,
  }));
}

/** Undefined if the outbox does not answer. That must not keep the others from being woken: the next run asks it again. */
async function askOutbox(
  env: Env,
  { name }: InUse,
  streak: WatchBegin['streak'],
): Promise<OutboxWatch | undefined> {
  try {
    return await inTime(() => withRetry<OutboxWatch>(async () => outboxNamed(env, name).watch(streak)));
  } catch (error) {
    logFault('watch_failed', error);
    return undefined;
  }
}

type Receivers = Pick<AlertSettings, 'signing'> & { readonly webhooks: ReadonlyMap<string, Webhook> };

async function sendDue(
  env: Env,
  due: Due,
  { webhooks, signing }: Receivers,
  ports: SendPorts,
): Promise<void> {
  await Promise.all(
    Object.entries(due).map(async ([destination, notices]) => {
      const webhook = webhooks.get(destination);
      if (webhook === undefined) return;
      const receiver = receiverOf(webhook, signing);
      // The messages stay queued, and leave soon after ALERT_SECRET is valid.
      if (receiver === undefined) return logAlertFailed({ form: webhook.form, invalid: 'ALERT_SECRET' });
      const attempt = await sendAll(notices, receiver, ports);
      if (attempt.failed) logAlertFailed({ form: webhook.form, status: attempt.status });
      await gateOf(env).alertsSent(destination, attempt);
    }),
  );
}
