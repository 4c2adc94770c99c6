import type { QueueWatch } from '../queue/watch.ts';
import type { AlertName, Figures } from './alert.ts';

/**
 * Whether an alert is due. `between` neither begins nor ends one: a figure between its two limits, or a
 * figure that could not be read.
 */
export type Condition = { readonly level: 'on' | 'between' | 'off'; readonly figures: Figures };

export type Conditions = Readonly<Record<AlertName, Condition>>;

/** An outbox as the watchdog found it. */
export type WatchedOutbox = {
  readonly name: string;
  /** False for an outbox of an earlier number of shards: it gets no new records, so it can't be too full. */
  readonly isCurrent: boolean;
  /** Undefined if it did not answer. */
  readonly watch: QueueWatch | undefined;
};

/** What one run of the watchdog found out. */
export type Findings = {
  /** A setting or binding is missing or invalid. Then the outboxes may not have been asked. */
  readonly isBroken: boolean;
  readonly missingBindings: number;
  readonly outboxes: readonly WatchedOutbox[];
  /** The outboxes that did not answer in the run before. */
  readonly silentBefore: readonly string[];
  /** The status that WebEngage answers to every call. Null unless deliveries are suspended. */
  readonly suspendedBy: number | null;
  /** Batches of the last five minutes that were refused for their tokens. */
  readonly tokensRefused: number;
};

/** The operator's limits. */
export type AlertLimits = { readonly lateMs: number; readonly staleMs: number };

// Of an outbox's room. It ends well below, because the backlog of a peak rises and falls around a limit.
const FILLING_FROM = 0.8;
const FILLING_TO = 0.7;

// A record that was late for a moment is late again soon, unless the backlog has shrunk well below the limit.
const LATE_TO = 0.5;

// A browser's token expires now and then, and its tracker gets another. A wrong key refuses every batch.
const MIN_TOKENS_REFUSED = 20;

// One call may fail at any time, and a restarted outbox leaves up to six of unknown outcome.
const MIN_UNKNOWN_CALLS = 10;

/** The conditions of all alerts. */
export function conditionsOf(findings: Findings, limits: AlertLimits, now: number): Conditions {
  const { isBroken, missingBindings, suspendedBy, tokensRefused } = findings;
  const outboxes = ofOutboxes(findings, limits, now);
  return {
    ...(isBroken && findings.outboxes.length === 0 ? mapConditions(outboxes, unclear) : outboxes),
    broken: isBroken ? on(missingBindings > 0 ? { bindings: missingBindings } : {}) : OFF,
    suspended: suspendedBy === null ? OFF : on({ status: suspendedBy }),
    tokens_refused: counted('batches', tokensRefused, MIN_TOKENS_REFUSED),
  };
}

type OfOutboxes = Omit<Conditions, 'broken' | 'suspended' | 'tokens_refused'>;

function ofOutboxes(
  { outboxes, silentBefore, suspendedBy }: Findings,
  { lateMs, staleMs }: AlertLimits,
  now: number,
): OfOutboxes {
  const watched = outboxes.flatMap(({ watch, isCurrent }) => (watch ? [{ ...watch, isCurrent }] : []));
  const silent = outboxes.filter(({ watch }) => watch === undefined).map(({ name }) => name);
  const current = watched.filter(({ isCurrent }) => isCurrent);
  const longest = (times: readonly (number | null)[]) => Math.max(0, ...times.map((at) => now - (at ?? now)));
  const age = longest(watched.map(({ oldestAt }) => oldestAt));
  const stalled = longest(watched.map(({ stalledSince }) => stalledSince));
  const used = Math.max(0, ...current.map((outbox) => outbox.used));
  const full = current.filter((outbox) => outbox.full).length;
  const sum = (amounts: readonly number[]) => amounts.reduce((all, amount) => all + amount, 0);
  const found: OfOutboxes = {
    // A suspension is the reason then, and has an alert of its own.
    stale: suspendedBy === null ? level(stalled, staleMs, staleMs, inSeconds(stalled)) : unclear(),
    late: level(age, lateMs, lateMs * LATE_TO, inSeconds(age)),
    filling: level(used, FILLING_FROM, FILLING_TO, { percent: Math.floor(used * 100) }),
    full: level(full, 1, 1, { outboxes: full }),
    // Once may be a deploy.
    silent: silent.some((name) => silentBefore.includes(name)) ? on({ outboxes: silent.length }) : OFF,
    dead_letters: counted('records', sum(watched.map(({ deadLetters }) => deadLetters)), 1),
    doubles_possible: counted('calls', sum(watched.map(({ unknown }) => unknown)), MIN_UNKNOWN_CALLS),
  };
  if (silent.length === 0) return found;
  // An outbox that does not answer may hold what would keep an alert up.
  return mapConditions(found, (condition) => (condition.level === 'on' ? condition : unclear()));
}

const OFF: Condition = { level: 'off', figures: {} };
const on = (figures: Figures = {}): Condition => ({ level: 'on', figures });
const unclear = (): Condition => ({ level: 'between', figures: {} });

function level(amount: number, from: number, to: number, figures: Figures): Condition {
  if (amount >= from) return on(figures);
  return amount < to ? OFF : { level: 'between', figures };
}

const counted = (name: string, amount: number, from: number) => level(amount, from, from, { [name]: amount });

const inSeconds = (ms: number): Figures => ({ seconds: Math.round(ms / 1_000) });

function mapConditions(conditions: OfOutboxes, change: (condition: Condition) => Condition): OfOutboxes {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, condition]) => [name, change(condition)]),
  ) as OfOutboxes;
}
