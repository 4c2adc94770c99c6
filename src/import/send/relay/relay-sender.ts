import { MAX_BODY_BYTES, MAX_REQUEST_RECORDS } from '../../../contract/batch.ts';
import { deviceOf, SLOTS, slotOf, toSession } from '../../../server/record-id.ts';
import { sendRecords } from '../../../server/relay-request.ts';
import { cutRequest, requestBytes } from '../../../server/slot.ts';
import { createDoubt } from '../doubt.ts';
import { createFlow } from '../flow.ts';
import { sleep } from '../halt.ts';
import type { ReadyRow } from '../ledger/ledger.ts';
import { createPatience } from '../patience.ts';
import { refusedAs, type Sender, type SenderPorts } from '../sender.ts';
import { applyOutcome, fail, type RelayState, type RelayTarget, type Slot } from './relay-outcome.ts';

type Relay = RelayState & {
  readonly session: string;
  readonly slots: readonly Slot[];
  readonly inFlight: Set<AbortController>;
};

// Like a browser's connections to one host.
const MAX_IN_FLIGHT = 6;

// A full request for each device, and as many rows on their way in. More would only cost memory.
const LIMITS = { maxRows: 2 * SLOTS * MAX_REQUEST_RECORDS, maxBytes: 2 * SLOTS * MAX_BODY_BYTES };

const TOO_LARGE = { path: '', message: 'makes a record that is larger than a request may be' };

/**
 * Sends rows to a relay. A row's id is made of the file's digest and the row's number alone, so the relay recognizes it in
 * each later run. The row's place among those of its device would not do: it changes if a later release refuses more rows,
 * or fewer, and the relay would then take one row for another.
 */
export async function relaySender(ports: SenderPorts, target: RelayTarget, digest: string): Promise<Sender> {
  const { time, ledger, halt } = ports;
  const source = `import ${digest}`;
  const slotFor = async (index: number): Promise<Slot> => ({
    device: await deviceOf(source, index, ports.digest),
    queue: [],
    bytes: 0,
    isBusy: false,
    failures: 0,
    most: MAX_REQUEST_RECORDS,
  });
  const relay: Relay = {
    ports,
    target,
    session: toSession(await ports.digest(`webengage-relay/${source}`)),
    slots: await Promise.all(Array.from({ length: SLOTS }, (_, index) => slotFor(index))),
    inFlight: new Set(),
    flow: createFlow(LIMITS, ledger.settled.upTo, halt.signal, () => pump(relay)),
    doubt: createDoubt(ledger),
    patience: createPatience(time.mono()),
  };
  return {
    add: (row) => add(relay, row),
    hasRoom: relay.flow.hasRoom,
    room: relay.flow.room,
    finish: () => finish(relay),
    abort: () => {
      for (const request of relay.inFlight) request.abort();
    },
  };
}

function add(relay: Relay, row: ReadyRow): void {
  const { slots, flow, ports } = relay;
  const slot = slots[slotOf(row.person)];
  if (slot === undefined || cutRequest([row], 1).length === 0) {
    ports.ledger.refuse(refusedAs(row, [TOO_LARGE]), 'check');
    return;
  }
  slot.queue.push(row);
  slot.bytes += requestBytes(row);
  flow.enter(row);
  pump(relay);
}

async function finish(relay: Relay): Promise<void> {
  const { slots, inFlight, flow, doubt, target } = relay;
  const { halt } = relay.ports;
  const isEmpty = () => slots.every(({ queue }) => queue.length === 0);
  await flow.until(() => inFlight.size === 0 && (isEmpty() || halt.signal.aborted));
  if (!halt.signal.aborted && !doubt.end())
    fail(relay, `${target.endpoint} refuses every row. Check --relay`);
}

function pump(relay: Relay): void {
  const { inFlight, ports } = relay;
  while (!ports.halt.signal.aborted && inFlight.size < MAX_IN_FLIGHT) {
    const slot = nextSlot(relay);
    if (slot === undefined) return;
    void send(relay, slot);
  }
}

/** The slot with the oldest row goes first: so no row is left far behind. */
function nextSlot({ slots, flow }: Relay): Slot | undefined {
  const isFull = ({ queue, bytes, most }: Slot) => queue.length >= most || bytes >= MAX_BODY_BYTES;
  const first = ({ queue }: Slot) => queue[0]?.number ?? Number.POSITIVE_INFINITY;
  return slots
    .filter((slot) => !slot.isBusy && slot.queue.length > 0 && (isFull(slot) || flow.isDraining()))
    .sort((a, b) => first(a) - first(b))[0];
}

async function send(relay: Relay, slot: Slot): Promise<void> {
  const { ports, target, session, inFlight, flow } = relay;
  const { device } = slot;
  const rows = cutRequest(slot.queue, slot.most);
  const records = rows.map(({ number, json }) => `{"id":"${session}.${number}",${json.slice(1)}`);
  const stop = new AbortController();
  slot.isBusy = true;
  inFlight.add(stop);
  const outcome = await sendRecords(ports, target, { device, lane: 'import', records }, stop);
  inFlight.delete(stop);
  const pauseMs = applyOutcome(relay, slot, rows, outcome);
  flow.wake();
  pump(relay);
  if (pauseMs > 0) await sleep(ports.time, pauseMs, ports.halt.signal);
  slot.isBusy = false;
  pump(relay);
}
