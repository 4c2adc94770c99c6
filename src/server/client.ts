import type { RecordKind } from '../contract/record.ts';
import { utf8Bytes } from '../contract/rules/text.ts';
import { type Backlog, createBacklog, type Ticket } from './backlog.ts';
import { type CheckedCall, checkCall } from './call.ts';
import { createDelivery, type Delivery, deliver, deliverNow, stopDelivery } from './delivery.ts';
import { type Journal, openJournal } from './journal/journal.ts';
import type { Settings } from './options.ts';
import type { ServerPlatform } from './platform.ts';
import { messageRecordId, randomSession, slotOf } from './record-id.ts';
import { RelayError } from './relay-error.ts';
import type { Entry } from './slot.ts';

// How often to report a problem that blocks the records of a journal.
const REPORT_EVERY_MS = 60_000;

/** The state of a client, on which plain functions act. */
export type Client = {
  readonly platform: ServerPlatform;
  readonly settings: Settings;
  /** Reports to the listener. What it throws is its own, and stops nothing here. */
  readonly report: (error: Error) => void;
  readonly delivery: Delivery;
  readonly backlog: Backlog;
  /** Of records without a `messageId`. */
  readonly session: string;
  seq: number;
  /** Rejects if the journal can't be opened. So do all calls then. */
  journal: Promise<Journal | undefined>;
  /** Resolves when the last call has its place. So calls keep their order, whatever each of them waits for. */
  lastPlaced: Promise<unknown>;
  /** `waitUntil` has the promise of a flush that is under way. */
  isKeptAlive: boolean;
  /** Set by `close()`. */
  closed: Promise<void> | undefined;
};

export function createClient(platform: ServerPlatform, settings: Settings): Client {
  const { time, chance } = platform;
  const report = (error: Error) => {
    try {
      settings.onError(error);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  };
  let reportedAt = Number.NEGATIVE_INFINITY;
  const onBlocked = (error: RelayError) => {
    if (time.mono() - reportedAt < REPORT_EVERY_MS) return;
    reportedAt = time.mono();
    report(
      new RelayError(error.code, `${error.message}. The journal keeps the records, and they are tried again`),
    );
  };
  const client: Client = {
    platform,
    settings,
    report,
    delivery: createDelivery({
      platform,
      settings,
      onBlocked: settings.journal === undefined ? undefined : onBlocked,
    }),
    backlog: createBacklog(settings.maxBufferedBytes),
    session: randomSession(chance.bytes),
    seq: 0,
    journal: Promise.resolve(undefined),
    lastPlaced: Promise.resolve(),
    isKeptAlive: false,
    closed: undefined,
  };
  if (settings.journal !== undefined) {
    client.journal = resume(client, settings.journal);
    client.journal.catch(report);
  }
  return client;
}

function journalError(folder: string, problem: string, cause?: unknown): RelayError {
  return new RelayError('journal', `the journal ${folder} ${problem}`, { cause });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Opens the journal, and sends what an earlier process has left in it. */
async function resume(client: Client, folder: string): Promise<Journal> {
  const { platform, settings, report, backlog, delivery } = client;
  const { time } = platform;
  const onDamage = (where: string) =>
    report(journalError(folder, `is damaged (${where}): this record is left out`));
  const opened = async () => openJournal(await platform.disk(folder), await platform.self(), onDamage);
  const journal = await opened().catch((error) => {
    throw journalError(folder, `can't be opened: ${messageOf(error)}`, error);
  });
  const other = journal.left.find(({ record }) => record.source !== settings.source);
  if (other !== undefined) {
    await journal.close();
    throw journalError(
      folder,
      `has records of source ${other.record.source}: let a client with that source send them first`,
    );
  }
  for (const { record, settle } of journal.left) {
    const ticket = backlog.begin();
    const madeAt = time.mono() - Math.max(0, time.wall() - record.at);
    deliver(delivery, {
      ...record,
      bytes: utf8Bytes(record.json),
      madeAt,
      end: endOfKept(client, ticket, settle),
    });
  }
  return journal;
}

/** What happens once a record of the journal is settled: its call has resolved long ago. */
function endOfKept({ report }: Client, ticket: Ticket, settle: () => void): Entry['end'] {
  return (error) => {
    settle();
    ticket.leave();
    if (error !== undefined) report(error);
  };
}

/**
 * Makes a call. Its values are copied before this returns.
 * Resolves when its record is with the relay or in the journal. Rejects with a `RecordError` or a `RelayError`.
 */
export function takeCall(client: Client, kind: RecordKind, given: unknown): Promise<void> {
  const taken = take(client, kind, given);
  keepAlive(client, taken);
  return taken;
}

async function take(client: Client, kind: RecordKind, given: unknown): Promise<void> {
  const call = checkCall(kind, given);
  if (client.closed !== undefined) throw new RelayError('closed', 'the client is closed: create another one');
  const { wall, mono } = client.platform.time;
  const moment = { at: wall(), madeAt: mono() };
  const ticket = client.backlog.begin();
  const placed = client.lastPlaced.then(() => place(client, call, moment, ticket));
  client.lastPlaced = placed.catch(() => {});
  try {
    // In an object: otherwise the next call would have to wait for it.
    await (await placed).taken;
  } catch (error) {
    ticket.leave();
    throw error;
  }
}

type Moment = { readonly at: number; readonly madeAt: number };

/** Gives a call its place behind all earlier ones: in the journal, or in its slot. */
async function place(
  client: Client,
  call: CheckedCall,
  { at, madeAt }: Moment,
  ticket: Ticket,
): Promise<{ readonly taken: Promise<void> }> {
  const { platform, settings, delivery, session } = client;
  const journal = await client.journal;
  await ticket.enter(call.bytes);
  const id =
    call.messageId === undefined
      ? `${session}.${++client.seq}`
      : await messageRecordId(call, platform.digest);
  const record = { slot: slotOf(call.person), id, json: call.json, bytes: call.bytes };
  if (journal === undefined)
    return {
      taken: new Promise((resolve, reject) => {
        const end: Entry['end'] = (error) => {
          ticket.leave();
          if (error === undefined) resolve();
          else reject(error);
        };
        deliver(delivery, { ...record, madeAt, end });
      }),
    };
  const kept = journal.append({ ...record, at, source: settings.source });
  return {
    taken: kept.then(
      (settle) => deliver(delivery, { ...record, madeAt, end: endOfKept(client, ticket, settle) }),
      (error) => {
        const problem = `can't be written, and does not have this record: ${messageOf(error)}. Make room, then call again`;
        throw journalError(settings.journal ?? '', problem, error);
      },
    ),
  };
}

/** Tells the platform of a serverless invocation to wait until all calls are settled. */
function keepAlive(client: Client, taken: Promise<void>): void {
  const { settings, report, backlog } = client;
  if (settings.waitUntil === undefined) return;
  taken.catch(report);
  if (client.isKeptAlive) return;
  client.isKeptAlive = true;
  const flushAll = async () => {
    while (!backlog.isEmpty()) await flushClient(client);
    client.isKeptAlive = false;
  };
  settings.waitUntil(flushAll());
}

/** Sends what has been called so far. Resolves when all of it is settled. */
export async function flushClient(client: Client): Promise<void> {
  // What an earlier process left counts too.
  await client.journal.catch(() => {});
  // The calls of this task go together.
  await client.lastPlaced;
  await deliverNow(client.delivery, client.backlog.settled());
}

/** Sends what is left, for as long as this may take, and ends everything. Never rejects. */
export async function closeClient(client: Client, timeoutMs: number): Promise<void> {
  const { platform, report, backlog, delivery } = client;
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = platform.time.timer(resolve, timeoutMs);
  });
  await Promise.race([flushClient(client), late]);
  cancel();
  const message = `the relay did not take the record within the ${timeoutMs} ms of close(): call again later`;
  const error = new RelayError('closed', message);
  backlog.close(error);
  // A call on its way to its place would find nobody who ends it.
  await client.lastPlaced;
  const left = stopDelivery(delivery);
  const journal = await client.journal.catch(() => undefined);
  if (journal === undefined) for (const { end } of left) end(error);
  await journal?.close().catch(report);
}
