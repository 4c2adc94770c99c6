import { MAX_REQUEST_RECORDS } from '../contract/batch.ts';
import { applyOutcome, type Circumstances } from './apply-outcome.ts';
import type { Settings } from './options.ts';
import type { ServerPlatform } from './platform.ts';
import { deviceOf, SLOTS } from './record-id.ts';
import { sendRecords } from './relay-request.ts';
import { type Entry, nextStep, type Slot } from './slot.ts';

// Like a browser's connections to one host.
const MAX_IN_FLIGHT = 6;

/** The records on their way to the relay: those of one slot in order, slots side by side. */
export type Delivery = {
  readonly platform: ServerPlatform;
  readonly settings: Settings;
  readonly onBlocked: Circumstances['onBlocked'];
  readonly slots: readonly Slot[];
  readonly devices: Map<number, Promise<string>>;
  readonly inFlight: Set<AbortController>;
  /** The slot to ask first, so that none waits for another forever. */
  first: number;
  /** Flushes under way: nothing waits for more. */
  flushes: number;
  isStopped: boolean;
  /** When the timer fires, by the monotonic clock. */
  wakeAt: number;
  cancelWake: () => void;
};

export function createDelivery(given: Pick<Delivery, 'platform' | 'settings' | 'onBlocked'>): Delivery {
  const slot = (): Slot => ({
    queue: [],
    isSending: false,
    pausedUntil: Number.NEGATIVE_INFINITY,
    failures: 0,
    most: MAX_REQUEST_RECORDS,
  });
  return {
    ...given,
    slots: Array.from({ length: SLOTS }, slot),
    devices: new Map(),
    inFlight: new Set(),
    first: 0,
    flushes: 0,
    isStopped: false,
    wakeAt: Number.POSITIVE_INFINITY,
    cancelWake: () => {},
  };
}

/** Adds a record behind those of its slot. */
export function deliver(delivery: Delivery, entry: Omit<Entry, 'queuedAt'>): void {
  delivery.slots[entry.slot]?.queue.push({ ...entry, queuedAt: delivery.platform.time.mono() });
  pump(delivery);
}

/** Sends without waiting for more, until a promise settles. */
export async function deliverNow(delivery: Delivery, until: Promise<unknown>): Promise<void> {
  delivery.flushes += 1;
  pump(delivery);
  await until;
  delivery.flushes -= 1;
}

/** Ends all requests and timers, and returns the records that are left. */
export function stopDelivery(delivery: Delivery): readonly Entry[] {
  delivery.isStopped = true;
  delivery.cancelWake();
  for (const request of delivery.inFlight) request.abort();
  return delivery.slots.flatMap(({ queue }) => queue.splice(0));
}

/** Sends what is due, and sets the timer for what will be. */
function pump(delivery: Delivery): void {
  const { platform, settings, slots, inFlight, flushes } = delivery;
  const now = platform.time.mono();
  for (let turn = 0; turn < SLOTS && !delivery.isStopped; turn++) {
    // The next answer pumps again.
    if (inFlight.size >= MAX_IN_FLIGHT) return;
    const index = (delivery.first + turn) % SLOTS;
    const slot = slots[index];
    if (slot === undefined) continue;
    const next = nextStep(slot, now, settings, flushes > 0);
    if (next.step === 'wait') wakeAt(delivery, now + next.forMs, now);
    if (next.step === 'send') void send(delivery, slot, index, next.entries);
  }
}

function wakeAt(delivery: Delivery, at: number, now: number): void {
  const isSooner = at < delivery.wakeAt || delivery.wakeAt <= now;
  if (!isSooner) return;
  delivery.cancelWake();
  delivery.wakeAt = at;
  delivery.cancelWake = delivery.platform.time.timer(() => {
    delivery.wakeAt = Number.POSITIVE_INFINITY;
    pump(delivery);
  }, at - now);
}

async function send(delivery: Delivery, slot: Slot, index: number, entries: readonly Entry[]): Promise<void> {
  const { platform, settings, onBlocked, devices, inFlight } = delivery;
  const stop = new AbortController();
  slot.isSending = true;
  inFlight.add(stop);
  const device = devices.get(index) ?? deviceOf(settings.source, index, platform.digest);
  devices.set(index, device);
  const now = platform.time.mono();
  const batch = { device: await device, records: entries.map((entry) => toRecord(entry, now)) };
  const outcome = await sendRecords(platform, settings, batch, stop);
  inFlight.delete(stop);
  slot.isSending = false;
  delivery.first = (index + 1) % SLOTS;
  if (delivery.isStopped) return;
  applyOutcome(slot, entries, outcome, {
    now: platform.time.mono(),
    random: platform.chance.random(),
    giveUpAfterMs: settings.giveUpAfterMs,
    onBlocked,
  });
  pump(delivery);
}

/** A record in the form of the wire protocol. */
function toRecord({ id, json, madeAt }: Entry, now: number): string {
  return `{"id":"${id}","age":${Math.max(0, Math.round(now - madeAt))},${json.slice(1)}`;
}
