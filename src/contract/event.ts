import { nameRule } from './rules/attributes.ts';
import { dateRule } from './rules/date.ts';
import { type Rule, textRule } from './rules/rule.ts';
import { idRule } from './rules/visitor.ts';

/**
 * Matches every name except those of WebEngage's own events, which would get mixed up with ours.
 * https://docs.webengage.com/docs/events
 */
export const NO_SYSTEM_EVENT =
  /^(?!(email|sms)_|(app_((un)?installed|upgraded|crashed)|user_(logged_(in|out)|session_started)|notification_click)$)/;

const ownEventRule = textRule('must not be a system event of WebEngage', NO_SYSTEM_EVENT);

export const eventNameRule: Rule<string> = (name) => nameRule(name) ?? ownEventRule(name);

/**
 * The fields of an event record without its custom attributes.
 * https://docs.webengage.com/docs/rest-api-tracking-events
 */
export const eventFields = {
  userId: idRule,
  anonymousId: idRule,
  eventName: eventNameRule,
  eventTime: dateRule,
};
