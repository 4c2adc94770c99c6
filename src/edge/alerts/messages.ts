import { VERSION } from '../../contract/version.ts';
import type { Webhook } from '../settings/alert-webhook.ts';
import { inWords, type Notice } from './alert.ts';

/** The body of a message, in the form that its receiver understands. */
export function bodyOf(notice: Notice, webhook: Webhook): string {
  switch (webhook.form) {
    case 'json':
      return JSON.stringify(jsonOf(notice));
    case 'slack':
      return JSON.stringify(slackOf(notice));
    case 'pagerduty':
      return JSON.stringify(pagerDutyOf(notice, webhook.routingKey));
  }
}

function jsonOf(notice: Notice): object {
  const { id, alert, state, since, at, figures } = notice;
  return {
    id,
    alert,
    state,
    since: timeOf(since),
    at: timeOf(at),
    ...inWords(notice),
    figures,
    version: VERSION,
  };
}

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
function slackOf(notice: Notice): object {
  const { title, what, why, remedy, link, severity } = inWords(notice);
  const since = `Since ${timeOf(notice.since)}.`;
  const mark = notice.state === 'ends' ? ':white_check_mark:' : MARKS[severity];
  const more = notice.state === 'ends' ? [] : [`*Why:* ${why}`, `*What to do:* ${remedy}`];
  return { text: [`${mark} *${title}*`, `${what} ${since}`, ...more, `<${link}|Runbook>`].join('\n') };
}

const MARKS = { critical: ':rotating_light:', warning: ':warning:' } as const;

/**
 * An incident for each alert, which its end resolves.
 * https://developer.pagerduty.com/docs/send-alert-event
 */
function pagerDutyOf(notice: Notice, routingKey: string): object {
  const { severity, title, what, why, remedy, link } = inWords(notice);
  const event = {
    routing_key: routingKey,
    dedup_key: notice.id.slice(0, -`-${notice.state}`.length),
    event_action: notice.state === 'ends' ? 'resolve' : 'trigger',
  };
  if (notice.state === 'ends') return event;
  return {
    ...event,
    payload: {
      summary: `${title}: ${what}`,
      source: 'webengage-relay',
      severity,
      timestamp: timeOf(notice.since),
      class: notice.alert,
      custom_details: { why, remedy, ...notice.figures },
    },
    links: [{ href: link, text: 'Runbook' }],
  };
}

const timeOf = (ms: number) => new Date(ms).toISOString();
