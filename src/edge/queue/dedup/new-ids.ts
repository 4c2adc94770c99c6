import { LANES } from '../../../contract/lane.ts';
import { seqsOf } from '../lanes.ts';
import type { Segments } from '../segments/segments.ts';
import { addSeqs, countSeqs, formatSeqs, hasSeq, joinSeqs, parseSeqs, type Seqs } from '../seq-ranges.ts';
import { byPart, keyOf, type Part, type PartOfIds } from './page-loads.ts';
import { readRemembered, remember } from './remembered-ids.ts';

/**
 * Cloudflare bills rows written, so an id is first stored with its run alone. Once many runs have come, the ids of each
 * page load are remembered in one row. Until then, this has them in memory: a cache of the open segment.
 */
type NewIds = {
  /** How many runs the ids are of. */
  runs: number;
  readonly loads: Map<string, NewPart>;
};

/** `isWhole`: `seqs` includes what was remembered before. */
type NewPart = { readonly part: Part; seqs: Seqs; isWhole: boolean };

const caches = new WeakMap<SqlStorage, NewIds>();

/** Call it if a transaction that has admitted ids was rolled back. */
export function forgetNewIds(sql: SqlStorage): void {
  caches.delete(sql);
}

function newIds(sql: SqlStorage, segments: Segments): NewIds {
  const known = caches.get(sql) ?? readNewIds(sql, segments);
  caches.set(sql, known);
  return known;
}

function readNewIds(sql: SqlStorage, { open, unrememberedFrom }: Segments): NewIds {
  const loads = new Map<string, NewPart>();
  let runs = 0;
  for (const lane of LANES) {
    const rows = sql.exec<{ device: string; ids: string }>(
      `SELECT device, ids FROM ${open} WHERE seq >= ? AND seq < ?`,
      unrememberedFrom[lane],
      seqsOf(lane).below,
    );
    for (const { device, ids } of rows) {
      runs += 1;
      const parts: readonly StoredIds[] = JSON.parse(ids);
      for (const [session, part, seqs] of parts) add(loads, { device, session, part }, parseSeqs(seqs));
    }
  }
  return { runs, loads };
}

function add(loads: Map<string, NewPart>, part: Part, seqs: Seqs): void {
  const load = loads.get(keyOf(part)) ?? { part, seqs: [], isWhole: false };
  load.seqs = joinSeqs(load.seqs, seqs);
  loads.set(keyOf(part), load);
}

/** A run's ids as they are stored with it. */
type StoredIds = readonly [session: string, part: number, seqs: string];

export function formatIds(device: string, ids: readonly string[]): string {
  return JSON.stringify(
    byPart(device, ids).map(
      ({ part, seqs }): StoredIds => [part.session, part.part, formatSeqs(addSeqs([], seqs))],
    ),
  );
}

/**
 * Returns those of one device's ids that were not seen before; undefined if that is each of them. From now on, they were.
 * Call it inside the transaction that stores the records with their ids, and `storedNewIds` after it.
 */
export function admitNew(
  sql: SqlStorage,
  device: string,
  sent: readonly PartOfIds[],
  segments: Segments,
  now: number,
): ReadonlySet<string> | undefined {
  const { loads } = newIds(sql, segments);
  const unread = sent.map(({ part }) => part).filter((part) => loads.get(keyOf(part))?.isWhole !== true);
  const remembered = readRemembered(sql, device, unread, now);
  const compared = sent.map(({ part, seqs }) => {
    const key = keyOf(part);
    const known = joinSeqs(loads.get(key)?.seqs ?? [], remembered.get(key) ?? []);
    const joined = addSeqs(known, seqs);
    return { part, seqs, known, joined, added: countSeqs(joined) - countSeqs(known) };
  });
  for (const { part, joined, added } of compared)
    if (added > 0) loads.set(keyOf(part), { part, seqs: joined, isWhole: true });
  if (compared.every(({ seqs, added }) => added === seqs.length)) return undefined;
  return new Set(
    compared.flatMap(({ part: { session }, seqs, known }) =>
      seqs.filter((seq) => !hasSeq(known, seq)).map((seq) => `${session}.${seq}`),
    ),
  );
}

/** Call it once the runs with the admitted ids are stored. */
export function storedNewIds(sql: SqlStorage, runs: number): void {
  const known = caches.get(sql);
  if (known !== undefined) known.runs += runs;
}

/** How many runs there are whose ids are stored with them alone. As far as it is known without reading them. */
export function countNewIds(sql: SqlStorage): number {
  const known = caches.get(sql);
  return known === undefined ? 0 : Math.max(known.runs, known.loads.size);
}

/** Remembers all ids that are stored with their runs alone. Call it inside the transaction that stores that it has. */
export function rememberNewIds(sql: SqlStorage, segments: Segments, now: number): void {
  const { loads } = newIds(sql, segments);
  if (loads.size === 0) return;
  for (const load of loads.values()) {
    if (load.isWhole) continue;
    const remembered = readRemembered(sql, load.part.device, [load.part], now);
    load.seqs = joinSeqs(load.seqs, remembered.get(keyOf(load.part)) ?? []);
    load.isWhole = true;
  }
  remember(sql, loads.values(), now);
}
