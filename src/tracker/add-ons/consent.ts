import type { Engine } from '../engine/engine.ts';
import type { Page } from '../page/page.ts';
import { choices, keptKeys } from '../page/visitor-state.ts';
import type {} from '../platform/missing-in-dom.ts';
import { bare, ownFields } from '../record/own-fields.ts';
import { isOut, readVisitor } from '../record/visitor.ts';
import { VISITOR } from '../store/record-store.ts';
import { statsOf } from '../store/stats.ts';
import type { AddOn } from './add-on.ts';
import { pendingCalls } from './pending-calls.ts';

/** The consent that applies until the visitor has chosen on this page. */
export type Consent = 'granted' | 'pending' | 'denied';

/** Options of `consent()`. */
export type ConsentOptions = {
  /**
   * The consent that applies on this page until `optIn()` or `optOut()` is called.
   *
   * - `pending`: calls wait in memory, and nothing is opened, read, stored or sent.
   * - `denied`: calls do nothing.
   * - `granted`: calls are made.
   *
   * @default 'pending'
   */
  readonly initial?: Consent;

  /**
   * Treats Global Privacy Control as `denied` until `optIn()` is called, whatever `initial` says.
   *
   * @default false
   */
  readonly respectGpc?: boolean;
};

/** Whether the visitor's browser sends Global Privacy Control. */
function sendsGpc(): boolean {
  return globalThis.navigator?.globalPrivacyControl === true;
}

/** Whether the visitor has agreed or opted out before, on this page or an earlier visit. */
async function isKnown(page: Page): Promise<boolean> {
  if (page.begun || choices(page) > 0 || keptKeys(page).length > 0) return true;
  const kept = readVisitor(await page.records.get(VISITOR));
  return !!kept.device || isOut(kept);
}

/** Wraps an engine: calls wait, or do nothing, until the visitor has chosen. */
function askFirst(engine: Engine, page: Page, initial: Consent): Engine {
  let consent = initial;
  const isGranted = () => consent === 'granted';
  const pending = pendingCalls(page.settings.maxRecords, ({ id }) =>
    page.emit('dropped', { ids: [id], reason: 'over_max_records' }),
  );

  return {
    open: () => isGranted() && engine.open(),
    isHeard: () => consent === 'pending' || (isGranted() && engine.isHeard()),
    add: (call) => (consent === 'pending' ? pending.add(call) : engine.add(call)),
    flush: async () => {
      if (consent === 'pending')
        return { settled: false, reason: 'no_consent', retryInMs: Number.POSITIVE_INFINITY };
      return isGranted() ? engine.flush() : { settled: true };
    },
    stats: async () => (isGranted() ? engine.stats() : statsOf(undefined)),
    optIn: () => {
      consent = 'granted';
      const begun = engine.optIn();
      pending.release(engine.add);
      return begun;
    },
    optOut: async () => {
      pending.discard();
      if (!isGranted()) {
        consent = 'denied';
        // Nothing is stored for a visitor who has never agreed, not even a mark. But data of
        // earlier visits must go.
        const isKnownHere = await isKnown(page);
        // The visitor has opted in meanwhile: the last choice counts.
        if (isGranted()) return;
        if (!isKnownHere) return void (await page.removeStore(page.endpointName));
      }
      await engine.optOut();
    },
  };
}

/**
 * Makes the tracker wait for the visitor's consent.
 *
 * Throws a `RangeError` for an unknown value, because a misspelt `pending` must not track.
 */
export function consent(options: ConsentOptions = {}): AddOn {
  const { initial = 'pending', respectGpc = false } = ownFields(options);
  if (initial !== 'pending' && initial !== 'denied' && initial !== 'granted')
    throw new RangeError(`consent must be pending, denied or granted, not ${initial}`);
  if (typeof respectGpc !== 'boolean')
    throw new RangeError(`respectGpc must be true or false, not ${respectGpc}`);

  return bare<AddOn>({
    asksConsent: true,
    engine: (engine, page) => askFirst(engine, page, respectGpc && sendsGpc() ? 'denied' : initial),
  });
}
