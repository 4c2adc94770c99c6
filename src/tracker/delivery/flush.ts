import { clockOffset } from '../page/clock.ts';
import type { Page } from '../page/page.ts';
import { among, isSetAside, resync } from '../page/unsettled.ts';
import { confirmVisitor, isIn } from '../page/visitor-state.ts';
import type { StoredEntry } from '../record/call.ts';
import type { FlushEnd, Outcome } from '../record/outcome.ts';
import { bare } from '../record/own-fields.ts';
import { readVisitor } from '../record/visitor.ts';
import { VISITOR } from '../store/record-store.ts';
import { fitting } from './batch-limits.ts';
import { nextStep } from './next-step.ts';
import { MAX_KEEPALIVE_BYTES, sendBatch } from './relay-client.ts';
import { readSendRate, SEND_RATE } from './send-rate.ts';
import { conclude, drop, slowDown } from './settle.ts';

// A batch that keeps failing is halved, but not at each failure of a relay that is down. It is halved once in
// this many failures in a row: more often if the relay itself has refused the batch.
const BISECT_SURE = 4;
const BISECT_MAYBE = 8;

const MAX_SET_ASIDE = 50;

// The database learns a new clock offset only if it differs by at least this: a response can take as long.
const MIN_OFFSET_CHANGE_MS = 1_000;

/** Reads the visitor again. Stores the clock offset that the relay's responses have taught. */
async function refreshVisitor(page: Page): Promise<void> {
  let kept = readVisitor(await page.records.get(VISITOR));
  const offset = clockOffset(page) ?? Number.NaN;
  if (kept.device && Math.abs(offset - (kept.clockOffset ?? Number.MAX_VALUE)) >= MIN_OFFSET_CHANGE_MS)
    kept = await page.records.update(VISITOR, (value) => {
      const other = readVisitor(value);
      return other.device ? { ...other, clockOffset: offset } : other;
    });
  if (kept.changes) confirmVisitor(page, kept);
}

/** Settles the requests that were sent during unload. */
async function concludeUnload(page: Page): Promise<void> {
  const sent = page.sentOnUnload;
  for (const { batch, answer } of sent) {
    const outcome = await answer;
    const left = among(page, batch);
    // A batch that the relay refuses stays in the buffer. The next step finds it and halves it.
    if (outcome.suspects !== 'sure' && left.length > 0)
      // As after one failure: a success then ends the pause of all tabs.
      await conclude(page, left, outcome, 1);
  }
  // More requests may have been sent meanwhile.
  page.sentOnUnload = page.sentOnUnload.slice(sent.length);
}

/** The oldest records that may be sent. */
async function peek(page: Page): Promise<readonly StoredEntry[]> {
  const { batchSize } = page.settings;
  if (page.tokens) return page.tokens.peek(batchSize);
  const limit = batchSize + page.setAside.length;
  const seen = await page.records.peek(limit);
  const oldest = seen.filter((entry) => !isSetAside(page, entry));
  page.skippedCount = seen.length - oldest.length;
  resync(page, seen, seen.length < limit);
  return oldest;
}

async function giveUpBisecting(page: Page, outcome?: Outcome): Promise<void> {
  page.setAside = [];
  page.maxSetAside = Math.min(page.maxSetAside * 2, MAX_SET_ASIDE);
  page.batchSize = page.settings.batchSize;
  await slowDown(page, outcome);
}

/**
 * Whether one record may be at fault.
 * A relay that refuses everything must not be asked about each record again and again.
 */
function mayBisect(
  { batchSize, settings, setAside }: Page,
  { suspects }: Outcome,
  failures: number,
): boolean {
  if (!suspects) return false;
  const isBisecting = batchSize < settings.batchSize || setAside.length > 0;
  const isSure = suspects === 'sure';
  return isBisecting || failures % (isSure ? BISECT_SURE : BISECT_MAYBE) === 1 || (isSure && failures === 0);
}

async function send(page: Page, oldest: readonly StoredEntry[], failures: number): Promise<void> {
  const { settings } = page;
  const due = oldest.slice(0, page.batchSize);
  const [fit] = fitting(page.tokens?.together(due) ?? due, MAX_KEEPALIVE_BYTES);
  // A record that is too large by itself is sent anyway: the relay refuses it.
  const batch = fit.length > 0 ? fit : due.slice(0, 1);
  const outcome = await sendBatch(page, batch);
  await refreshVisitor(page);
  // The visitor opted out meanwhile. These records were reported as dropped, and nothing may be stored now.
  if (!isIn(page)) return;
  // An unload may have aborted this request. The outcome of the unload's own request then decides.
  if (outcome.reason === 'network' && page.sentOnUnload.length > 0) return;
  if (mayBisect(page, outcome, failures)) {
    const { message = 'was refused by a firewall or proxy' } = outcome;
    // Halves down to the record at fault. That one is set aside until another record is accepted.
    if (batch.length > 1) page.batchSize = batch.length >> 1;
    else {
      const aside = batch.map((entry) => bare({ ...entry, issues: [{ path: '', message }] }));
      page.setAside = [...page.setAside, ...aside];
    }
    if (page.setAside.length > page.maxSetAside) await giveUpBisecting(page, outcome);
    return;
  }
  await conclude(page, batch, outcome, failures);
  if (!outcome.reason) page.batchSize = Math.min(settings.batchSize, page.batchSize * 2);
}

/**
 * Runs one step of a flush: sends the oldest batch, if it is due. Returns how the flush ends, or undefined if it
 * goes on.
 *
 * A record leaves the buffer only after the relay has answered for it. Never runs beside another step, in any tab:
 * the records in hand would be sent twice.
 */
export async function flushStep(page: Page): Promise<FlushEnd | undefined> {
  const { records, emit } = page;
  await refreshVisitor(page);
  if (!isIn(page)) return bare({});
  await concludeUnload(page);
  const oldest = await peek(page);
  // No other record is left to show whether those set aside are at fault.
  if (oldest.length === 0 && page.setAside.length > 0) return void (await giveUpBisecting(page));
  const rate = readSendRate(await records.get(SEND_RATE));
  page.pause = rate.pause;
  const next = bare(nextStep(page, [oldest, rate], page.time.mono() - page.dueBefore));
  if (next.expired) return void (await drop(page, next.expired, 'expired'));
  if (!next.rate) {
    const { reason, forMs = 0 } = next;
    // Waiting for the allowance is normal, and not reported.
    if (reason && reason !== 'tokens') {
      // Or the browser sends what was left with it, if the page is gone in a moment.
      if (reason !== 'network') page.armed?.abort();
      emit('retrying', { reason, inMs: forMs });
    }
    if (reason === 'network') page.askSync?.();
    return next;
  }
  // A token has expired since the records were read. The next step skips its records.
  if (oldest.some((entry) => page.tokens?.token([entry]) === null)) return undefined;
  await records.update(SEND_RATE, () => next.rate);
  // Another tab may have opted out since the records were read.
  if (!isIn(page)) return undefined;
  if (!next.asksTime) return void (await send(page, oldest, rate.failures));
  // The relay refuses an empty batch, but its response has the time.
  const outcome = await sendBatch(page, []);
  if (!page.isClockConfirmed) await slowDown(page, outcome);
}
