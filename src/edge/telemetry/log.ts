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

/** What one relay pass did, and what it left. It contains no records and no ids. */
export type PassReport = {
  /** The outbox's name, such as `4/2`. */
  readonly outbox: string;
  /** What was counted during the pass. */
  readonly did: Readonly<Record<Did, number>>;
  readonly waiting: number;
  readonly deadLetters: number;
  readonly tookMs: number;
  /** When the next pass is due. Null if nothing waits. */
  readonly nextInMs: number | null;
};

/**
 * Logs one line for the operator. It also sends the figures to Workers Analytics Engine if a dataset is
 * bound: the outbox is the index, and the doubles are in the order of the line, without `nextInMs`.
 * https://developers.cloudflare.com/analytics/analytics-engine/
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
    // Missing figures must not fail the pass.
    logFault('analytics_failed', fault);
  }
}

/** A call that did not settle its batch. Status 0 means no answer. */
export type FailedCall = {
  readonly status: number;
  readonly kind: RecordKind;
  readonly attempts: number;
  /** `response.status` of WebEngage's own answer, if there was one. */
  readonly says?: string;
};

/** Logs that WebEngage did not accept a batch. The line contains no record. */
export function logFailedCall(call: FailedCall): void {
  console.warn(JSON.stringify({ event: 'call_failed', ...call }));
}

/** Logs that WebEngage accepted a call with another status than the documented `queued`. */
export function logUnfamiliar(says: string): void {
  console.warn(JSON.stringify({ event: 'unfamiliar_answer', says }));
}

/** Refused batches, by the quota that their sender exceeded. */
export type Limited = { readonly address: number; readonly browser: number; readonly share: number };

/** Logs the batches refused for a quota since the last such line. The line contains no address and no id. */
export function logLimited(refused: Limited): void {
  console.warn(JSON.stringify({ event: 'rate_limited', ...refused }));
}

/** Of one server: batches that had to wait, because of a limit or of a full outbox, and rejected records. */
export type ServerRefused = 'limited' | 'full' | 'rejected';

/** Logs what the relay did not take of a server since the last such line. The name is the operator's own. */
export function logServerRefused(sender: string, refused: Counts<ServerRefused>): void {
  console.warn(JSON.stringify({ event: 'server_refused', sender, ...refused }));
}

/** Logs, in each run of the watchdog, which setting or binding is at fault. The line contains no value. */
export function logBroken(says: string): void {
  console.error(JSON.stringify({ event: 'broken', says }));
}

/** Logs that deliveries are suspended: WebEngage accepts nothing. All records are kept until the configuration is fixed. */
export function logSuspended(status: number): void {
  console.error(JSON.stringify({ event: 'suspended', status }));
}

/** Logs that WebEngage accepts records again. */
export function logRecovered(
  { since, status }: { readonly since: number; readonly status: number },
  now: number,
): void {
  console.log(JSON.stringify({ event: 'recovered', status, afterMs: now - since }));
}

/** Logs how often a wrong ADMIN_TOKEN was sent to `/admin` since the last such line. */
export function logWrongTokens(wrong: number): void {
  console.warn(JSON.stringify({ event: 'wrong_admin_token', times: wrong }));
}

/** Logs how often a wrong METRICS_TOKEN was sent to `/metrics` since the last such line. */
export function logWrongMetricsTokens(wrong: number): void {
  console.warn(JSON.stringify({ event: 'wrong_metrics_token', times: wrong }));
}

/** Logs, as an audit trail, how many dead letters an ADMIN_TOKEN holder has replayed or discarded. */
export function logDeadLetters(done: 'replayed' | 'discarded', deadLetters: number): void {
  console.log(JSON.stringify({ event: 'dead_letters', [done]: deadLetters }));
}

/** What an ADMIN_TOKEN holder has erased. */
type LoggedErasure = {
  readonly waiting: number;
  readonly inFlight: number;
  readonly deadLetters: number;
  readonly violations: number;
  readonly unanswered: number;
  readonly lifted: boolean;
};

/** Logs, as an audit trail, that a person was erased, or that their mark was lifted. The line contains no id. */
export function logErasure(erasure: LoggedErasure): void {
  console.log(JSON.stringify({ event: 'erasure', ...erasure }));
}

/** Logs that an outbox is about to be restored, with the bookmark that undoes it. It contains no record. */
export function logRestoring(outbox: string, undoBookmark: string): void {
  console.warn(JSON.stringify({ event: 'restoring', outbox, undoBookmark }));
}

/** Logs, as an audit trail, a step of a restore by an ADMIN_TOKEN holder. */
export function logRestore(
  outbox: string,
  step: 'restored' | 'not_restored' | 'unclear' | 'undone' | 'resumed',
  at?: number,
): void {
  const to = at === undefined ? {} : { to: new Date(at).toISOString() };
  console.warn(JSON.stringify({ event: 'restore', outbox, step, ...to }));
}

/** Logs, in each run of the watchdog, that an outbox is on hold: a hold must not be forgotten. */
export function logOnHold(outbox: string): void {
  console.warn(JSON.stringify({ event: 'on_hold', outbox }));
}

/** Logs the batches refused for an identity token or a server's token, by reason. The line contains nothing of a token. */
export function logTokensRefused(refusals: Counts<string>): void {
  console.warn(JSON.stringify({ event: 'tokens_refused', ...refusals }));
}

/**
 * Logs the number of violations of the tracking plan, by type. The line contains no names: those that are not
 * in the plan come from senders.
 */
export function logOffPlan(breaches: Counts<Breach>): void {
  console.warn(JSON.stringify({ event: 'off_plan', ...breaches }));
}

/**
 * Logs the records of bots since the last such line, by what gave the bots away, and how many of them were refused.
 * The line contains no user agent, which can identify someone.
 */
export function logBots(records: Counts<string>): void {
  console.log(JSON.stringify({ event: 'bots', ...records }));
}

/** Logs that an alert begins or ends. */
export function logAlert({
  alert,
  state,
}: {
  readonly alert: string;
  readonly state: 'begins' | 'ends';
}): void {
  console.warn(JSON.stringify({ event: 'alert', alert, state }));
}

/** Logs that a receiver of alerts did not take a message, or that an invalid setting keeps messages from it. Status 0 means no answer. */
export function logAlertFailed(
  failed: { readonly form: string } & ({ readonly status: number } | { readonly invalid: 'ALERT_SECRET' }),
): void {
  console.warn(JSON.stringify({ event: 'alert_failed', ...failed }));
}

/** Logs how many messages about alerts were given up, because no receiver took them for a day. */
export function logAlertsGivenUp(messages: number): void {
  console.error(JSON.stringify({ event: 'alerts_given_up', messages }));
}

/** Logs an unexpected error: its type and its place. It leaves out the message, which may quote a visitor's data. */
export function logFault(event: string, error: unknown): void {
  const { name, message, stack = '' } = error instanceof Error ? error : { name: typeof error, message: '' };
  // Only the text after the message: a line of the message may look like a stack frame.
  const begun = stack.indexOf(message);
  const behind = begun < 0 ? '' : stack.slice(begun + message.length);
  const places = behind.split('\n').filter((line) => /^\s+at /.test(line));
  console.error(JSON.stringify({ event, error: name, at: places.slice(0, 3).map((line) => line.trim()) }));
}
