/** What Segment's `identify` tells of a user. https://segment.com/docs/connections/spec/identify/#traits */
export type Traits = { readonly [trait: string]: unknown };

// Half of what WebEngage takes: it counts UTF-16 units, of which a character has up to two.
const TEXT = /^\P{Cs}{0,499}$/u;

/** The traits that have a field of their name at WebEngage, and what fits it: such text, or what is of this type. */
const FIELDS: { readonly [trait: string]: RegExp | 'boolean' } = {
  firstName: TEXT,
  lastName: TEXT,
  gender: /^(male|female|other)$/,
  email: TEXT,
  phone: /^\+[1-9]\d{1,14}$/,
  company: TEXT,
  emailOptIn: 'boolean',
  smsOptIn: 'boolean',
  whatsappOptIn: 'boolean',
  rcsOptIn: 'boolean',
};

/**
 * The profile that says the same to WebEngage. What has no field there, or does not fit it, is an attribute under the
 * trait's own name: nothing is lost, and no trait costs the whole call.
 */
export function profileOf({ birthday, ...traits }: Traits): object {
  const attributes: Record<string, unknown> = {};
  const profile: Record<string, unknown> = { attributes };

  for (const trait in traits) {
    const given = traits[trait];
    const value =
      // An object, of which WebEngage has a field for the name.
      (trait === 'company' && (given as { readonly name?: unknown } | null)?.name) ||
      // People write a phone number in groups, and a gender with a capital. No other field has these words in its name.
      (typeof given === 'string' && /gender|phone/.test(trait)
        ? given.replace(/[\s().-]/g, '').toLowerCase()
        : given);
    const fit = FIELDS[trait];
    if (fit instanceof RegExp ? typeof value === 'string' && fit.test(value) : typeof value === fit) {
      profile[trait] = value;
      // Of an object that is more than the field says.
      if (typeof given !== 'object') continue;
    }
    attributes[trait] = given;
  }
  // A day, whatever hour is said with it, and by the visitor's clock: else it were the day before, west of Greenwich.
  const day = typeof birthday === 'string' ? new Date(`${birthday.slice(0, 10)}T00:00`) : birthday;
  // A date at WebEngage has a year of four digits. In these millennia it has, whatever the zone.
  if (day instanceof Date && /^[12]/.test(day.toJSON())) profile.birthDate = day;
  else attributes.birthday = birthday;
  return profile;
}
