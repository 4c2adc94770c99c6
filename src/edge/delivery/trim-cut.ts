import type { RecordKind } from '../../contract/record.ts';
import type { Cut, CutStep, Slice } from '../queue/cut-batch.ts';
import type { StoredRecord } from '../queue/run.ts';
import { recordsOf } from '../queue/sealed-batches.ts';
import { waitingRun } from '../queue/segments/waiting-runs.ts';
import { SUSPECT_FROM, type Suspects } from './suspects.ts';

type FullCut = Extract<CutStep, { step: 'cut' }>;

/**
 * Removes suspect records from a cut, with everything that their browsers made after them. Records before a
 * suspect one still go. A browser whose next record is suspect is parked, so that this record travels apart.
 * Reads no record while none is suspect.
 *
 * @returns the clean cut, and the browsers with nothing left in it
 */
export function withoutSuspects(
  sql: SqlStorage,
  { cut, dueFrom }: FullCut,
  suspects: Suspects,
): { readonly clean: FullCut; readonly leftOut: readonly string[] } {
  if (!suspects.any()) return { clean: { step: 'cut', cut, dueFrom }, leftOut: [] };
  const begun = new Set<string>();
  const stopped = new Set<string>();
  const leftOut: string[] = [];
  const members = cut.members.flatMap((slice) => {
    const { device, seq, from } = slice;
    if (stopped.has(device)) return [];
    const isFirst = !begun.has(device);
    begun.add(device);
    const clean = recordsOf(sql, { members: [slice] }).findIndex(
      (record) => suspects.risk(cut.kind, record) >= SUSPECT_FROM,
    );
    if (clean < 0) return [slice];
    stopped.add(device);
    if (clean > 0) return [{ ...slice, to: from + clean }];
    // Only a browser's next record: parked at a later one, it would overtake those before it.
    if (isFirst) {
      suspects.park(device, { seq, wasRefused: false });
      leftOut.push(device);
    }
    return [];
  });
  const left = new Map([...dueFrom].filter(([device]) => !stopped.has(device)));
  return { clean: { step: 'cut', cut: { kind: cut.kind, members }, dueFrom: left }, leftOut };
}

/** The longest beginning of a cut that fits into a call of `maxBytes`. At least one record. */
export function withinBytes(sql: SqlStorage, { cut, dueFrom }: FullCut, maxBytes: number): FullCut {
  let left = maxBytes - ENVELOPE_BYTES;
  const members: Slice[] = [];
  for (const slice of cut.members) {
    const { from } = slice;
    const fitting = recordsOf(sql, { members: [slice] }).findIndex((record) => {
      left -= bytesOf(record);
      return left < 0;
    });
    if (fitting < 0) {
      members.push(slice);
      continue;
    }
    const to = from + Math.max(fitting, members.length === 0 ? 1 : 0);
    if (to > from) members.push({ ...slice, to });
    break;
  }
  // Only browsers whose last run is in the cut as a whole get a new due time.
  const last = new Map(cut.members.map((slice) => [slice.device, slice]));
  const isWhole = (device: string) => members.some((slice) => slice === last.get(device));
  return {
    step: 'cut',
    cut: { kind: cut.kind, members },
    dueFrom: new Map([...dueFrom].filter(([device]) => isWhole(device))),
  };
}

// The size of `{"events":[]}`.
const ENVELOPE_BYTES = 13;

/** Includes the comma after the record. The id is not sent. */
function bytesOf({ id: _, ...record }: StoredRecord): number {
  return new TextEncoder().encode(JSON.stringify(record)).byteLength + 1;
}

// If a larger share is refused, trying records one by one takes fewer calls than trying groups. (Sobel and
// Groll, the cut-off point of group testing)
const ONE_BY_ONE_FROM = 0.38;

// How many records go together if they are parked for a refused batch, and not for what they look like.
const PARKED_TOGETHER = 6;

// How many parked browsers may have to be looked at to fill a batch of one kind.
const MAX_LOOKED_AT = 200;

/** Cuts a batch of parked records, as many as are worth trying together. Undefined if none can go now. */
export function cutParked(
  sql: SqlStorage,
  suspects: Suspects,
  busy: ReadonlySet<string>,
  kinds: readonly RecordKind[],
): Cut | undefined {
  const members: Slice[] = [];
  let kind: RecordKind | undefined;
  let size = Number.POSITIVE_INFINITY;
  let count = 0;
  let lookedAt = 0;
  for (const [device, { seq, wasRefused }] of suspects.parked) {
    if (busy.has(device)) continue;
    lookedAt += 1;
    if (lookedAt > MAX_LOOKED_AT) break;
    const found = waitingRun(sql, seq);
    // A number may be used again.
    const run = found?.device === device ? found : undefined;
    const records = run?.records.slice(run.taken) ?? [];
    const risks = records.map((record) => suspects.risk(run?.kind ?? 'event', record));
    const isSuspect = (risks[0] ?? 0) >= SUSPECT_FROM;
    // The record is gone, or nothing makes it suspect any more.
    if (run === undefined || (!isSuspect && !wasRefused)) {
      suspects.unpark(device);
      continue;
    }
    if (!kinds.includes(run.kind) || (kind ?? run.kind) !== run.kind) {
      // Moved to the end, so that it does not hide the others.
      suspects.unpark(device);
      suspects.park(device, { seq, wasRefused });
      continue;
    }
    kind = run.kind;
    const alike = risks.findIndex((risk) => risk >= SUSPECT_FROM !== isSuspect);
    size = Math.min(size, isSuspect ? groupSize(risks[0] ?? 0) : PARKED_TOGETHER);
    const room = size - count;
    if (room <= 0) break;
    const to = run.taken + Math.min(room, alike < 0 ? records.length : alike);
    members.push({ seq, device, from: run.taken, to });
    count += to - run.taken;
    if (count >= size) break;
  }
  return kind === undefined || members.length === 0 ? undefined : { kind, members };
}

/** The group size at which half of the groups are accepted. */
function groupSize(risk: number): number {
  return risk >= ONE_BY_ONE_FROM ? 1 : Math.max(2, Math.floor(Math.LN2 / risk));
}
