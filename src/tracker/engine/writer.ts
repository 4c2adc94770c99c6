import type { Call, Entry, StoredEntry } from '../record/call.ts';
import { randomUuid } from '../record/random-id.ts';
import { isOut, type Visitor } from '../record/visitor.ts';
import { assignVisitor } from './assign-visitor.ts';
import type { Page } from './page.ts';

/** Makes records of calls, each of the visitor who is known at that moment. */
export type Writer = {
  /**
   * Appends them, as records of the visitor whom the database knows.
   *
   * @param take the calls, asked for at the last moment
   */
  readonly append: (take: () => readonly Call[]) => Promise<void>;
  /** The records that calls would become now, for a page that is being left: those of earlier pages first. */
  readonly preview: (calls: readonly Call[]) => readonly Entry[];
};

/** @param appended is told what was appended, and how many records then wait */
export function createWriter(
  { visitor, clock, records, spill, unsettled, settings, chance, emit }: Page,
  appended: (entries: readonly StoredEntry[], waiting: number) => void,
): Writer {
  const assign = (known: Visitor, calls: readonly Call[], skipRepeatedIdentify: boolean) =>
    assignVisitor(known, calls, {
      skipRepeatedIdentify,
      choices: visitor.choicesAfter(known),
      fresh: () => ({ device: randomUuid(chance.bytes), anonymousId: randomUuid(chance.bytes) }),
      madeAt: clock.madeAt,
    });

  return {
    append: async (take) => {
      let calls: readonly Call[] = [];
      const {
        cleared,
        entries,
        waiting,
        visitor: next,
      } = await records.append((kept) => {
        const known = visitor.fallback(kept);
        clock.restore(known.clockOffset);
        calls = [...spill.left(), ...take()];
        return assign(known, calls, settings.skipRepeatedIdentify);
      });
      spill.moved();
      visitor.confirm(next);
      const gone = isOut(next) ? [...cleared, ...calls] : cleared;
      if (gone.length > 0) emit('dropped', { ids: gone.map(({ id }) => id), reason: 'opted_out' });
      if (isOut(next)) {
        unsettled.clear();
        visitor.forget();
      }
      unsettled.stored(entries, waiting);
      appended(entries, waiting);
    },
    preview: (calls) => assign(visitor.now(), [...spill.left(), ...calls], false).entries,
  };
}
