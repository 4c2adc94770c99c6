import { optional } from 'valibot';
import { textFault, textSchema } from './text.ts';

// https://docs.webengage.com/docs/rest-api-tracking-users
const MAX_ID_LENGTH = 100;

const idSchema = textSchema((id) => (id === '' ? 'must not be empty' : textFault(id, MAX_ID_LENGTH)));

/** Whom a record is about: one of the two ids. With both WebEngage ignores the anonymous one. */
export const visitorFields = {
  userId: optional(idSchema),
  anonymousId: optional(idSchema),
};
