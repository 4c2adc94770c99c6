/**
 * Which parts of an address may be reported.
 * Addresses hold anything a site puts there, including tokens and e-mail addresses.
 */
export type AddressRules = {
  /**
   * Query parameters to keep in the address.
   * Pages that differ only in other parameters count as the same page.
   *
   * @default none
   */
  readonly query?: readonly string[] | undefined;

  /**
   * Query parameters to report as separate properties: they say where the visitor came from.
   *
   * @default `utm_source`, `utm_medium`, `utm_campaign`, `utm_term`, `utm_content`, `utm_id`, `gclid`,
   * `gbraid`, `wbraid`, `fbclid`, `msclkid`, `ttclid`
   */
  readonly campaign?: readonly string[] | undefined;

  /**
   * For sites that route by hash: keeps a hash that begins with `#/` or `#!/`, up to a `?`.
   * Any other hash is never reported: it is a place within a page, or left over from a sign-in.
   *
   * @default false
   */
  readonly hashRoutes?: boolean | undefined;

  /**
   * Changes an address in place before anything is read from it.
   * It is called for the page's own address and for the referrer's. If it throws, the page
   * view is not counted.
   */
  readonly redact?: ((address: URL) => void) | undefined;
};

export type Address = {
  readonly url: string;
  /** The path and the hash route, without the query. */
  readonly path: string;
  readonly campaign: { readonly [parameter: string]: unknown };
};

// A closed list, not every `utm_` parameter: anyone who writes a link could add attributes to the
// account, permanently.
const CAMPAIGN =
  'utm_source,utm_medium,utm_campaign,utm_term,utm_content,utm_id,gclid,gbraid,wbraid,fbclid,msclkid,ttclid'.split(
    ',',
  );

/** Returns the parts of an address that may be reported. Throws what `redact` throws. */
export function reportableAddress(
  href: string,
  { query = [], campaign = CAMPAIGN, hashRoutes, redact }: AddressRules,
): Address {
  const address = new URL(href);
  redact?.(address);
  // Sets rather than `includes`: pages replace array methods.
  const isKept = new Set(query);
  const isCampaign = new Set(campaign);
  const kept = new URLSearchParams();
  const found: Record<string, string | null> = { __proto__: null };
  address.searchParams.forEach((value, name) => {
    if (isKept.has(name)) kept.append(name, value);
    // The first value of each name that is not empty.
    if (value && isCampaign.has(name)) found[name] ||= value;
  });

  address.search = `${kept}`;
  address.hash = (hashRoutes && /^#!?\/[^?]*/.exec(address.hash)?.[0]) || '';
  address.username = address.password = '';
  return { url: address.href, path: address.pathname + address.hash, campaign: found };
}
