/**
 * User traits, as Segment's `identify` takes them. https://segment.com/docs/connections/spec/identify/#traits
 */
export type Traits = { readonly [trait: string]: unknown };

// Traits with a WebEngage field of the same name, and what fits it: the type, the name, and the
// value if it is text.
const FIELD =
  /^string((firstName|lastName|email|company)\0\P{Cs}*|gender\0(male|female|other)|phone\0\+[1-9]\d{1,14})$|^boolean(sms|whatsapp|rcs|email)OptIn\0/u;

/**
 * Turns traits into a WebEngage profile.
 * A trait without a field, or with a value that does not fit it, becomes an attribute under its own name. No
 * trait is lost, and none costs the whole call.
 */
export function profileOf(traits: unknown): object {
  // No prototype: a page may have added names to `Object.prototype`, and a trait may have any name.
  const own: Record<string, unknown> = { __proto__: null, ...(traits as Traits) };
  const attributes: Record<string, unknown> = { __proto__: null };
  const profile: Record<string, unknown> = { attributes };

  for (const trait in own) {
    const given = own[trait];
    const value =
      // Segment's company is an object. WebEngage's field holds its name.
      (trait === 'company' && { __proto__: null, ...(given as { readonly name?: unknown }) }.name) ||
      // People write phone numbers in groups, and a gender with a capital. No other field's name matches.
      (typeof given === 'string' && /r$|ph/.test(trait)
        ? given.replace(/[\s().-]/g, '').toLowerCase()
        : given);
    // biome-ignore lint/style/useTemplate: it compresses better
    if (FIELD.test(typeof value + trait + '\0' + (typeof value === 'string' && value))) {
      profile[trait] = value;
      // An object holds more than the field, so it also stays as an attribute.
      if (typeof given !== 'object') continue;
    }
    attributes[trait] = given;
  }
  const birthday = attributes.birthday;
  // A calendar day in the visitor's time zone, whatever hour comes with it. In UTC it would be the day
  // before, west of Greenwich.
  const day = typeof birthday === 'string' ? new Date(`${birthday.slice(0, 10)}T00:00`) : birthday;
  // WebEngage's dates have four-digit years. Between 1019 and 2920 the year has four digits
  // in every time zone.
  if (day instanceof Date && (+day) ** 2 < 9e26) {
    profile.birthDate = day;
    attributes.birthday = undefined;
  }
  return profile;
}
