import type { RecordKind } from '../../contract/record.ts';
import type { Breach } from '../../plan/off-plan.ts';
import type { Counts } from './throttled-count.ts';

type Did =
  | 'entered'
  | 'delivered'
  | 'dead_letter'
  | 'taken'
  | 'refused'
  | 'paused'
  | 'misconfigured'
  | 'unknown'
  | 'too_large';

/** What one relay pass did, and what it left. No record and no id is in it. */
export type PassReport = {
  /** Which outbox, as `4/2`. */
  readonly outbox: string;
  /** What was counted while it ran. */
  readonly did: Readonly<Record<Did, number>>;
  readonly waiting: number;
  readonly deadLetters: number;
  readonly tookMs: number;
  /** When the next pass is due; null where nothing waits. */
  readonly nextInMs: number | null;
};

/**
 * One line for the operator, and the same figures for Workers Analytics Engine where a dataset is bound: index the outbox,
 * doubles in the order of the line. https://developers.cloudflare.com/analytics/analytics-engine/
 */
export function report(dataset: AnalyticsEngineDataset | undefined, pass: PassReport): void {
  const { outbox, did, nextInMs, ...figures } = pass;
  const { entered, delivered, dead_letter, taken, refused, paused, misconfigured, unknown, too_large } = did;
  const counts = {
    entered,
    delivered,
    dead_letter,
    taken,
    refused,
    paused,
    misconfigured,
    unknown,
    too_large,
  };
  console.log(JSON.stringify({ event: 'relay_pass', outbox, ...counts, ...figures, nextInMs }));
  try {
    dataset?.writeDataPoint({
      indexes: [outbox],
      blobs: ['relay_pass'],
      doubles: [...Object.values(counts), ...Object.values(figures)],
    });
  } catch (fault) {
    // Figures that are missed must not cost the pass that they are of.
    logFault('analytics_failed', fault);
  }
}

/** A call that did not settle its batch. Status 0: no answer. */
export type FailedCall = {
  readonly status: number;
  readonly kind: RecordKind;
  readonly attempts: number;
  /** `response.status` of WebEngage's own answer, where it came. */
  readonly says?: string;
};

/** One line for the operator: WebEngage did not take a batch. No record is in it. */
export function logFailedCall(call: FailedCall): void {
  console.warn(JSON.stringify({ event: 'call_failed', ...call }));
}

/** One line for the operator: WebEngage took a call and said so in other words than it documents, `queued`. */
export function logUnfamiliar(says: string): void {
  console.warn(JSON.stringify({ event: 'unfamiliar_answer', says }));
}

/** Batches refused, by the quota that their sender was over. */
export type Limited = { readonly address: number; readonly browser: number; readonly share: number };

/** One line for the operator: batches refused of senders over a quota, since the line before. No address and no id is in it. */
export function logLimited(refused: Limited): void {
  console.warn(JSON.stringify({ event: 'rate_limited', ...refused }));
}

/** One line for the operator: WebEngage takes nothing, so everything is kept, until the configuration is put right. */
export function logHeld(status: number): void {
  console.error(JSON.stringify({ event: 'held', status }));
}

/** One line for the operator: WebEngage takes records again. */
export function logRecovered(
  { since, status }: { readonly since: number; readonly status: number },
  now: number,
): void {
  console.log(JSON.stringify({ event: 'recovered', status, afterMs: now - since }));
}

/** One line for the operator: somebody showed a token at `/admin` that is not ADMIN_TOKEN, so many times since the last line. */
export function logWrongTokens(wrong: number): void {
  console.warn(JSON.stringify({ event: 'wrong_admin_token', times: wrong }));
}

/** One line for whoever asks later what became of dead letters: somebody with the ADMIN_TOKEN has dealt with so many. */
export function logLetters(done: 'replayed' | 'discarded', letters: number): void {
  console.log(JSON.stringify({ event: 'dead_letters', [done]: letters }));
}

/** One line for the operator: batches that were refused for their identity token, by why. Nothing of a token is in it. */
export function logTokensRefused(refusals: Counts<string>): void {
  console.warn(JSON.stringify({ event: 'tokens_refused', ...refusals }));
}

/**
 * One line for the operator: records were off the tracking plan, so often, by what was off. No name is in it: what is in no
 * plan is somebody else's words.
 */
export function logOffPlan(breaches: Counts<Breach>): void {
  console.warn(JSON.stringify({ event: 'off_plan', ...breaches }));
}

/**
 * One line for the operator: something failed that should not.
 * Its kind and its place; not its message, which may quote what a visitor sent.
 */
export function logFault(event: string, error: unknown): void {
  const { name, message, stack = '' } = error instanceof Error ? error : { name: typeof error, message: '' };
  // Behind the message alone: a line of it may look like a place.
  const begun = stack.indexOf(message);
  const behind = begun < 0 ? '' : stack.slice(begun + message.length);
  const places = behind.split('\n').filter((line) => /^\s+at /.test(line));
  console.error(JSON.stringify({ event, error: name, at: places.slice(0, 3).map((line) => line.trim()) }));
}
