import { regionOfHost } from './upstream.ts';

// https://developers.cloudflare.com/durable-objects/reference/data-location/
export const LOCATION_HINTS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
export const JURISDICTIONS = ['eu', 'us', 'fedramp'] as const;

export type LocationHint = (typeof LOCATION_HINTS)[number];
export type Jurisdiction = (typeof JURISDICTIONS)[number];

// Near WebEngage rather than near the first sender: each call goes there and back.
const NEAR: Readonly<Record<string, LocationHint>> = { global: 'enam', in: 'apac', ksa: 'me' };

type PlacementEnv = {
  readonly LOCATION_HINT?: string;
  readonly WEBENGAGE_REGION?: string;
  readonly WEBENGAGE_HOST?: string;
};

/** Where to create Durable Objects. Undefined if LOCATION_HINT is not one of Cloudflare's locations. */
export function locationHintOf(env: PlacementEnv): LocationHint | undefined {
  const { LOCATION_HINT, WEBENGAGE_REGION, WEBENGAGE_HOST } = env;
  const region = regionOfHost(WEBENGAGE_HOST?.trim() ?? '') ?? WEBENGAGE_REGION?.trim();
  const hint = LOCATION_HINT?.trim() || (NEAR[region || 'global'] ?? 'enam');
  return LOCATION_HINTS.find((each) => each === hint);
}
