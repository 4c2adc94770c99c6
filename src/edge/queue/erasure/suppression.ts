import { DAY_MS } from '../../../pacing/minute.ts';
import type { Delivery } from '../ingest.ts';
import { type StoredRecord, withoutKnown } from '../run.ts';
import { idOfPerson, type Person, peopleOf } from './person.ts';

/** How long the records of an erased person are refused: a day longer than browsers keep records. */
export const SUPPRESSED_MS: number = 8 * DAY_MS;

const KEY_BYTES = 32;
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

/** A delivery without the records of erased people, and the ids of those. */
type Admitted = { readonly delivery: Delivery; readonly refusedIds: readonly string[] };

/**
 * Remembers who was erased, so that a browser which still holds records of them can't bring them back. It stores
 * no id, but a keyed hash. The key is random and stored beside the hashes. It is no setting: a stolen one could
 * be used to test ids, and a changed one would make the hashes useless.
 */
export type Suppression = {
  /** Marks a person as erased, from now on or again. */
  readonly add: (person: Person, now: number) => Promise<void>;
  /** Removes a person's mark. Returns false if the person has none. */
  readonly lift: (person: Person) => Promise<boolean>;
  /** Removes the records of erased people from a delivery. Computes no hash while nobody is marked. */
  readonly admit: (delivery: Delivery, now: number) => Promise<Admitted>;
  /** Changes whenever a person is marked. A delivery that was admitted before has to be admitted again. */
  readonly turn: () => number;
  /** Deletes expired marks. Returns true if any are left. */
  readonly dropExpired: (now: number) => boolean;
};

export function suppression({ sql, kv }: DurableObjectStorage): Suppression {
  // Caches of what is stored: only this object writes it.
  let marks: Map<string, number> | undefined;
  let imported: CryptoKey | undefined;
  let turn = 0;

  const known = (): Map<string, number> => {
    marks ??= new Map(
      Array.from(
        sql.exec<{ mark: string; at: number }>('SELECT mark, at FROM suppressed'),
        ({ mark, at }) => [mark, at],
      ),
    );
    return marks;
  };

  async function key(): Promise<CryptoKey> {
    if (imported !== undefined) return imported;
    const bytes = kv.get<Uint8Array>('suppressionKey') ?? crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    kv.put('suppressionKey', bytes);
    imported = await crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign']);
    return imported;
  }

  async function markOf(person: Person): Promise<string> {
    const text = JSON.stringify(idOfPerson(person));
    const mark = await crypto.subtle.sign('HMAC', await key(), new TextEncoder().encode(text));
    return btoa(String.fromCharCode(...new Uint8Array(mark)));
  }

  /** The marked people whom these records name, by their text. */
  async function suppressedAmong(
    records: readonly StoredRecord[],
    now: number,
  ): Promise<ReadonlySet<string>> {
    const people = new Map(records.flatMap(peopleOf).map((person) => [textOf(person), person]));
    const marked = await Promise.all(
      [...people].map(async ([text, person]) => {
        const at = known().get(await markOf(person));
        return at !== undefined && at + SUPPRESSED_MS > now ? [text] : [];
      }),
    );
    return new Set(marked.flat());
  }

  return {
    add: async (person, now) => {
      const mark = await markOf(person);
      sql.exec(
        'INSERT INTO suppressed (mark, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at',
        mark,
        now,
      );
      known().set(mark, now);
      turn += 1;
    },
    lift: async (person) => {
      if (known().size === 0) return false;
      const mark = await markOf(person);
      sql.exec('DELETE FROM suppressed WHERE mark = ?', mark);
      return known().delete(mark);
    },
    admit: async (delivery, now) => {
      if (known().size === 0) return { delivery, refusedIds: [] };
      const records = delivery.runs.map((run): readonly StoredRecord[] => JSON.parse(run.records));
      const suppressed = await suppressedAmong(records.flat(), now);
      if (suppressed.size === 0) return { delivery, refusedIds: [] };
      const isRefused = (record: StoredRecord) =>
        peopleOf(record).some((person) => suppressed.has(textOf(person)));
      const refused = new Set(
        records
          .flat()
          .filter(isRefused)
          .map(({ id }) => id),
      );
      return { delivery: withoutRefused(delivery, refused), refusedIds: [...refused] };
    },
    turn: () => turn,
    dropExpired: (now) => {
      if (known().size === 0) return false;
      const until = now - SUPPRESSED_MS;
      const expired = [...known()].filter(([, at]) => at <= until).map(([mark]) => mark);
      for (const mark of expired) {
        sql.exec('DELETE FROM suppressed WHERE mark = ?', mark);
        known().delete(mark);
      }
      return known().size > 0;
    },
  };
}

const textOf = (person: Person): string => JSON.stringify(idOfPerson(person));

function withoutRefused(
  { runs, refused, violations, ...from }: Delivery,
  ids: ReadonlySet<string>,
): Delivery {
  const kinds = violations?.kinds.map((kind) => ({ ...kind, ids: kind.ids.filter((id) => !ids.has(id)) }));
  return {
    ...from,
    runs: runs.map((run) => withoutKnown(run, (id) => ids.has(id))),
    refused: { ...refused, rejected: refused.rejected + ids.size },
    violations: violations && kinds && { ...violations, kinds },
  };
}
