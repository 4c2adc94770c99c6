import { nameFault } from './attributes.ts';
import { dateRule } from './date.ts';
import { textRule } from './rule.ts';
import { visitorFields } from './visitor.ts';

// Names WebEngage's own events have; one of ours would mix with them.
// https://docs.webengage.com/docs/events
const SYSTEM_EVENT =
  /^(app_(installed|upgraded|crashed|uninstalled)|user_(logged_in|logged_out|session_started)|notification_click|(email|sms)_.*)$/;

const eventNameRule = textRule((name) =>
  SYSTEM_EVENT.test(name) ? 'must not be a system event of WebEngage' : nameFault(name),
);

/** Every field of an event record but its custom attributes. https://docs.webengage.com/docs/rest-api-tracking-events */
export const eventFields = {
  ...visitorFields,
  eventName: eventNameRule,
  eventTime: dateRule,
};
