import { DurableObject } from 'cloudflare:workers';
import { noEvidence } from '../delivery/evidence.ts';
import type { PassEnd } from '../delivery/relay-pass.ts';
import { signal } from '../delivery/signal.ts';
import type { RefusalStreak } from '../gate/state.ts';
import { dueTimes } from '../limits/fair-queue.ts';
import { type Shares, shares } from '../limits/fair-share.ts';
import { addSenders, type SenderCounts } from '../queue/counters/sender-counts.ts';
import { readTotals } from '../queue/counters/tally.ts';
import { deadLetters, difference, waiting } from '../queue/counters/totals.ts';
import { requeue } from '../queue/dead-letters/dead-letters.ts';
import {
  type DeadLetterSelection,
  discard,
  discardExpired,
  listDeadLetters,
  replay,
  type StoredDeadLetterPage,
} from '../queue/dead-letters/operate.ts';
import { dropExpiredDays } from '../queue/dedup/remembered-ids.ts';
import { type EraseCursor, type Erased, eraseStep } from '../queue/erasure/erase.ts';
import { idOfPerson, type Person } from '../queue/erasure/person.ts';
import { type Suppression, suppression } from '../queue/erasure/suppression.ts';
import { alarmComes, type Delivery, ingest, type Receipt, SOONEST_ALARM_MS } from '../queue/ingest.ts';
import { dropExpiredViolations, violationTally } from '../queue/plan-violations.ts';
import { roomOf } from '../queue/room.ts';
import { openTables } from '../queue/schema.ts';
import { launchedBatches } from '../queue/sealed-batches.ts';
import { holdRuns } from '../queue/segments/segments.ts';
import { isOpenSegmentFull, isOpenSegmentOld, turnOver } from '../queue/segments/turn-over.ts';
import { type OutboxStatus, outboxStatus, type QueueHealth, queueHealth } from '../queue/status.ts';
import { type QueueWatch, queueWatch } from '../queue/watch.ts';
import { estimate, type Figures } from '../restore/figures.ts';
import type { RestoreState } from '../restore/holds.ts';
import type { Estimate } from '../restore/report.ts';
import {
  forgetRestore,
  type History,
  type NotRestored,
  rewind,
  type Target,
  wasRestored,
} from '../restore/rewind.ts';
import { type RelaySettings, readSettings } from '../settings/settings.ts';
import type { SettingsEnv } from '../settings/settings-env.ts';
import { logFault, logRestoring, report } from '../telemetry/log.ts';
import type { Observations } from '../telemetry/observations.ts';
import { observedTally } from '../telemetry/observed-tally.ts';
import { storedTally } from '../telemetry/stored-tally.ts';
import { type Enrolment, enrolment } from './enrolment.ts';
import { groupCommit } from './group-commit.ts';
import type { OutboxMetrics } from './outbox-metrics.ts';
import { newRequestId, outboxPasses } from './outbox-passes.ts';
import { gateOf, type RateGate } from './rate-gate.ts';
import { isRetryable, withRetry } from './with-retry.ts';

// The wait before the next pass if a setting is missing, or if a pass failed.
const AFTER_FAULT_MS = 30_000;

// The wait if the platform marks the error as retryable: one to two times this, at random.
const SOON_MS = 1_000;

// A scrape writes the observations too, and comes about this often. So passes seldom write a row for them.
const OBSERVED_EVERY_MS = 15_000;

// Flushes that arrive this soon after the last commit share the next one. A longer window would save little more.
const GROUP_MS = 5;

/** The name of an outbox that only serves to check that outboxes can be created. */
export const PROBE = 'probe';

export type OutboxEnv = SettingsEnv & {
  readonly RATE_GATE: DurableObjectNamespace<RateGate>;
  /** Optional: takes the report of each relay pass, for Workers Analytics Engine. */
  readonly ANALYTICS?: AnalyticsEngineDataset;
};

/** `isEmpty`: the outbox stores and remembers nothing, so the watchdog may leave it out. */
export type OutboxWatch = { readonly isEmpty: boolean; readonly figures: QueueWatch };

/** The result of one step of erasing a person. */
export type OutboxErased = {
  /** `violations`: kinds of violation that contained the id. */
  readonly erased: Erased & { readonly violations: number };
  /** Where the next step continues. Undefined after the last step. */
  readonly next: EraseCursor | undefined;
};

/** The time of the alarm, or null. */
type Alarm = { at: number | null };

/** The relay's durable queue. It stores records before they are acknowledged, and sends them in its alarm. */
export class Outbox extends DurableObject<OutboxEnv> {
  // A cache: an evicted outbox learns it again from its next pass.
  #backoffUntil = 0;
  readonly #fullBatch = signal();
  readonly #evidence = noEvidence();
  readonly #dueTimes = dueTimes();
  readonly #violations = violationTally();
  readonly #senders = storedTally<readonly SenderCounts[]>('senders', [], (...both) =>
    addSenders(both.flat()),
  );
  readonly #observed = observedTally();
  readonly #suppression: Suppression;
  readonly #joinGroup: () => Promise<Alarm>;
  readonly #enrolment: Enrolment;
  #shares: Shares | undefined;
  #pass: (() => Promise<PassEnd>) | undefined;
  // True at the start, because an evicted outbox does not know whether the gate keeps its figures.
  #isRestKept = true;
  // How many flushes are being stored. Their records are not visible yet.
  #storing = 0;
  #isRestoring = false;
  // A pass may hold a permit for a call that has not left yet.
  #isPassing = false;

  constructor(ctx: DurableObjectState, env: OutboxEnv) {
    super(ctx, env);
    if (!ctx.id.name?.endsWith(PROBE)) openTables(ctx.storage);
    this.#suppression = suppression(ctx.storage);
    const clock = { now: Date.now, sleep: (ms: number) => scheduler.wait(ms) };
    this.#joinGroup = groupCommit(GROUP_MS, clock, async () => ({ at: await ctx.storage.getAlarm() }));
    // A gate of an older release answers nothing.
    const enrol = async (name: string) =>
      (await withRetry(() => gateOf(this.env).enrolOutbox(name))) === true;
    this.#enrolment = enrolment(enrol, ctx.storage.kv);
  }

  /** Succeeds if an outbox can be created. Called on the outbox named PROBE, which stores nothing. */
  probe(): void {
    // Throws if the class has no SQLite.
    void this.ctx.storage.sql.databaseSize;
  }

  health(): QueueHealth {
    return queueHealth(this.ctx.storage.sql, roomOf(this.#settings()));
  }

  /**
   * Stores the new records of a delivery. After the answer `stored` they are on disk and will be sent.
   *
   * @param name this outbox's own name, which the platform does not pass to its alarm
   * @param observed observations of the caller, which count only if the records are stored
   */
  async ingest(name: string, delivery: Delivery, observed?: Observations): Promise<Receipt> {
    this.#storing += 1;
    try {
      const receipt = await this.#store(name, delivery);
      if (receipt.stored && observed !== undefined) this.#observed.add(observed);
      // If a record was accepted, a pass follows, and its request for a permit tells the gate.
      if (receipt.stored && receipt.accepted === 0) this.#endRest();
      return receipt;
    } finally {
      this.#storing -= 1;
    }
  }

  async #store(name: string, sent: Delivery): Promise<Receipt> {
    const { storage } = this.ctx;
    const isOnHold = await this.#enrolment.ensure(name);
    const settings = this.#settings();
    const { alarm, refusedIds, delivery } = await this.#admit(sent);
    // Senders keep their records, which would be lost if the restore were undone.
    if (isOnHold || this.#isRestoring) return { stored: false };
    // No `await` from here on: the group shares one commit because it continues in one turn.
    const sendingOn = {
      alarmAt: alarm.at,
      setAlarm: (at: number) => {
        alarm.at = at;
        void storage.setAlarm(at);
      },
      lingerMs: settings?.lingerMs ?? 0,
      backoffUntil: this.#backoffUntil,
      awaitsFullBatch: this.#fullBatch.isAwaited(),
      fullBatch: this.#fullBatch.ring,
    };
    this.#shares ??= settings && shares(settings.recordsPerMinutePerShard, this.#dueTimes);
    const receipt = ingest(storage, delivery, sendingOn, roomOf(settings), Date.now(), {
      ...(this.#shares && { shares: this.#shares }),
      countViolations: this.#violations.count,
      countSender: (counts) => this.#senders.add([counts]),
    });
    if (isOpenSegmentFull(storage.sql)) this.#turnOver();
    return receipt.stored && refusedIds.length > 0 ? { ...receipt, refusedIds } : receipt;
  }

  /** The records are stored already, so a failure must not refuse them. The next flush tries again. */
  #turnOver(): void {
    try {
      turnOver(this.ctx.storage, Date.now());
    } catch (error) {
      logFault('turn_over_failed', error);
    }
  }

  /** Removes the records of erased people, and waits for the delivery's turn in its group. */
  async #admit(sent: Delivery) {
    for (;;) {
      const turn = this.#suppression.turn();
      const admitted = await this.#suppression.admit(sent, Date.now());
      const alarm = await this.#joinGroup();
      // Otherwise a person was erased while the delivery waited, so it has to be admitted again.
      if (turn === this.#suppression.turn()) return { ...admitted, alarm };
    }
  }

  /**
   * Runs one step of erasing a person, and refuses new records of that person for eight days.
   *
   * @param from `next` of the previous step; undefined for the first step
   */
  async erase(name: string, person: Person, from?: EraseCursor): Promise<OutboxErased> {
    // Only listed outboxes are woken, and this one has to forget the person after those eight days.
    await this.#enrolment.ensure(name);
    const { storage } = this.ctx;
    if (from === undefined) await this.#suppression.add(person, Date.now());
    const now = Date.now();
    const { erased, next } = eraseStep(storage, person, from, now);
    this.#endRest();
    const [, id] = idOfPerson(person);
    const violations = next === undefined ? this.#violations.forgetName(storage.sql, id, now) : 0;
    return { erased: { ...erased, violations }, next };
  }

  /** Accepts records of an erased person again. Returns false if the person is not marked as erased. */
  lift(person: Person): Promise<boolean> {
    return this.#suppression.lift(person);
  }

  status(): OutboxStatus {
    const { sql, kv } = this.ctx.storage;
    const now = Date.now();
    return {
      ...outboxStatus(sql, roomOf(this.#settings()), now),
      violations: this.#violations.read(sql, now),
      senders: this.#senders.read(kv),
    };
  }

  metrics(): OutboxMetrics {
    const { kv } = this.ctx.storage;
    const now = Date.now();
    this.#senders.write(kv, now);
    const { minutes: _, violations: __, byStatus: ___, ...figures } = this.status();
    // Whether an outbox is full depends on a setting, which may change while it rests.
    const isResting = figures.records === 0 && !figures.full && this.#storing === 0;
    this.#isRestKept = isResting;
    return { ...figures, observed: this.#observed.write(kv, now), isResting };
  }

  /** Tells the gate that the figures which it may keep have changed. A request for a permit tells it too. */
  #endRest(): void {
    if (!this.#isRestKept || this.#settings()?.metricsToken === undefined) return;
    const name = this.ctx.storage.kv.get<string>('name');
    if (name === undefined) return;
    this.#isRestKept = false;
    const ended = gateOf(this.env).endRest(name);
    this.ctx.waitUntil(
      ended.catch(() => {
        this.#isRestKept = true;
      }),
    );
  }

  /**
   * Looks after the outbox between passes. It sets the alarm if records wait without one, deletes expired
   * data, and requeues the dead letters of a refusal streak. Returns true if the outbox stores and
   * remembers nothing.
   */
  async wake(streak?: RefusalStreak): Promise<boolean> {
    const { storage } = this.ctx;
    const now = Date.now();
    const bytesBefore = storage.sql.databaseSize;
    if (streak !== undefined) requeue(storage, streak, newRequestId, now);
    const { deadLetterMaxAgeDays } = this.#settings() ?? {};
    const discarded =
      deadLetterMaxAgeDays === undefined ? 0 : discardExpired(storage, deadLetterMaxAgeDays, now);
    const remembersPeople = this.#suppression.dropExpired(now);
    if (isOpenSegmentOld(storage.sql, now)) this.#turnOver();
    const remembersIds = dropExpiredDays(storage.sql, now) || holdRuns(storage.sql);
    this.#violations.write(storage.sql, now);
    this.#senders.write(storage.kv, now);
    const remembersViolations = dropExpiredViolations(storage.sql, now);
    if (discarded > 0 || storage.sql.databaseSize !== bytesBefore) this.#endRest();
    const totals = readTotals(storage.sql);
    if (waiting(totals) === 0) {
      const remembers = remembersIds || remembersViolations || remembersPeople;
      const isEmpty = deadLetters(totals) === 0 && !remembers && this.#storing === 0;
      if (isEmpty) this.#enrolment.end();
      return isEmpty;
    }
    if (!alarmComes(await storage.getAlarm(), now)) await storage.setAlarm(now + SOONEST_ALARM_MS);
    return false;
  }

  /** Does the same as `wake`, and returns the figures for the alerts. */
  async watch(streak?: RefusalStreak): Promise<OutboxWatch> {
    const isEmpty = await this.wake(streak);
    const { sql } = this.ctx.storage;
    return { isEmpty, figures: queueWatch(sql, roomOf(this.#settings()), Date.now()) };
  }

  /** A page of dead letters after an id, oldest first. */
  deadLetters(afterId: number, limit: number): StoredDeadLetterPage {
    return listDeadLetters(this.ctx.storage.sql, afterId, limit);
  }

  /** Sends dead letters again, at most `limit` of them. Returns how many. */
  async replay(selection: DeadLetterSelection, limit: number): Promise<number> {
    const replayed = replay(this.ctx.storage, selection, limit, Date.now());
    if (replayed > 0) await this.wake();
    return replayed;
  }

  /** Deletes dead letters, at most `limit` of them. Returns how many. */
  discard(selection: DeadLetterSelection, limit: number): number {
    const discarded = discard(this.ctx.storage, selection, limit, Date.now());
    if (discarded > 0) this.#endRest();
    return discarded;
  }

  /** The maximum cost of a restore to a moment. Undefined if the platform has no history of it. */
  async estimateRestore(at: number, restoredAt: number | undefined): Promise<Estimate | undefined> {
    const bookmark = await this.#history()
      .bookmarkAt(at)
      .catch(() => undefined);
    return bookmark === undefined ? undefined : estimate(this.ctx.storage.sql, at, restoredAt);
  }

  /**
   * Restores an outbox that is on hold. On success the object restarts and the call throws. Then `restored` has
   * the result.
   *
   * @param ids name this restore, and the hold under which it happens: that of an undo is older
   */
  async restore(
    name: string,
    target: Target,
    { id, hold }: { readonly id: string; readonly hold: string },
  ): Promise<NotRestored> {
    this.#isRestoring = true;
    try {
      return await rewind(target, id, {
        storage: this.ctx.storage,
        history: this.#history(),
        keep: (found) => withRetry(() => gateOf(this.env).keepHold(name, id, found)),
        isIdle: () =>
          this.#storing === 0 && !this.#isPassing && launchedBatches(this.ctx.storage.sql).length === 0,
        isOnHold: async () => {
          const state = await withRetry<RestoreState>(async () => gateOf(this.env).restoreOf(name));
          return state.hold?.id === hold;
        },
        wait: (ms) => scheduler.wait(ms),
        logRestoring: (undo) => logRestoring(name, undo),
      });
    } finally {
      this.#isRestoring = false;
    }
  }

  /** The figures after a restore. Undefined if it has not taken place. */
  restored(id: string): Figures | undefined {
    return wasRestored(this.ctx.storage, id);
  }

  /** Sends and stores records again. Call it after the gate has ended the hold. */
  async resume(): Promise<void> {
    forgetRestore(this.ctx.storage);
    await this.wake();
  }

  #history(): History {
    const { storage } = this.ctx;
    return {
      bookmarkAt: async (at) => storage.getBookmarkForTime(at),
      restoreOnStart: async (bookmark) => storage.onNextSessionRestoreBookmark(bookmark),
      restart: () => {
        this.ctx.abort('restoring to an earlier moment');
        throw new Error('the object restarts');
      },
    };
  }

  override async alarm(): Promise<void> {
    // The platform gives up an alarm after six throws. Only a failure of the storage may escape from here.
    this.#isPassing = true;
    try {
      const { nextAt, backsOff } = await this.#relayPass();
      this.#backoffUntil = backsOff ? (nextAt ?? 0) : 0;
      if (nextAt !== undefined) await this.#setAlarm(nextAt);
    } catch (error) {
      logFault('relay_pass_failed', error);
      const inMs = isRetryable(error) ? SOON_MS * (1 + Math.random()) : AFTER_FAULT_MS;
      this.#backoffUntil = Date.now() + inMs;
      await this.ctx.storage.setAlarm(this.#backoffUntil);
    } finally {
      this.#isPassing = false;
    }
  }

  async #relayPass(): Promise<PassEnd> {
    const settings = this.#settings();
    if (settings === undefined) return { nextAt: Date.now() + AFTER_FAULT_MS, backsOff: true };
    const { storage } = this.ctx;
    const startedAt = Date.now();
    const before = readTotals(storage.sql);
    this.#pass ??= outboxPasses(storage, this.env, settings, {
      evidence: this.#evidence,
      dueTimes: this.#dueTimes,
      fullBatch: this.#fullBatch.heard,
      observe: this.#observed.add,
    });
    const end = await this.#pass();
    const after = readTotals(storage.sql);
    const now = Date.now();
    this.#violations.write(storage.sql, now);
    this.#senders.write(storage.kv, now);
    this.#observed.writeAtMostEvery(OBSERVED_EVERY_MS, storage.kv, now);
    report(this.env.ANALYTICS, {
      outbox: storage.kv.get<string>('name') ?? '',
      did: difference(after, before),
      waiting: waiting(after),
      deadLetters: deadLetters(after),
      tookMs: now - startedAt,
      nextInMs: end.nextAt === undefined ? null : Math.max(0, end.nextAt - now),
    });
    return end;
  }

  /**
   * Keeps an earlier alarm that an ingest has set, since each one set is a row. Never sets one for now: such an alarm can
   * be lost.
   */
  async #setAlarm(nextAt: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    const soonest = Date.now() + SOONEST_ALARM_MS;
    if (set !== null && set >= soonest && set <= nextAt) return;
    await this.ctx.storage.setAlarm(Math.max(Math.min(nextAt, set ?? nextAt), soonest));
  }

  #settings(): RelaySettings | undefined {
    const read = readSettings(this.env);
    return read.ok ? read.settings : undefined;
  }
}
