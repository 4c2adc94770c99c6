import type { Context } from 'hono';
import { inWords, type Notice, RUNBOOKS } from '../alerts/alert.ts';
import type { QueueReport } from '../alerts/run.ts';
import { fingerprintOf, LIVE_PORTS, receiverOf, sendAll } from '../alerts/send.ts';
import type { Env, Relay } from '../durable-objects/env.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import { refusal } from '../http/responses.ts';
import { readAlertSettings } from '../settings/alert-settings.ts';
import type { AlertStatus, TestedAlerts } from './relay-status.ts';

const NO_MESSAGES: QueueReport = { waiting: 0, last: null };

/** The active alerts, and the outcome of the last message to each destination. */
export async function alertStatus(env: Env, now: number): Promise<AlertStatus> {
  const { active, queues } = await gateOf(env).alertReport();
  return {
    active: active.map(({ alert, since, figures }) => ({
      alert,
      since,
      ...inWords({ alert, state: 'begins', since, at: now, figures }),
    })),
    destinations: await Promise.all(
      readAlertSettings(env).webhooks.map(async (webhook) => ({
        form: webhook.form,
        ...(queues[await fingerprintOf(webhook)] ?? NO_MESSAGES),
      })),
    ),
    runbooks: RUNBOOKS,
  };
}

/** Sends the begin and the end of a test alert to every destination, at once and only once. */
export async function testAlerts(c: Context<Relay>): Promise<Response> {
  const { webhooks, signing } = readAlertSettings(c.env);
  if (webhooks.length === 0)
    return refusal('invalid_request', 'ALERT_WEBHOOK is not set: run wrangler secret put ALERT_WEBHOOK');
  const notices = testNotices(Date.now());
  const sent = await Promise.all(
    webhooks.map(async (webhook) => {
      const receiver = receiverOf(webhook, signing);
      if (receiver === undefined) return { form: webhook.form, delivered: false, status: 0 };
      const { failed, status } = await sendAll(notices, receiver, LIVE_PORTS);
      return { form: webhook.form, delivered: !failed, status };
    }),
  );
  const body: TestedAlerts = { sent };
  return Response.json(body);
}

function testNotices(now: number): readonly Notice[] {
  const test = { alert: 'test', since: now, at: now, figures: {} } as const;
  return (['begins', 'ends'] as const).map((state) => ({ ...test, id: `test-${now}-${state}`, state }));
}
