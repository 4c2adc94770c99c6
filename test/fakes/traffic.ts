import type { Lane } from '../../src/contract/lane.ts';
import type { TrackerRecord } from '../../src/contract/record.ts';
import type { Delivery } from '../../src/edge/queue/ingest.ts';
import { nextChance } from '../../src/sandbox/chance.ts';
import type { ControlOrder } from '../../src/sandbox/control.ts';
import { type FakeAccount, fakeAccount } from './account.ts';
import { delivery } from './outbox.ts';
import { idOf } from './records.ts';
import { SIMULATION_START } from './simulation.ts';

/** Chances that are the same for the same seed. */
export function chances(seed: number): () => number {
  let state = seed;
  return () => {
    const drawn = nextChance(state);
    state = drawn.state;
    return drawn.chance;
  };
}

export type Traffic = {
  readonly deliveries: readonly { readonly at: number; readonly delivery: Delivery }[];
  /** The names of the records that WebEngage is to refuse. */
  readonly poison: readonly string[];
  readonly records: number;
};

type TrafficOptions = {
  readonly devices: number;
  readonly recordsEach: number;
  readonly poisonShare: number;
  /** The devices take turns in these. */
  readonly lanes?: readonly Lane[];
};

/** What many browsers send: identifies and events mixed, in flushes of 1 to 5, some of them twice, some poison. */
export function traffic(
  random: () => number,
  { devices, recordsEach, poisonShare, lanes = ['live'] }: TrafficOptions,
): Traffic {
  const deliveries: { at: number; delivery: Delivery }[] = [];
  const poison: string[] = [];
  for (let device = 0; device < devices; device++) {
    const name = `device ${device}`;
    let at = SIMULATION_START + Math.floor(random() * 20_000);
    for (let n = 1; n <= recordsEach; ) {
      const records: TrackerRecord[] = [];
      for (const size = 1 + Math.floor(random() * 5); records.length < size && n <= recordsEach; n++) {
        const isPoison = random() < poisonShare;
        if (isPoison) poison.push(`${name}.${n}`);
        records.push(
          random() < 0.3 && !isPoison
            ? { kind: 'user', id: idOf(n), userId: name, attributes: { n } }
            : {
                kind: 'event',
                id: idOf(n),
                userId: name,
                eventName: isPoison ? 'Poison' : 'Clicked',
                eventTime: '2018-09-15T18:29:00-0800',
                eventData: { n },
              },
        );
      }
      const sent = { ...delivery(name, ...records), lane: lanes[device % lanes.length] };
      deliveries.push({ at, delivery: sent });
      if (random() < 0.1) deliveries.push({ at: at + 50, delivery: sent });
      at += 100 + Math.floor(random() * 5_000);
    }
  }
  deliveries.sort((a, b) => a.at - b.at);
  return { deliveries, poison, records: devices * recordsEach };
}

/** `device 7.3`: the third record of the device. */
export function nameOf(record: Readonly<Record<string, unknown>>): string {
  const { userId, eventData, attributes } = record as {
    userId: string;
    eventData?: { n: number };
    attributes?: { n: number };
  };
  return `${userId}.${(eventData ?? attributes)?.n}`;
}

/** An account that notes when it accepted each record, by the record's name. */
export function timedAccount(
  control: ControlOrder,
  random: () => number,
): {
  readonly account: (now: () => number) => FakeAccount;
  readonly takenAt: ReadonlyMap<string, number>;
} {
  const takenAt = new Map<string, number>();
  return {
    takenAt,
    account: (now) => {
      const inner = fakeAccount(control, now, random);
      return {
        ...inner,
        call: (call) => {
          const before = inner.taken.length;
          const reply = inner.call(call);
          for (const { record } of inner.taken.slice(before)) takenAt.set(nameOf(record), now());
          return reply;
        },
      };
    },
  };
}

/** The records that arrived after a later one of their browser. */
export function outOfOrder(arrived: readonly string[]): string[] {
  const latest = new Map<string, number>();
  return arrived.filter((name) => {
    const [device = '', n = ''] = name.split('.');
    const isLate = Number(n) < (latest.get(device) ?? 0);
    latest.set(device, Math.max(Number(n), latest.get(device) ?? 0));
    return isLate;
  });
}
