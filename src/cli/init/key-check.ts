import { randomBytes } from 'node:crypto';
import { readSaid, type Said } from '../../edge/delivery/error-text.ts';
import { verdictOf } from '../../edge/delivery/verdict.ts';
import { readSettings } from '../../edge/settings/settings.ts';
import type { SettingsEnv } from '../../edge/settings/settings-env.ts';

/** What one empty call says of key, license code and region. */
export type KeyCheck = {
  /** `wrong`: no call would be taken. `unsure`: nothing was said of them. */
  readonly verdict: 'right' | 'wrong' | 'unsure';
  readonly words: string;
};

const TIMEOUT_MS = 10_000;

// No record, so nobody's profile is touched, whatever is made of it.
const NO_EVENTS = '{"events":[]}';

/**
 * Makes one call of no records to WebEngage, as the relay would. It never rejects, follows no redirect, and tells the key
 * to nobody else: the address comes from the relay's own closed list.
 */
export async function checkKey(env: SettingsEnv): Promise<KeyCheck> {
  const read = readSettings({ ALLOWED_ORIGINS: '*', ...env });
  if (!read.ok) return { verdict: 'wrong', words: read.message };
  const { upstream, licenseCode, apiKeys } = read.settings;
  try {
    const answer = await fetch(`${upstream}/v1/accounts/${licenseCode}/bulk-events`, {
      method: 'POST',
      body: NO_EVENTS,
      headers: {
        Authorization: `Bearer ${apiKeys.primary}`,
        'Content-Type': 'application/json',
        'x-request-id': randomBytes(16).toString('hex'),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return meaningOf(answer.status, await readSaid(answer, [apiKeys.primary]));
  } catch {
    return {
      verdict: 'unsure',
      words: `${upstream} does not answer from here, so the key could not be checked`,
    };
  }
}

/**
 * What an answer to the empty call means. 401 and 404 are documented; that the key is looked at before the records is how
 * such APIs are built; that a wrong license code is not answered with 400 as well, no document says.
 */
export function meaningOf(status: number, { says, words }: Said): KeyCheck {
  const answer = `WebEngage answers ${status}${words && ` (${words})`}`;
  switch (verdictOf({ status, retryAfter: null, says }, 0).kind) {
    case 'taken':
      return { verdict: 'right', words: `${answer}: it accepts the key for events` };
    case 'refused':
      return {
        verdict: 'right',
        words: `${answer}: it refuses the empty call, not the key. It may answer a wrong license code in the same way: compare the code with the dashboard's`,
      };
    case 'misconfigured':
      return {
        verdict: 'wrong',
        words:
          status === 401 || status === 403
            ? `${answer}: the key is wrong, or not allowed to write events`
            : `${answer}: the license code or the region is wrong`,
      };
    default:
      return { verdict: 'unsure', words: `${answer}, so the key could not be checked` };
  }
}
