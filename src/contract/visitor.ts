import { textRule } from './rule.ts';
import { textFault } from './text.ts';

// https://docs.webengage.com/docs/rest-api-tracking-users
const MAX_ID_LENGTH = 100;

const idRule = textRule((id) => (id === '' ? 'must not be empty' : textFault(id, MAX_ID_LENGTH)));

/** Whom a record is about: one of the two ids. With both WebEngage ignores the anonymous one. */
export const visitorFields = {
  userId: idRule,
  anonymousId: idRule,
};
