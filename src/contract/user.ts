import { custom, optional } from 'valibot';
import { MAX_STRING_LENGTH } from './attributes.ts';
import { dateSchema } from './date.ts';
import { textFault, textSchema } from './text.ts';
import { visitorFields } from './visitor.ts';

// E.164: a plus, no leading zero, at most 15 digits.
// https://www.itu.int/rec/T-REC-E.164
const E164 = /^\+[1-9]\d{1,14}$/;

const phoneSchema = textSchema((phone) => (E164.test(phone) ? undefined : 'must be E.164, as +551155256325'));

const genderSchema = textSchema((gender) =>
  /^(male|female|other)$/.test(gender) ? undefined : 'must be male, female or other',
);

const flag = optional(custom<boolean>((input) => typeof input === 'boolean', 'must be true or false'));
const text = optional(textSchema((value) => textFault(value, MAX_STRING_LENGTH)));

/** Every field of a user record but its custom attributes. https://docs.webengage.com/docs/rest-api-tracking-users */
export const userFields = {
  ...visitorFields,
  firstName: text,
  lastName: text,
  birthDate: optional(dateSchema),
  gender: optional(genderSchema),
  email: text,
  phone: optional(phoneSchema),
  company: text,
  emailOptIn: flag,
  smsOptIn: flag,
  whatsappOptIn: flag,
  rcsOptIn: flag,
  hashedEmail: text,
  hashedPhone: text,
};
