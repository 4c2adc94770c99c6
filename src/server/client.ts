import type { RecordKind } from '../contract/record.ts';
import { type Backlog, createBacklog, type Ticket } from './backlog.ts';
import { type CheckedCall, checkCall } from './call.ts';
import { createDelivery, type Delivery, deliver, deliverNow, stopDelivery } from './delivery.ts';
import type { Settings } from './options.ts';
import type { ServerPlatform } from './platform.ts';
import { messageRecordId, randomSession, slotOf } from './record-id.ts';
import { RelayError } from './relay-error.ts';
import type { Entry } from './slot.ts';

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
  /** Resolves when the last call has its place. So calls keep their order, whatever each of them waits for. */
  lastPlaced: Promise<unknown>;
  /** `waitUntil` has the promise of a flush that is under way. */
  isKeptAlive: boolean;
  /** Set by `close()`. */
  closed: Promise<void> | undefined;
};

export function createClient(platform: ServerPlatform, settings: Settings): Client {
  const report = (error: Error) => {
    try {
      settings.onError(error);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  };
  return {
    platform,
    settings,
    report,
    delivery: createDelivery({ platform, settings }),
    backlog: createBacklog(settings.maxBufferedBytes),
    session: randomSession(platform.chance.bytes),
    seq: 0,
    lastPlaced: Promise.resolve(),
    isKeptAlive: false,
    closed: undefined,
  };
}

/**
 * Makes a call. Its values are copied before this returns.
 * Resolves when its record is with the relay. Rejects with a `RecordError` or a `RelayError`.
 */
export function takeCall(client: Client, kind: RecordKind, given: unknown): Promise<void> {
  const taken = take(client, kind, given);
  keepAlive(client, taken);
  return taken;
}

async function take(client: Client, kind: RecordKind, given: unknown): Promise<void> {
  const call = checkCall(kind, given);
  if (client.closed !== undefined) throw new RelayError('closed', 'the client is closed: create another one');
  const madeAt = client.platform.time.mono();
  const ticket = client.backlog.begin();
  const placed = client.lastPlaced.then(() => place(client, call, madeAt, ticket));
  client.lastPlaced = placed.catch(() => {});
  try {
    // In an object: otherwise the next call would have to wait for it.
    await (await placed).taken;
  } catch (error) {
    ticket.leave();
    throw error;
  }
}

/** Gives a call its place behind all earlier ones. */
async function place(
  client: Client,
  call: CheckedCall,
  madeAt: number,
  ticket: Ticket,
): Promise<{ readonly taken: Promise<void> }> {
  const { platform, delivery, session } = client;
  await ticket.enter(call.bytes);
  const id =
    call.messageId === undefined
      ? `${session}.${++client.seq}`
      : await messageRecordId(call, platform.digest);
  const record = { slot: slotOf(call.person), id, json: call.json, bytes: call.bytes };
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
  // The calls of this task go together.
  await Promise.resolve();
  await client.lastPlaced;
  await deliverNow(client.delivery, client.backlog.settled());
}

/** Sends what is left, for as long as this may take, and ends everything. Never rejects. */
export async function closeClient(client: Client, timeoutMs: number): Promise<void> {
  const { platform, backlog, delivery } = client;
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
  for (const { end } of stopDelivery(delivery)) end(error);
}
