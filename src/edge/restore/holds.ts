import type { Figures } from './figures.ts';

/** An outbox on hold takes no records and sends none. */
export type Hold = {
  /** Names this restore. */
  readonly id: string;
  /** The moment to which the outbox is restored. */
  readonly at: number;
  readonly since: number;
  /** The figures just before the restore. Undefined until they are read. */
  readonly before?: Figures;
  /** The bookmark that undoes the restore. */
  readonly undo?: string;
};

export type RestoreState = {
  readonly hold?: Hold;
  /** When the outbox was last restored for good. */
  readonly restoredAt?: number;
};

/**
 * The restores of all outboxes. The gate keeps them, because an outbox that is restored loses what it has stored
 * since the moment.
 */
export type Holds = {
  readonly read: (outbox: string) => RestoreState;
  /** The outboxes that are on hold. */
  readonly onHold: () => readonly string[];
  /** False if the outbox is on hold already. */
  readonly begin: (outbox: string, hold: Hold) => boolean;
  /** Adds to the hold of this restore. Does nothing if the outbox is on hold for another one. */
  readonly keep: (outbox: string, id: string, found: Pick<Hold, 'before' | 'undo'>) => void;
  /** Ends the hold. `restored`: whether the outbox stays as it was at the moment. */
  readonly end: (outbox: string, restored: boolean) => void;
};

type Stored = Readonly<Record<string, RestoreState>>;

export function holds(kv: SyncKvStorage): Holds {
  // A cache: the gate looks at it for each permit.
  let cached: Stored | undefined;
  const all = () => {
    cached ??= kv.get<Stored>('restores') ?? {};
    return cached;
  };
  const read = (outbox: string) => all()[outbox] ?? {};
  const write = (outbox: string, state: RestoreState) => {
    kv.put('restores', { ...all(), [outbox]: state });
    cached = undefined;
  };
  return {
    read,
    onHold: () => Object.entries(all()).flatMap(([outbox, { hold }]) => (hold === undefined ? [] : [outbox])),
    begin: (outbox, hold) => {
      if (read(outbox).hold !== undefined) return false;
      write(outbox, { ...read(outbox), hold });
      return true;
    },
    keep: (outbox, id, found) => {
      const state = read(outbox);
      if (state.hold?.id === id) write(outbox, { ...state, hold: { ...state.hold, ...found } });
    },
    end: (outbox, restored) => {
      const { hold, restoredAt } = read(outbox);
      if (hold === undefined) return;
      const last = restored ? hold.since : restoredAt;
      write(outbox, last === undefined ? {} : { restoredAt: last });
    },
  };
}
