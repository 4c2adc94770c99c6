import type { RelayStatus, TestedAlerts } from '../edge/operator/relay-status.ts';
import type { DeadLetterPage } from '../edge/operator/routes.ts';

/** What can be done with dead letters. */
export type Action = 'replay' | 'discard';

export type Selection = { readonly ids: readonly string[] } | { readonly all: true };

export type Outcome<Body> =
  | { readonly kind: 'ok'; readonly body: Body }
  /** The relay does not know this token, or has none. */
  | { readonly kind: 'unauthorized' }
  /** Why, in a sentence for the operator. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The relay's admin API, for the holder of the token. Nothing here rejects. */
export type Client = {
  readonly status: () => Promise<Outcome<RelayStatus>>;
  /** Outbox by outbox, the oldest first in each. */
  readonly deadLetters: (after: string | null) => Promise<Outcome<DeadLetterPage>>;
  /** All dead letters, one JSON a line. */
  readonly exportDeadLetters: () => Promise<Outcome<Blob>>;
  /** Sends a test message to each destination of alerts. */
  readonly testAlerts: () => Promise<Outcome<TestedAlerts>>;
  /** Resolves to the number of dead letters that were replayed or discarded. */
  readonly settle: (action: Action, selection: Selection) => Promise<Outcome<number>>;
};

// A relay that runs at all has answered by then; every outbox is asked.
const ANSWER_MS = 15_000;
// Thousands of dead letters are replayed, and read, some hundreds at a time.
const MANY_MS = 120_000;
// The relay takes no more ids at once.
const MAX_IDS = 500;
// Of thousands of dead letters the reader needs the first few.
export const PAGE_SIZE = 50;

const PAST = { replay: 'replayed', discard: 'discarded' } as const;

export function createClient(token: string): Client {
  const headers = { Authorization: `Bearer ${token}` };
  const readJson = (response: Response) => response.json();

  return {
    status: () => ask('status', { headers }, ANSWER_MS, readJson),
    deadLetters: (after) => {
      const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(after !== null && { after }) });
      return ask(`dead-letters?${query}`, { headers }, ANSWER_MS, readJson);
    },
    exportDeadLetters: () => ask('dead-letters.ndjson', { headers }, MANY_MS, (response) => response.blob()),
    testAlerts: () => ask('alerts/test', { method: 'POST', headers }, MANY_MS, readJson),
    settle: async (action, selection) => {
      let settled = 0;
      for (const part of partsOf(selection)) {
        const outcome = await ask<number>(
          `dead-letters/${action}`,
          {
            method: 'POST',
            headers: { ...headers, 'Content-Type': 'application/json' },
            body: JSON.stringify(part),
          },
          MANY_MS,
          async (response) => (await response.json())[PAST[action]],
        );
        if (outcome.kind !== 'ok') return outcome;
        settled += outcome.body;
      }
      return { kind: 'ok', body: settled };
    },
  };
}

function partsOf(selection: Selection): readonly Selection[] {
  if ('all' in selection) return [selection];
  const { ids } = selection;
  return Array.from({ length: Math.ceil(ids.length / MAX_IDS) }, (_, index) => ({
    ids: ids.slice(index * MAX_IDS, (index + 1) * MAX_IDS),
  }));
}

async function ask<Body>(
  path: string,
  init: RequestInit,
  timeoutMs: number,
  read: (response: Response) => Promise<Body>,
): Promise<Outcome<Body>> {
  try {
    const response = await fetch(`/admin/${path}`, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 404) return { kind: 'unauthorized' };
    if (!response.ok) return { kind: 'failed', reason: await refusalReason(response) };
    return { kind: 'ok', body: await read(response) };
  } catch (error) {
    return { kind: 'failed', reason: failureReason(error, timeoutMs) };
  }
}

async function refusalReason(response: Response): Promise<string> {
  const message: unknown = await response.json().then(
    (body) => body?.error?.message,
    // A gateway's page, not the relay's JSON: the status has to do.
    () => undefined,
  );
  return `The relay answers ${response.status}${typeof message === 'string' ? `: ${message}` : ''}.`;
}

function failureReason(error: unknown, timeoutMs: number): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return `The relay has not answered in ${timeoutMs / 1000} s.`;
  if (name === 'SyntaxError') return 'Something other than the relay answered: the answer is not JSON.';
  return 'The relay can’t be reached. It may be down, or this computer may be offline.';
}
