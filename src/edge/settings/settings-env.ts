/** What the operator sets, as secrets and variables. */
export type SettingsEnv = {
  /** Secret: the key of a WebEngage service account. */
  readonly WEBENGAGE_API_KEY?: string;
  /** Secret: the account's other key. Tried when WebEngage refuses the first, so that keys rotate without a pause. */
  readonly WEBENGAGE_API_KEY_SECONDARY?: string;
  readonly WEBENGAGE_LICENSE_CODE?: string;
  /** `global` (the default), `in` or `ksa`: where the account lives. */
  readonly WEBENGAGE_REGION?: string;
  /** In place of a region, for development: the sandbox's address, as `http://127.0.0.1:8788`. */
  readonly WEBENGAGE_HOST?: string;
  /** The sites that may send, with commas: `https://shop.example.com,https://*.example.com`; or `*`. */
  readonly ALLOWED_ORIGINS?: string;
  /**
   * Calls to WebEngage in any 60 seconds. 500 is what an account has; less leaves some to other programs. More counts from when
   * WebEngage's `X-RateLimit-Limit` says that the account has more.
   */
  readonly REQUESTS_PER_MINUTE?: string;
  /** How long a record may wait for others to fill its batch. */
  readonly LINGER_MS?: string;
  /** Outboxes among which the browsers are divided: 1 to 64. One takes some 500 flushes a second. */
  readonly OUTBOX_SHARDS?: string;
  /** Records the relay holds at the most, dead letters too, over all outboxes. Beyond it browsers keep theirs. */
  readonly MAX_BACKLOG?: string;
  /** Where the outboxes and the gate are made, as Cloudflare names it: `weur`, say. By default near WebEngage's region. */
  readonly LOCATION_HINT?: string;
  /** `eu`, `us` or `fedramp`: the outboxes and their records never leave it. */
  readonly JURISDICTION?: string;
  /** How long records may wait and none be taken before `/health` says so. */
  readonly HEALTH_STALE_MS?: string;
  /** Requests that one relay pass may make, by the plan of the Cloudflare account: 10,000 on the paid one, 50 on the free one. */
  readonly MAX_SUBREQUESTS?: string;
  /** Secret: opens `/admin`. At least 32 characters; without it the door stays shut. */
  readonly ADMIN_TOKEN?: string;
  /** Secret: servers that show it may send, with no `Origin`. At least 32 characters; without it only pages send. */
  readonly SERVER_TOKEN?: string;
  /** `off` (the default), `optional` or `required`: whether records with a userId need an identity token. */
  readonly IDENTITY?: string;
  /** Secret: what identity tokens are verified with. A public key in PEM, a JWK set, or a secret of 32 bytes or more. */
  readonly IDENTITY_KEY?: string;
  /** `off`, `report` or `enforce`: what becomes of records that are off the tracking plan, where the relay has one. */
  readonly TRACKING_PLAN?: string;
};

/** The settings without the newline that a pipe leaves at the end of a secret. Bindings stand beside them. */
export function trimmed(env: SettingsEnv): SettingsEnv {
  const texts = Object.entries(env).filter(
    // Of a shared secret it may be a part.
    ([name, value]) => typeof value === 'string' && name !== 'IDENTITY_KEY',
  );
  return { ...env, ...Object.fromEntries(texts.map(([name, value]) => [name, `${value}`.trim()])) };
}
