import type { RecordKind } from '../../contract/record.ts';
import { boundedMap } from '../limits/bounded-map.ts';
import type { StoredRecord } from '../queue/run.ts';

/**
 * Which records may be refused, by what they have in common with those that were: the name of an event, its properties, the
 * fields of a user. They travel apart from the others, so that one bad kind of record costs those that are good no call.
 * A cache: an outbox that was evicted learns it anew.
 */
export type Suspects = {
  /** A record was refused by itself. */
  readonly refused: (kind: RecordKind, record: StoredRecord) => void;
  readonly taken: (kind: RecordKind, records: readonly StoredRecord[]) => void;
  /** False where no record is suspect, and none need be looked at. */
  readonly any: () => boolean;
  /** How often a record like this is refused, 0 to 1. Suspect from `SUSPECT_FROM` on. */
  readonly risk: (kind: RecordKind, record: StoredRecord) => number;
  /** Browsers whose next record travels apart. */
  readonly parked: ReadonlyMap<string, Parked>;
  /** Whether so many more can be parked. */
  readonly hasRoom: (browsers: number) => boolean;
  /** Nothing where there is no room for it. */
  readonly park: (device: string, parked: Parked) => void;
  readonly unpark: (device: string) => void;
};

type Parked = {
  /** The run in which the record stands. */
  readonly seq: number;
  /** It was in a batch that was refused; else it looks like one that was. */
  readonly wasRefused: boolean;
};

// Of 25 records one, on average: a batch of them is more likely refused than not.
export const SUSPECT_FROM = 1 / 25;

// Of how many trials the share of the refused is a mean, the later ones counting more.
const TRIALS = 100;

// What most records have tells none from the others.
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
      // Of those that were forgotten.
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

/** What a record may share with others that are refused: names, no values. */
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
