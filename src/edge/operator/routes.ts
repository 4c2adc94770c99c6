import type { Context } from 'hono';
import type { HonoBase } from 'hono/hono-base';
import { array, literal, maxLength, pipe, regex, safeParse, strictObject, string, union } from 'valibot';
import { VERSION } from '../../contract/version.ts';
import { showsToken } from '../auth/bearer.ts';
import type { Relay } from '../durable-objects/env.ts';
import type { Outbox } from '../durable-objects/outbox.ts';
import { outboxesInUse, outboxesOf, outboxNamed } from '../durable-objects/outbox-directory.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import { refusal } from '../http/responses.ts';
import { newApp } from '../http/router.ts';
import type { DeadLetter } from '../queue/dead-letters/dead-letters.ts';
import type { DeadLetterSelection } from '../queue/dead-letters/operate.ts';
import { logDeadLetters, logWrongTokens } from '../telemetry/log.ts';
import { printableJson } from '../telemetry/printable-json.ts';
import { throttledCount } from '../telemetry/throttled-count.ts';
import { alertStatus, testAlerts } from './alerts.ts';
import { erasePerson } from './erase.ts';
import { jsonBody } from './json-body.ts';
import { EMPTY_OUTBOX, type NamedOutbox, type RelayStatus, relayStatus } from './relay-status.ts';
import { restoreOutbox, resumeOutbox, undoRestore } from './restore.ts';

// One page of dead letters, and one step of replaying or discarding many: the work an object does at once.
const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;

// The largest body with a selection. 500 ids take a fraction of it.
const MAX_SELECTION_BYTES = 64 * 1024;

const DEAD_LETTER_ID = /^((?:[a-z]+\/)?[1-9]\d?\/\d\d?):(\d{1,15})$/;

const selectionSchema = union([
  strictObject({ all: literal(true) }),
  strictObject({
    ids: pipe(array(pipe(string(), regex(DEAD_LETTER_ID))), maxLength(MAX_PAGE)),
  }),
]);

/**
 * The admin API: the backlog, failures with their reasons, and what to do about them. Without the token its
 * routes answer 404. Wrong tokens are counted, and never lock anyone out. A token of 32 characters can't be
 * guessed, and an attacker must not be able to lock out the operator.
 */
export function operatorRoutes(): HonoBase<Relay> {
  const app = newApp();
  const countWrong = throttledCount<'times'>(({ times = 0 }) => logWrongTokens(times));
  app.use(async (c, next) => {
    // In a browser, only the page at /admin/ calls this. A request from a terminal has no Origin.
    const origin = c.req.header('Origin');
    const isOurs = origin === undefined || origin === new URL(c.req.url).origin;
    const authorization = c.req.header('Authorization') ?? null;
    if (isOurs && (await showsToken(authorization, c.env.ADMIN_TOKEN))) return next();
    if (authorization !== null) countWrong({ times: 1 }, Date.now());
    return refusal('not_found', 'not found');
  });
  app.get('/status', reportStatus);
  app.post('/alerts/test', testAlerts);
  app.get('/dead-letters', listDeadLetters);
  app.get('/dead-letters.ndjson', exportDeadLetters);
  app.post('/dead-letters/replay', (c) =>
    dealWith(c, 'replayed', (outbox, ...args) => outbox.replay(...args)),
  );
  app.post('/dead-letters/discard', (c) =>
    dealWith(c, 'discarded', (outbox, ...args) => outbox.discard(...args)),
  );
  app.post('/erase', erasePerson);
  app.post('/restore', restoreOutbox);
  app.post('/restore/undo', undoRestore);
  app.post('/restore/resume', resumeOutbox);
  return app;
}

async function reportStatus(c: Context<Relay>): Promise<Response> {
  const { settings } = c.var;
  const inUse = await outboxesInUse(c.env);
  const unused = outboxesOf(settings).filter((name) => !inUse.includes(name));
  const now = Date.now();
  const [alerts, gate, bots, ...used] = await Promise.all([
    alertStatus(c.env, now),
    gateOf(c.env).status(),
    gateOf(c.env).counts('bots'),
    // An outbox that does not answer must not hide the others.
    ...inUse.map(
      async (name): Promise<NamedOutbox> => ({
        name,
        status: await outboxNamed(c.env, name)
          .status()
          .catch(() => undefined),
      }),
    ),
  ]);
  const outboxes = [...used, ...unused.map((name) => ({ name, status: EMPTY_OUTBOX }))];
  const { maxBacklog } = settings;
  const about = {
    version: VERSION,
    maxBacklog,
    bots: { mode: settings.bots, counts: bots },
    planMode: c.var.planMode,
  };
  const status: RelayStatus = { ...relayStatus(outboxes, gate, about, now), alerts };
  return json(status);
}

/** JSON that may contain names from senders, safe to print. */
const json = (value: unknown): Response =>
  new Response(printableJson(value), { headers: { 'Content-Type': 'application/json' } });

/** A dead letter, with the outbox in its id. */
export type ListedDeadLetter = Omit<DeadLetter, 'id' | 'record'> & {
  readonly id: string;
  readonly record: Readonly<Record<string, unknown>>;
};

/** What `GET /admin/dead-letters` answers. */
export type DeadLetterPage = {
  readonly deadLetters: readonly ListedDeadLetter[];
  readonly next: string | null;
};

// A page is built in the Worker's memory.
const MAX_PAGE_BYTES = 8_000_000;

/**
 * Outbox by outbox, oldest first in each. `after` is the id of the previous page's last dead letter. Undefined if
 * its outbox is gone. A page may be shorter than the limit: `next` says whether there may be more.
 */
async function pageOf(
  c: Context<Relay>,
  after: string | undefined,
  limit: number,
): Promise<DeadLetterPage | undefined> {
  const names = await outboxesInUse(c.env);
  const [, begun, lastId] = DEAD_LETTER_ID.exec(after ?? '') ?? [];
  if (begun !== undefined && !names.includes(begun)) return undefined;

  const deadLetters: ListedDeadLetter[] = [];
  let bytes = 0;
  for (const name of names.slice(begun === undefined ? 0 : names.indexOf(begun))) {
    const afterId = name === begun ? Number(lastId) : 0;
    const found = await outboxNamed(c.env, name).deadLetters(afterId, limit - deadLetters.length);
    for (const { id, record, ...deadLetter } of found.deadLetters) {
      deadLetters.push({ ...deadLetter, id: `${name}:${id}`, record: JSON.parse(record) });
      bytes += record.length;
    }
    const isFull = deadLetters.length === limit || bytes > MAX_PAGE_BYTES;
    if (found.more || (isFull && name !== names.at(-1)))
      return { deadLetters, next: deadLetters.at(-1)?.id ?? null };
  }
  return { deadLetters, next: null };
}

async function listDeadLetters(c: Context<Relay>): Promise<Response> {
  const limit = Number(c.req.query('limit') ?? DEFAULT_PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    return refusal('invalid_request', `limit must be a whole number from 1 to ${MAX_PAGE}`);
  const after = c.req.query('after');
  if (after !== undefined && !DEAD_LETTER_ID.test(after))
    return refusal('invalid_request', 'after must be the next of the previous page');
  const page = await pageOf(c, after, limit);
  if (page === undefined)
    return refusal('invalid_request', 'after names an outbox that no longer exists: start again without it');
  return json(page);
}

/** All dead letters, one per line. They are read from storage only as fast as the client takes them. */
function exportDeadLetters(c: Context<Relay>): Response {
  async function* lines(): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    let after: string | undefined;
    do {
      const page = await pageOf(c, after, MAX_PAGE);
      for (const deadLetter of page?.deadLetters ?? [])
        yield encoder.encode(`${printableJson(deadLetter)}\n`);
      after = page?.next ?? undefined;
    } while (after !== undefined);
  }
  const read = lines();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await read.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  return new Response(body, {
    headers: {
      'Content-Type': 'application/x-ndjson',
      'Content-Disposition': 'attachment; filename="dead-letters.ndjson"',
    },
  });
}

type Deal = (
  outbox: DurableObjectStub<Outbox>,
  selection: DeadLetterSelection,
  limit: number,
) => Promise<number>;

/** Applies one action to the dead letters that the body selects, in steps. Answers with their number. */
async function dealWith(c: Context<Relay>, done: 'replayed' | 'discarded', deal: Deal): Promise<Response> {
  const selections = await selectionOf(c);
  if (selections === undefined)
    return refusal(
      'invalid_request',
      `the body must be {"all":true} or {"ids":["1/0:17"]}, with at most ${MAX_PAGE} ids`,
    );
  let count = 0;
  for (const [name, selection] of selections) {
    const outbox = outboxNamed(c.env, name);
    for (let dealt = MAX_PAGE; dealt === MAX_PAGE; count += dealt)
      dealt = await deal(outbox, selection, MAX_PAGE);
  }
  logDeadLetters(done, count);
  return Response.json({ [done]: count });
}

async function selectionOf(c: Context<Relay>): Promise<ReadonlyMap<string, DeadLetterSelection> | undefined> {
  const { success, output } = safeParse(selectionSchema, await jsonBody(c.req.raw, MAX_SELECTION_BYTES));
  if (!success) return undefined;
  const names = await outboxesInUse(c.env);
  // Only those up to now: a dead letter that is replayed and fails again at once is not replayed a second time.
  const until = Date.now();
  if ('all' in output) return new Map(names.map((name) => [name, { until }]));
  const byOutbox = Map.groupBy(
    output.ids.map((id) => DEAD_LETTER_ID.exec(id) ?? []),
    ([, name = '']) => name,
  );
  return new Map(
    names
      .filter((name) => byOutbox.has(name))
      .map((name) => [name, { ids: (byOutbox.get(name) ?? []).map(([, , id]) => Number(id)) }]),
  );
}
