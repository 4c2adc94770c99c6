import type { AlertName } from '../../src/edge/alerts/alert.ts';

/** What the message of each alert asks for. Its runbook asks for the same. */
export const REMEDIES = {
  broken: 'deploy',
  suspended: 'npx wrangler secret put WEBENGAGE_API_KEY',
  stale: 'status page of WebEngage',
  full: 'raise MAX_BACKLOG',
  silent: 'raise OUTBOX_SHARDS',
  late: 'ask WebEngage for a higher',
  filling: 'Raise MAX_BACKLOG',
  dead_letters: 'replay or discard',
  tokens_refused: 'IDENTITY_KEY',
  doubles_possible: 'counts at WebEngage',
} as const satisfies Record<AlertName, string>;
