import type { Settings } from '../options.ts';
import type { Call } from '../record/call.ts';
import { isOut } from '../record/visitor.ts';
import type { Appended, RecordStore } from '../store/record-store.ts';
import type { Spill } from '../unload/spill.ts';
import { assignVisitor, type PageState } from './assign-visitor.ts';
import type { Choice } from './choice.ts';
import type { Clock } from './clock.ts';
import type { VisitorState } from './visitor-state.ts';

export type WriterPorts = {
  readonly store: RecordStore;
  readonly spill: Spill;
  readonly visitor: VisitorState;
  readonly choice: Choice;
  readonly clock: Clock;
  readonly settings: Pick<Settings, 'skipRepeatedIdentify'>;
  readonly fresh: PageState['fresh'];
  /** Does what follows from an append. */
  readonly appended: (appended: Appended, calls: readonly Call[]) => void;
};

/** Appends calls, each as a record of the visitor whom the database knows at that moment. */
export type Writer = {
  /**
   * Answers with what is to be done once the calls are no longer pending.
   *
   * @param take the calls, asked for at the last moment
   */
  readonly append: (take: () => readonly Call[]) => Promise<() => void>;
  /** The records that calls would become now, for a page that is being left. */
  readonly preview: (calls: readonly Call[]) => ReturnType<typeof assignVisitor>['entries'];
  /** Calls of earlier pages that are not in the database yet. */
  readonly left: () => readonly Call[];
  /**
   * Has the visitor out, or in again, from the next append on, whatever the database knows by then; at once as far as
   * `localStorage` tells. False where that can't keep it.
   */
  readonly choose: (isOut: boolean) => boolean;
};

export function createWriter(ports: WriterPorts): Writer {
  const { store, spill, visitor, choice, clock, settings, fresh, appended } = ports;
  let left: readonly Call[] | undefined;
  let chosen: { readonly isOut: boolean; readonly choices: number } | undefined;

  const pageState = (choices: number): PageState => ({
    choices,
    fresh,
    skipRepeatedIdentify: settings.skipRepeatedIdentify,
    madeAt: clock.madeAt,
  });

  /** What this page has chosen holds against what the database knew, unless another tab has chosen since. */
  function choicesNow(known: number): number {
    const marked = choice.now();
    const choices = Math.max(marked, known);
    return chosen?.choices === marked && chosen.isOut !== isOut({ choices }) ? choices + 1 : choices;
  }

  return {
    append: async (take) => {
      left ??= spill.left();
      const earlier = left;
      let calls: readonly Call[] = [];
      const asked = chosen;
      const written = await store.append((kept) => {
        const known = visitor.fallback(kept.visitor);
        clock.restore(known.clockOffset);
        calls = [...earlier, ...take()];
        const page = pageState(choicesNow(known.choices));
        const assigned = assignVisitor(known, known === kept.visitor ? kept.reported : [], calls, page);
        return { ...assigned, clears: assigned.visitor.choices !== kept.visitor.choices };
      });
      left = [];
      if (chosen === asked) chosen = undefined;
      visitor.confirm(written.visitor);
      return () => appended(written, calls);
    },
    preview: (calls) =>
      assignVisitor(visitor.now(), [], calls, { ...pageState(choice.now()), skipRepeatedIdentify: false })
        .entries,
    left: () => left ?? [],
    choose: (out) => {
      const before = choice.now();
      const choices = isOut({ choices: before }) === out ? before : before + 1;
      chosen = { isOut: out, choices };
      return choices === 0 || choice.set(choices);
    },
  };
}
