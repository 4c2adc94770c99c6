/**
 * @typedef {{ readonly at: number, readonly accepted: number, readonly unverified: number, readonly calls: number, readonly delivered: number, readonly deadLetters: number, readonly failed: number }} Minute
 * @typedef {{ readonly name: string, readonly records: number, readonly oldestAgeMs: number, readonly deadLetters: number, readonly databaseBytes: number, readonly full: boolean, readonly unreachable: boolean }} Shard
 * @typedef {{ readonly accepted: number, readonly duplicate: number, readonly rejected: number, readonly expired: number, readonly unverified: number, readonly delivered: number, readonly dead_letter: number, readonly requeued?: number, readonly replayed: number, readonly discarded: number, readonly calls: number, readonly taken: number, readonly refused: number, readonly paused: number, readonly misconfigured: number, readonly unknown: number, readonly too_large: number, readonly unfamiliar: number }} Totals
 * @typedef {{ readonly records: number, readonly oldestAgeMs: number, readonly retrying: number, readonly byStatus: Readonly<Record<string, number>>, readonly maxRecords: number, readonly growthPerMinute: number, readonly drainMs: number | null }} Backlog
 * @typedef {{ readonly since: number, readonly status: number, readonly probeAt: number }} Held
 * @typedef {{ readonly requestsPerMinute: number, readonly pausedUntil: number | null, readonly held: Held | null, readonly key: 'primary' | 'secondary', readonly maxCallBytes: number | null }} Gate
 * @typedef {{ readonly of: string, readonly path: string, readonly rule: string, readonly count: number, readonly lastAt: number }} Violation
 * @typedef {{ readonly mode: 'off' | 'report' | 'enforce', readonly kinds: readonly Violation[], readonly others: number }} TrackingPlan
 * @typedef {{ readonly version: string, readonly at: number, readonly backlog: Backlog, readonly deadLetters: number, readonly gate: Gate, readonly minutes: readonly Minute[], readonly recordsPerCall: number | null, readonly totals: Totals, readonly shards: readonly Shard[], readonly trackingPlan: TrackingPlan | null }} Status
 * @typedef {{ readonly id: string, readonly kind: 'event' | 'user', readonly device: string, readonly acceptedAt: number, readonly givenUpAt: number, readonly status: number, readonly words: string, readonly attempts: number, readonly record: Readonly<Record<string, unknown>> }} Letter
 * @typedef {{ readonly letters: readonly Letter[], readonly next: string | null }} Page
 * @typedef {{ readonly ids: readonly string[] } | { readonly all: true }} Which
 */

/**
 * `no_door`: the relay does not know this token, or has none. `failed`: why, in words for the operator.
 *
 * @template Body
 * @typedef {{ readonly kind: 'ok', readonly body: Body } | { readonly kind: 'no_door' } | { readonly kind: 'failed', readonly why: string }} Outcome
 */

/**
 * @typedef {object} Relay
 * @property {() => Promise<Outcome<Status>>} status
 * @property {(after: string | null) => Promise<Outcome<Page>>} letters Outbox by outbox, the oldest first in each.
 * @property {() => Promise<Outcome<Blob>>} everyLetter One JSON a line.
 * @property {(deed: 'replay' | 'discard', which: Which) => Promise<Outcome<number>>} settle How many it was done to.
 */

// So long a relay that is there at all has answered; every shard is asked.
const ANSWER_MS = 15_000;
// Thousands of letters are replayed, and read, some hundreds at a time.
const MANY_MS = 120_000;
// The relay takes no more ids at once.
const MAX_IDS = 500;
// Of thousands of dead letters the reader needs the first few.
export const PAGE_SIZE = 50;

const PAST = /** @type {const} */ ({ replay: 'replayed', discard: 'discarded' });

/**
 * The operator's door, to who holds the token. It never throws: what went wrong is told in words.
 *
 * @param {string} token
 * @returns {Relay}
 */
export function relayBehind(token) {
  const headers = { Authorization: `Bearer ${token}` };
  const json = (/** @type {Response} */ response) => response.json();

  return {
    status: () => ask('status', { headers }, ANSWER_MS, json),
    letters: (after) => {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(after === null ? {} : { after }) });
      return ask(`dead-letters?${query}`, { headers }, ANSWER_MS, json);
    },
    everyLetter: () => ask('dead-letters.ndjson', { headers }, MANY_MS, (response) => response.blob()),
    settle: async (deed, which) => {
      let settled = 0;
      for (const portion of portions(which)) {
        const outcome = await ask(
          `dead-letters/${deed}`,
          {
            method: 'POST',
            headers: { ...headers, 'Content-Type': 'application/json' },
            body: JSON.stringify(portion),
          },
          MANY_MS,
          async (response) => (await response.json())[PAST[deed]],
        );
        if (outcome.kind !== 'ok') return outcome;
        settled += outcome.body;
      }
      return { kind: 'ok', body: settled };
    },
  };
}

/**
 * @param {Which} which
 * @returns {readonly Which[]}
 */
function portions(which) {
  if ('all' in which) return [which];
  const { ids } = which;
  return Array.from({ length: Math.ceil(ids.length / MAX_IDS) }, (_, index) => ({
    ids: ids.slice(index * MAX_IDS, (index + 1) * MAX_IDS),
  }));
}

/**
 * @template Body
 * @param {string} path
 * @param {RequestInit} init
 * @param {number} withinMs
 * @param {(response: Response) => Promise<Body>} read
 * @returns {Promise<Outcome<Body>>}
 */
async function ask(path, init, withinMs, read) {
  try {
    const response = await fetch(`/admin/${path}`, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(withinMs),
    });
    if (response.status === 404) return { kind: 'no_door' };
    if (!response.ok) return { kind: 'failed', why: await refusalInWords(response) };
    return { kind: 'ok', body: await read(response) };
  } catch (error) {
    return { kind: 'failed', why: faultInWords(error, withinMs) };
  }
}

/** @param {Response} response */
async function refusalInWords(response) {
  const said = await response.json().then(
    (body) => body?.error?.message,
    // A gateway's page, not the relay's JSON: the status has to do.
    () => undefined,
  );
  return `The relay answers ${response.status}${typeof said === 'string' ? `: ${said}` : ''}.`;
}

/**
 * @param {unknown} error
 * @param {number} withinMs
 */
function faultInWords(error, withinMs) {
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return `The relay has not answered in ${withinMs / 1000} s.`;
  if (name === 'SyntaxError') return 'What answered is not the relay: its answer is not JSON.';
  return 'The relay is out of reach. It may be down, or this computer may be offline.';
}
