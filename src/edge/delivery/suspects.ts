import type { RecordKind } from '../../contract/record.ts';
import { boundedMap } from '../limits/bounded-map.ts';
import type { StoredRecord } from '../queue/run.ts';

/**
 * Predicts which records WebEngage will refuse, from what they share with refused ones: an event's name, its
 * property names, or the fields of a user. Suspect records travel apart from the others, so that one bad kind
 * of record costs good ones no call. A cache: an evicted outbox learns it again.
 */
export type Suspects = {
  /** A record was refused by itself. */
  readonly refused: (kind: RecordKind, record: StoredRecord) => void;
  readonly taken: (kind: RecordKind, records: readonly StoredRecord[]) => void;
  /** False if no record is suspect. Then none has to be read. */
  readonly any: () => boolean;
  /** The share of records like this one that are refused, from 0 to 1. Suspect from `SUSPECT_FROM` on. */
  readonly risk: (kind: RecordKind, record: StoredRecord) => number;
  /** Browsers whose next record travels apart. */
  readonly parked: ReadonlyMap<string, Parked>;
  /** True if this many more browsers can be parked. */
  readonly hasRoom: (browsers: number) => boolean;
  /** Does nothing if there is no room for another browser. */
  readonly park: (device: string, parked: Parked) => void;
  readonly unpark: (device: string) => void;
};

type Parked = {
  /** The `seq` of the run that holds the record. */
  readonly seq: number;
  /** True if it was in a refused batch; false if it only looks like a refused record. */
  readonly wasRefused: boolean;
};

// One in 25 records, on average: a full batch of them is more likely refused than not.
export const SUSPECT_FROM = 1 / 25;

// The refused share is a running mean over this many trials. After that, later trials count more.
const TRIALS = 100;

// A feature of more than half the records distinguishes nothing.
const UBIQUITOUS = 0.5;

const MAX_FEATURES = 2_000;
const MAX_PARKED = 5_000;

type Seen = { readonly share: number; readonly trials: number };

export function suspects(): Suspects {
  const features = boundedMap<Seen>(MAX_FEATURES);
  const suspected = new Set<string>();
  const parked = new Map<string, Parked>();

  let records = 0;
  const learn = (kind: RecordKind, record: StoredRecord, refused: 0 | 1) => {
    records += 1;
    for (const feature of featuresOf(kind, record)) {
      const { share, trials } = features.get(feature) ?? { share: 0, trials: 0 };
      const now = share + (refused - share) / Math.min(trials + 1, TRIALS);
      features.set(feature, { share: now, trials: trials + 1 });
      if (now >= SUSPECT_FROM && (trials + 1) / records <= UBIQUITOUS) suspected.add(feature);
      else suspected.delete(feature);
      // By then it holds features that the bounded map has forgotten.
      if (suspected.size > MAX_FEATURES) suspected.clear();
    }
  };
  return {
    refused: (kind, record) => learn(kind, record, 1),
    taken: (kind, records) => {
      for (const record of records) learn(kind, record, 0);
    },
    any: () => suspected.size > 0,
    risk: (kind, record) =>
      Math.max(
        0,
        ...featuresOf(kind, record)
          .filter((feature) => suspected.has(feature))
          .map((feature) => features.get(feature)?.share ?? 0),
      ),
    parked,
    hasRoom: (browsers) => parked.size + browsers <= MAX_PARKED,
    park: (device, where) => {
      if (parked.has(device) || parked.size < MAX_PARKED) parked.set(device, where);
    },
    unpark: (device) => void parked.delete(device),
  };
}

/** What a record may share with refused ones: names only, no values. */
function featuresOf(kind: RecordKind, record: StoredRecord): readonly string[] {
  if (kind === 'event') {
    const { eventName, eventData } = record;
    return [`${eventName}`, ...namesIn(eventData).map((name) => `${eventName}\n${name}`)];
  }
  const { attributes, ...fields } = record;
  return [...namesIn(fields).map((name) => `\n${name}`), ...namesIn(attributes).map((name) => `\n\n${name}`)];
}

function namesIn(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
