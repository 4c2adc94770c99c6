import { MAX_STRING_LENGTH } from './attributes.ts';
import { dateRule } from './date.ts';
import { flagRule, textRule } from './rule.ts';
import { textFault } from './text.ts';
import { visitorFields } from './visitor.ts';

// E.164: a plus, no leading zero, at most 15 digits.
// https://www.itu.int/rec/T-REC-E.164
const E164 = /^\+[1-9]\d{1,14}$/;

const phoneRule = textRule((phone) => (E164.test(phone) ? undefined : 'must be E.164, as +551155256325'));

const genderRule = textRule((gender) =>
  /^(male|female|other)$/.test(gender) ? undefined : 'must be male, female or other',
);

const plainText = textRule((text) => textFault(text, MAX_STRING_LENGTH));

/** Every field of a user record but its custom attributes. https://docs.webengage.com/docs/rest-api-tracking-users */
export const userFields = {
  ...visitorFields,
  firstName: plainText,
  lastName: plainText,
  birthDate: dateRule,
  gender: genderRule,
  email: plainText,
  phone: phoneRule,
  company: plainText,
  emailOptIn: flagRule,
  smsOptIn: flagRule,
  whatsappOptIn: flagRule,
  rcsOptIn: flagRule,
  hashedEmail: plainText,
  hashedPhone: plainText,
};
