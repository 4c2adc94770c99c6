/** What Segment's `identify` tells of a user. https://segment.com/docs/connections/spec/identify/#traits */
export type Traits = { readonly [trait: string]: unknown };

// The traits that have a field of their name at WebEngage, and what fits it: type, name, and the value if it is text.
const FIELD =
  /^string((firstName|lastName|email|company)\0\P{Cs}*|gender\0(male|female|other)|phone\0\+[1-9]\d{1,14})$|^boolean(sms|whatsapp|rcs|email)OptIn\0/u;

/**
 * The profile that says the same to WebEngage. What has no field there, or does not fit it, is an attribute under the
 * trait's own name: nothing is lost, and no trait costs the whole call.
 */
export function profileOf(traits: unknown): object {
  // Without a prototype: a page may have added names to `Object.prototype`, and a trait may have any name.
  const own: Record<string, unknown> = { __proto__: null, ...(traits as Traits) };
  const attributes: Record<string, unknown> = { __proto__: null };
  const profile: Record<string, unknown> = { attributes };

  for (const trait in own) {
    const given = own[trait];
    const value =
      // An object, of which WebEngage has a field for the name.
      (trait === 'company' && { __proto__: null, ...(given as { readonly name?: unknown }) }.name) ||
      // People write a phone number in groups, and a gender with a capital. No other field has these letters in its name.
      (typeof given === 'string' && /r$|ph/.test(trait)
        ? given.replace(/[\s().-]/g, '').toLowerCase()
        : given);
    // biome-ignore lint/style/useTemplate: it compresses better
    if (FIELD.test(typeof value + trait + '\0' + (typeof value === 'string' && value))) {
      profile[trait] = value;
      // Of an object that is more than the field says.
      if (typeof given !== 'object') continue;
    }
    attributes[trait] = given;
  }
  const birthday = attributes.birthday;
  // A day, whatever hour is said with it, and by the visitor's clock: else it were the day before, west of Greenwich.
  const day = typeof birthday === 'string' ? new Date(`${birthday.slice(0, 10)}T00:00`) : birthday;
  // A date at WebEngage has a year of four digits. Between 1019 and 2920 it has, whatever the zone.
  if (day instanceof Date && (+day) ** 2 < 9e26) {
    profile.birthDate = day;
    attributes.birthday = undefined;
  }
  return profile;
}
