import { attributeTextRule } from './rules/attributes.ts';
import { birthDateRule } from './rules/birth-date.ts';
import { flagRule, textRule } from './rules/rule.ts';
import { idRule } from './rules/visitor.ts';

// E.164: a plus, no leading zero, at most 15 digits.
// https://www.itu.int/rec/T-REC-E.164
const phoneRule = textRule('must be E.164, as +551155256325', /^\+[1-9]\d{1,14}$/);

const genderRule = textRule('must be male, female or other', /^(male|female|other)$/);

/**
 * The fields that `identify` takes, without custom attributes.
 * https://docs.webengage.com/docs/rest-api-tracking-users
 */
export const identifyFields = {
  userId: idRule,
  firstName: attributeTextRule,
  lastName: attributeTextRule,
  birthDate: birthDateRule,
  gender: genderRule,
  email: attributeTextRule,
  phone: phoneRule,
  company: attributeTextRule,
  emailOptIn: flagRule,
  smsOptIn: flagRule,
  whatsappOptIn: flagRule,
  rcsOptIn: flagRule,
  hashedEmail: attributeTextRule,
  hashedPhone: attributeTextRule,
};

/** The fields of a user record without its custom attributes. */
export const userFields = { ...identifyFields, anonymousId: idRule };
