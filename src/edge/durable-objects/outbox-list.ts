import { shardsOf } from '../settings/shards.ts';

/** An outbox that may hold something, with the number of its latest enrolment. */
export type InUse = { readonly name: string; readonly turn: number };

/** The list of the outboxes that may hold something, kept by the gate. */
export type OutboxList = {
  readonly list: () => readonly InUse[];
  /** Lists an outbox, or gives it a new number. */
  readonly enrol: (name: string) => void;
  /** Removes outboxes that were found empty, except those that have enrolled since. Returns the removed names. */
  readonly retire: (empty: readonly InUse[]) => readonly string[];
};

// Version 0 was never stored. It belongs to releases before 0.2.0.
const SCHEMA_VERSION = 1;

export function outboxList(kv: SyncKvStorage): OutboxList {
  const list = (): readonly InUse[] => {
    const known = kv.get<InUse[]>('outboxes') ?? [];
    // Releases before 0.2.0 store numbers of shards, and may do so again after a rollback.
    const epochs = kv.get<{ readonly shards: number; readonly turn: number }[]>('epochs') ?? [];
    const older = epochs
      .flatMap(({ shards, turn }) => shardsOf(shards).map((name) => ({ name, turn })))
      .filter(({ name }) => !known.some((each) => each.name === name));
    return [...known, ...older];
  };
  // The complete list includes the outboxes of older releases, so their `epochs` are deleted.
  const keep = (outboxes: readonly InUse[]): void => {
    kv.put('schemaVersion', SCHEMA_VERSION);
    kv.put('outboxes', outboxes);
    kv.delete('epochs');
  };
  return {
    list,
    enrol: (name) => {
      const known = list();
      // Never reused: `retire` removes an outbox only if it has not enrolled since it was found empty.
      const turn = 1 + Math.max(kv.get<number>('turn') ?? 0, ...known.map((each) => each.turn));
      kv.put('turn', turn);
      keep([...known.filter((each) => each.name !== name), { name, turn }]);
    },
    retire: (empty) => {
      const isEmpty = ({ name, turn }: InUse) =>
        empty.some((each) => each.name === name && each.turn === turn);
      const known = list();
      const retired = known.filter(isEmpty).map(({ name }) => name);
      if (retired.length > 0) keep(known.filter((each) => !isEmpty(each)));
      return retired;
    },
  };
}
