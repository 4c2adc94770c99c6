/** What of an address may be told: an address holds whatever a site puts there, tokens and e-mail addresses with it. */
export type AddressRules = {
  /**
   * Parameters of the query that stay in the address. A page that differs in no other parameter is the same page.
   *
   * @default none
   */
  readonly query?: readonly string[] | undefined;

  /**
   * Parameters of the query that are told as properties of their own: where the visitor came from.
   *
   * @default `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`, `utm_id`, `gclid`, `gbraid`, `wbraid`,
   * `fbclid`, `msclkid`, `ttclid`
   */
  readonly campaign?: readonly string[] | undefined;

  /**
   * For sites that route by the hash: what follows `#/` or `#!/`, up to a `?`, is part of the address. Any other hash
   * never is: it is a place within a page, or what a sign-in left there.
   *
   * @default false
   */
  readonly hashRoutes?: boolean | undefined;

  /**
   * Changes an address, in place, before anything is read from it: the page's own, and that of the referrer.
   * A page whose addresses make it throw is not counted.
   */
  readonly redact?: ((address: URL) => void) | undefined;
};

export type Address = {
  readonly url: string;
  /** What of it follows the origin, the query aside. */
  readonly path: string;
  readonly campaign: { readonly [parameter: string]: unknown };
};

// A closed list, not all that begins with `utm_`: whoever writes a link would add attributes to the account, for good.
const CAMPAIGN =
  'utm_source,utm_medium,utm_campaign,utm_term,utm_content,utm_id,gclid,gbraid,wbraid,fbclid,msclkid,ttclid'.split(
    ',',
  );

/** What is told of an address. Throws what `redact` throws. */
export function toldAddress(
  href: string,
  { query = [], campaign = CAMPAIGN, hashRoutes, redact }: AddressRules,
): Address {
  const address = new URL(href);
  redact?.(address);
  // Sets, and no `includes`: pages replace the methods of arrays.
  const isKept = new Set(query);
  const isCampaign = new Set(campaign);
  const kept = new URLSearchParams();
  const found: Record<string, string | null> = { __proto__: null };
  address.searchParams.forEach((value, name) => {
    if (isKept.has(name)) kept.append(name, value);
    // The first of a name, as `get` has it.
    if (value && isCampaign.has(name)) found[name] ||= value;
  });

  address.search = `${kept}`;
  address.hash = (hashRoutes && /^#!?\/[^?]*/.exec(address.hash)?.[0]) || '';
  address.username = address.password = '';
  return { url: address.href, path: address.pathname + address.hash, campaign: found };
}
