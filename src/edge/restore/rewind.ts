import { type Figures, readFigures } from './figures.ts';
import type { Hold } from './holds.ts';

/** The platform's history of one outbox. Each method throws if there is none, as on a developer's machine. */
export type History = {
  /** The bookmark of approximately this moment. */
  readonly bookmarkAt: (at: number) => Promise<string>;
  /** Restores a bookmark at the next start. Returns the bookmark that undoes this. */
  readonly restoreOnStart: (bookmark: string) => Promise<string>;
  /** Ends this start of the object. Its callers get an error. */
  readonly restart: () => never;
};

export type RewindPorts = {
  readonly storage: Pick<DurableObjectStorage, 'sql' | 'kv' | 'sync'>;
  readonly history: History;
  /** Stores at the gate what this restore has found. */
  readonly keep: (found: Pick<Hold, 'before' | 'undo'>) => Promise<void>;
  /** True if no flush is being stored, no call is in flight, and none is about to leave. */
  readonly isIdle: () => boolean;
  /** Asks the gate whether the outbox is still on hold for this restore. */
  readonly isOnHold: () => Promise<boolean>;
  readonly wait: (ms: number) => Promise<void>;
  readonly logRestoring: (undo: string) => void;
};

/** The target of a restore: a moment, or the bookmark that undoes one. */
export type Target = { readonly at: number } | { readonly bookmark: string };

/** The reason why nothing was restored. */
export type NotRestored = 'no_history' | 'busy' | 'resumed';

// The key under which an outbox notes its restore. The restore itself removes the note.
const NOTE = 'restoring';

// A call gets its answer within 10 seconds, and may leave 1.5 seconds after its permit. The gate grants none on hold.
const MAX_LOOKS = 60;
const LOOK_EVERY_MS = 250;

/**
 * Restores an outbox that is on hold. If it succeeds it never returns, because the object restarts: `wasRestored`
 * says afterwards whether it did. Otherwise it returns why not, and everything is as before.
 *
 * It waits for calls in flight. An answer that came too late would be lost, and its records would be sent twice.
 */
export async function rewind(target: Target, id: string, ports: RewindPorts): Promise<NotRestored> {
  const { storage, history, keep, logRestoring } = ports;
  const bookmark =
    'bookmark' in target ? target.bookmark : await history.bookmarkAt(target.at).catch(() => undefined);
  if (bookmark === undefined) return 'no_history';
  if (!(await isIdleInTime(ports))) return 'busy';
  storage.kv.put(NOTE, id);
  await storage.sync();
  // Before the platform is asked: once it has agreed, a crash restores too.
  await keep({ before: readFigures(storage.sql) });
  // The operator may have ended the hold meanwhile. A restored outbox would then send at once.
  if (!(await ports.isOnHold())) {
    storage.kv.delete(NOTE);
    return 'resumed';
  }
  const undo = await history.restoreOnStart(bookmark).catch(() => undefined);
  if (undo === undefined) {
    storage.kv.delete(NOTE);
    return 'no_history';
  }
  logRestoring(undo);
  // The log has the bookmark, and the restart must follow in any case.
  await keep({ undo }).catch(() => undefined);
  return history.restart();
}

async function isIdleInTime({ isIdle, wait }: RewindPorts): Promise<boolean> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    if (isIdle()) return true;
    await wait(LOOK_EVERY_MS);
  }
  return isIdle();
}

/** The figures of an outbox after its restore. Undefined if the restore has not taken place. */
export function wasRestored({ sql, kv }: RewindPorts['storage'], id: string): Figures | undefined {
  return kv.get<string>(NOTE) === id ? undefined : readFigures(sql);
}

/** Forgets the restore, once the outbox is off hold. */
export function forgetRestore({ kv }: Pick<DurableObjectStorage, 'kv'>): void {
  kv.delete(NOTE);
}
