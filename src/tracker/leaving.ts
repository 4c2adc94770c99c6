import type { Entry } from './buffer.ts';
import type { Farewell } from './farewell.ts';
import type { Held } from './held.ts';
import { isOver, type Pause } from './next-step.ts';
import type { PageStorage } from './page-storage.ts';
import type { Spill } from './spill.ts';

export type LeavingPorts = {
  readonly held: Held;
  readonly farewell: Farewell;
  readonly spill: Spill;
  readonly pageStorage: PageStorage;
  readonly name: string;
  /** False where what is buffered ends with the page. */
  readonly isDurable: () => boolean;
  readonly now: () => number;
  /** Asks for somebody who sends when this page can't. */
  readonly askForSync: () => void;
};

export type Leaving = {
  /** To be called with what the buffer can't take yet, for a page that gets no moment to leave. */
  readonly keep: (entries: readonly Entry[]) => void;
  /** To be called when the page may be gone in a moment. */
  readonly leave: () => void;
  /** To be called when other records are held than before, or when others of them are under way. */
  readonly changed: () => void;
  /** To be called when sending has to wait. */
  readonly paused: (pause: Pause) => void;
};

/** Keeps a page ready to be left at any moment, with no look into the database, which would not answer in time. */
export function leavingPage(ports: LeavingPorts): Leaving {
  const { held, farewell, spill, pageStorage, name, isDurable, now, askForSync } = ports;
  const pauseName = `${name}?pause`;

  const unsaved = () => held.unsaved(isDurable());
  // The pause may be another tab's. That the network was gone is no reason not to try.
  const maySend = () => {
    const pause = pageStorage.get(pauseName) as Pause | null | undefined;
    return !pause || pause.reason === 'network' || isOver(pause, now());
  };

  return {
    keep: (entries) => void spill.write([...unsaved(), ...entries]),
    changed: () => {
      farewell.arm(maySend);
      if (unsaved().length === 0) spill.clear();
    },
    leave: () => {
      // As WebKit has it for a window that closes itself, there may be no storage any more.
      const isKept = spill.write(unsaved());
      if (maySend()) farewell.send(!isKept);
      farewell.arm(maySend, true);
      // Be it sent or not: of a page that is gone nobody learns what became of it.
      if (held.unsaved(false).length > 0) askForSync();
    },
    paused: (pause) => {
      pageStorage.set(pauseName, pause);
      if (pause.reason === 'network') askForSync();
    },
  };
}
