import type { Context } from 'hono';
import { boolean, type InferOutput, maxLength, pipe, regex, safeParse, strictObject, string } from 'valibot';
import type { Relay } from '../durable-objects/env.ts';
import { everyOutbox, outboxNamed } from '../durable-objects/outbox-directory.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { refusal } from '../http/responses.ts';
import { costOf, type Figures, isUnbroken } from '../restore/figures.ts';
import type { Hold } from '../restore/holds.ts';
import type { RestorePreview, RestoreReport } from '../restore/report.ts';
import type { NotRestored, Target } from '../restore/rewind.ts';
import { logFault, logRestore } from '../telemetry/log.ts';
import { jsonBody } from './json-body.ts';

// The platform's history. https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#pitr-point-in-time-recovery-api
const HISTORY_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

const MAX_BODY_BYTES = 1024;

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

const name = pipe(string(), maxLength(20));
const outboxSchema = strictObject({ outbox: name });
const restoreSchema = strictObject({
  outbox: name,
  at: pipe(string(), regex(MOMENT)),
  dryRun: boolean(),
});

/** Restores one outbox to a moment and leaves it on hold, or only says the most that this would cost. */
export async function restoreOutbox(c: Context<Relay>): Promise<Response> {
  const { success, output } = safeParse(restoreSchema, await jsonBody(c.req.raw, MAX_BODY_BYTES));
  if (!success)
    return refusal(
      'invalid_request',
      'the body must be {"outbox":"1/0","at":"2026-11-23T15:45:00Z","dryRun":true}: dryRun false restores',
    );
  const at = Date.parse(output.at);
  const mistake = mistakeIn(at, Date.now());
  if (mistake !== undefined) return refusal('invalid_request', mistake);
  return (await isUnknown(c, output.outbox)) ?? (output.dryRun ? preview : carryOut)(c, output.outbox, at);
}

function mistakeIn(at: number, now: number): string | undefined {
  if (Number.isNaN(at)) return 'at must be a date that exists, such as 2026-11-23T15:45:00Z';
  if (at >= now) return 'at must be a moment in the past';
  return at < now - HISTORY_DAYS * DAY_MS
    ? `at must be within the last ${HISTORY_DAYS} days: the platform keeps no older history`
    : undefined;
}

async function preview(c: Context<Relay>, outbox: string, at: number): Promise<Response> {
  const { hold, restoredAt } = await gateOf(c.env).restoreOf(outbox);
  if (hold?.before !== undefined) return report(c, outbox);
  if (hold !== undefined) return onHold();
  const estimate = await outboxNamed(c.env, outbox).estimateRestore(at, restoredAt);
  if (estimate === undefined) return notRestored('no_history');
  const body: RestorePreview = { outbox, at: new Date(at).toISOString(), onHold: false, ...estimate };
  return Response.json(body);
}

async function carryOut(c: Context<Relay>, outbox: string, at: number): Promise<Response> {
  const hold: Hold = { id: crypto.randomUUID(), at, since: Date.now() };
  if (!(await gateOf(c.env).beginHold(outbox, hold))) return onHold();
  const why = await rewound(c, outbox, { at }, { id: hold.id, hold: hold.id });
  const state = await gateOf(c.env).restoreOf(outbox);
  // If it came so far as to keep its figures, the platform may have agreed: only the operator ends the hold.
  if (why !== undefined || state.hold?.before === undefined) {
    // It may be on hold for another restore by now.
    if (state.hold?.id === hold.id) await gateOf(c.env).endHold(outbox, false);
    logRestore(outbox, 'not_restored', at);
    return notRestored(why ?? 'busy');
  }
  const response = await report(c, outbox);
  logRestore(outbox, response.ok ? 'restored' : 'unclear', at);
  return response;
}

/** Undefined if the outbox may have been restored. */
async function rewound(
  c: Context<Relay>,
  outbox: string,
  target: Target,
  ids: { readonly id: string; readonly hold: string },
): Promise<NotRestored | undefined> {
  try {
    return await outboxNamed(c.env, outbox).restore(outbox, target, ids);
  } catch (error) {
    // This is how a restart looks to its caller.
    logFault('outbox_restarts', error);
    return undefined;
  }
}

/** Reports on an outbox that was restored and is on hold. */
async function report(c: Context<Relay>, outbox: string): Promise<Response> {
  const { hold, restoredAt } = await gateOf(c.env).restoreOf(outbox);
  if (hold?.before === undefined) return onHold();
  const after = await figuresAfter(c, outbox, hold.id);
  if (after === undefined) return unclear();
  const body: RestoreReport = {
    outbox,
    at: new Date(hold.at).toISOString(),
    onHold: true,
    ...costOf(hold.before, after, isUnbroken(hold.at, restoredAt)),
    records: after.waiting,
    deadLetters: after.deadLetters,
    isNew: after.entered === 0,
    undoBookmark: hold.undo ?? null,
  };
  return Response.json(body);
}

const figuresAfter = (c: Context<Relay>, outbox: string, id: string): Promise<Figures | undefined> =>
  withRetry<Figures | undefined>(async () => outboxNamed(c.env, outbox).restored(id));

/** Takes a restored outbox back to where it was before. Possible only on hold, so nothing is lost or doubled. */
export async function undoRestore(c: Context<Relay>): Promise<Response> {
  const given = await outboxOf(c);
  if (given instanceof Response) return given;
  const { outbox } = given;
  const { hold } = await gateOf(c.env).restoreOf(outbox);
  if (hold?.undo === undefined)
    return refusal(
      'invalid_request',
      'outbox has no restore to undo: that is possible until it is resumed. Restore it to a moment before instead',
    );
  const id = crypto.randomUUID();
  const why = await rewound(c, outbox, { bookmark: hold.undo }, { id, hold: hold.id });
  if (why !== undefined) return notRestored(why);
  if ((await figuresAfter(c, outbox, id)) === undefined) return unclear();
  await endHold(c, outbox, 'undone');
  return Response.json({ outbox, undone: true });
}

/** Lets an outbox on hold send and store again, as it is. */
export async function resumeOutbox(c: Context<Relay>): Promise<Response> {
  const given = await outboxOf(c);
  if (given instanceof Response) return given;
  await endHold(c, given.outbox, 'resumed');
  return Response.json({ outbox: given.outbox, resumed: true });
}

async function endHold(c: Context<Relay>, outbox: string, step: 'undone' | 'resumed'): Promise<void> {
  await gateOf(c.env).endHold(outbox, step === 'resumed');
  await withRetry(async () => outboxNamed(c.env, outbox).resume());
  logRestore(outbox, step);
}

async function outboxOf(c: Context<Relay>): Promise<InferOutput<typeof outboxSchema> | Response> {
  const { success, output } = safeParse(outboxSchema, await jsonBody(c.req.raw, MAX_BODY_BYTES));
  if (!success) return refusal('invalid_request', 'the body must be {"outbox":"1/0"}');
  return (await isUnknown(c, output.outbox)) ?? output;
}

/** A refusal if the relay has no such outbox: asking it would create it. */
async function isUnknown(c: Context<Relay>, outbox: string): Promise<Response | undefined> {
  const known = await everyOutbox(c.env, c.var.settings);
  return known.includes(outbox)
    ? undefined
    : refusal('invalid_request', `outbox must be one of ${known.toSorted().join(', ')}`);
}

const onHold = () =>
  refusal(
    'invalid_request',
    'outbox is on hold for a restore: undo that restore, or resume the outbox first',
  );

const unclear = () =>
  refusal(
    'unavailable',
    'the outbox has not restarted as restored, and stays on hold: undo, or resume it as it is',
  );

const WHY: Readonly<Record<NotRestored, string>> = {
  no_history:
    'the platform has no history of this outbox at that moment, and none at all on a developer’s machine. Nothing was changed',
  resumed: 'the outbox was resumed before it could be restored. Nothing was changed',
  busy: 'the outbox did not come to rest in time: try again. Nothing was changed',
};

const notRestored = (why: NotRestored) => refusal('unavailable', WHY[why]);
