import { attributeTextRule } from '../contract/attributes.ts';

/** What Segment's `identify` tells of a user. https://segment.com/docs/connections/spec/identify/#traits */
export type Traits = { readonly [trait: string]: unknown };

type Field = string | boolean | Date | undefined;

const text = (value: unknown): Field => (attributeTextRule(value) ? undefined : (value as string));
const flag = (value: unknown): Field => (typeof value === 'boolean' ? value : undefined);

/** The trait that has a field at WebEngage, and how its value is written there; undefined where it can't be. */
const FIELDS: { readonly [trait: string]: (value: unknown) => Field } = {
  firstName: text,
  lastName: text,
  email: text,
  emailOptIn: flag,
  smsOptIn: flag,
  whatsappOptIn: flag,
  rcsOptIn: flag,
  gender: (value) => /^(male|female|other)$/.exec(`${value}`.toLowerCase())?.[0],
  // People write a number in groups.
  phone: (value) => /^\+[1-9]\d{1,14}$/.exec(`${value}`.replace(/[\s().-]/g, ''))?.[0],
  // A day, whatever hour is said with it, and by the visitor's clock: else it were the day before, west of Greenwich.
  birthday: (value) => {
    const day = value instanceof Date ? value : new Date(`${`${value}`.slice(0, 10)}T00:00`);
    // A date at WebEngage has a year of four digits.
    return day.getFullYear() < 9_999 ? day : undefined;
  },
  // An object, of which WebEngage has a field for the name.
  company: (value) => text((value as { readonly name?: unknown } | null)?.name ?? value),
};

/**
 * The profile that says the same to WebEngage. What has no field there, or does not fit it, is an attribute under the
 * trait's own name: nothing is lost, and no trait costs the whole call.
 */
export function profileOf(traits: Traits): object {
  const profile: Record<string, unknown> = {};
  const attributes: Record<string, unknown> = {};

  for (const [trait, value] of Object.entries(traits)) {
    const field = Object.hasOwn(FIELDS, trait) ? FIELDS[trait]?.(value) : undefined;
    if (field !== undefined) profile[trait === 'birthday' ? 'birthDate' : trait] = field;
    if (field === undefined || (trait === 'company' && field !== value)) attributes[trait] = value;
  }
  return { ...profile, attributes };
}
